#!/usr/bin/env bash
# Draws docs/images/drill-{desktop,phone}-{light,dark}.png from the report in docs/images/drill.json.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cargo run --quiet -- report docs/images/drill.json >"$work/drill.html"

# shot NAME WIDTH HEIGHT SCALE: in light and in dark
shot() {
  local scheme
  for scheme in dark light; do
    chromium-headless-shell --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
      --disable-component-update --disable-sync --hide-scrollbars --user-data-dir="$work/profile" --window-size="$2,$3" \
      --force-device-scale-factor="$4" --blink-settings=preferredColorScheme="$([ $scheme = dark ] && echo 0 || echo 1)" \
      --screenshot="$work/shot.png" "file://$work/drill.html" 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
    pngquant --force --strip --speed 1 --output "docs/images/drill-$1-$scheme.png" 48 "$work/shot.png"
    echo "docs/images/drill-$1-$scheme.png: $(wc -c <"docs/images/drill-$1-$scheme.png") bytes"
  done
}
shot desktop 1060 1410 1
shot phone 360 1400 1.5

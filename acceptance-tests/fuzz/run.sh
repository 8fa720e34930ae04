#!/usr/bin/env bash
# run.sh [SECONDS [TARGET...]]: fuzzes each target for so long (600), one after the other, and keeps the inputs that reach the most.
# A crash, a hang of 10 s, or too much memory ends it: the input is left in target/fuzz/<target>/found, in the package's folder.
# Stable Rust will do: libFuzzer is linked in, and no sanitizer is asked for, since the code under test has no unsafe part.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")"); root=$(readlink -f "$here/../.."); export RUSTC_BOOTSTRAP=1
export PATH=${SANDBOX_HOME:-$HOME/.cache/kafkastack-sandbox}/bin:$PATH CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target/fuzz-build}
seconds=${1:-600}; shift || true
targets=${*:-$(sed -n 's/^path = "bins\/\(.*\)\.rs"/\1/p' "$here/Cargo.toml")}
most=500        # inputs that are kept of each target; and none is longer than 2 KiB

cp "$root/Cargo.lock" "$here/Cargo.lock"        # the provider's own versions
for target in $targets; do
  work=$root/target/fuzz/$target; kept=$here/corpus/$target.txt
  rm -rf "$work"; mkdir -p "$work/inputs" "$work/best" "$work/found"
  if [ -e "$kept" ]; then
    number=0; while read -r line; do base64 -d <<<"$line" >"$work/inputs/$((++number))"; done <"$kept"
  fi
  fuzz() { (cd "$here" && cargo fuzz run --fuzz-dir . --sanitizer none "$target" "$@"); }
  fuzz "$work/inputs" -- -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=1048576 \
    -artifact_prefix="$work/found/" -print_final_stats=1
  fuzz "$work/best" "$work/inputs" -- -merge=1 -max_len=2048
  for input in $(ls -Sr "$work/best" | head -n "$most"); do base64 -w0 "$work/best/$input"; echo; done | LC_ALL=C sort >"$kept"
  echo "$target: $(wc -l <"$kept") inputs kept, of $(ls "$work/inputs" | wc -l)"
done

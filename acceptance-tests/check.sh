#!/usr/bin/env bash
# The checks that need no cluster: format, lints, dependencies, and reference pages that say what the schemas say.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
export PATH=$PATH:${SANDBOX_HOME:-$HOME/.cache/kafkastack-sandbox}/bin
fresh=$(mktemp -d); trap 'rm -rf "$fresh"' EXIT

echo "== format"; cargo fmt --check
echo "== lints"; cargo clippy --quiet --all-targets -- -D warnings
echo "== links in documentation"
# The readers are those who work on it: links to private items are for them.
RUSTDOCFLAGS="-D warnings -A rustdoc::private-intra-doc-links" cargo doc --quiet --no-deps --document-private-items
echo "== dependencies"; cargo deny --log-level error check bans licenses sources
echo "== reference pages"
cargo run --quiet -- docs "$fresh"
[ -s "$fresh/index.md" ] || { echo "the provider wrote no reference pages"; exit 1; }
for page in $(ls "$fresh"); do diff -r "docs/$page" "$fresh/$page" || stale=1; done
[ -z "${stale-}" ] ||
  { echo "the reference pages are out of date: run \`make docs\`"; exit 1; }

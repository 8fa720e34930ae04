#!/usr/bin/env bash
# Sets everything up, then checks and tests it all; the cheapest first. Says at the end how long each part took.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
sandbox=acceptance-tests/sandbox/sandbox.sh
times=()
trap 'echo; [ ${#times[@]} = 0 ] || printf "%s\n" "${times[@]}"; echo "all of make test: $SECONDS s"' EXIT

# part NAME COMMAND...: runs it and notes its time; the first failure ends the run
part() {
  local name=$1 begin=$SECONDS failed=0; shift
  echo "== $name"
  "$@" || failed=$?
  times+=("$(printf '%-34s %5d s%s' "$name" $((SECONDS - begin)) "$([ $failed = 0 ] || echo '  FAILED')")")
  [ $failed = 0 ] || exit $failed
}

part "what the sandbox is made of" $sandbox setup
part "checks" acceptance-tests/check.sh
part "unit tests" cargo test --lib --bins
part "the sandbox" $sandbox up
eval "$($sandbox env)"; export KAFKASTACK_CLUSTER=required
part "tests on a real cluster" cargo test --test '*' -- --include-ignored --test-threads=4
part "examples in the documentation" cargo test --doc

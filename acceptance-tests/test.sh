#!/usr/bin/env bash
# test.sh [long]: sets everything up, then checks and tests it all but what is long; the cheapest first. `long`: that alone.
# Says at the end how long each part took.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
sandbox=acceptance-tests/sandbox/sandbox.sh
times=() what=${1:-test}
trap 'echo; [ ${#times[@]} = 0 ] || printf "%s\n" "${times[@]}"; echo "all of make $what: $SECONDS s"' EXIT

# part NAME COMMAND...: runs it and notes its time; the first failure ends the run
part() {
  local name=$1 begin=$SECONDS failed=0; shift
  echo "== $name"
  "$@" || failed=$?
  times+=("$(printf '%-34s %5d s%s' "$name" $((SECONDS - begin)) "$([ $failed = 0 ] || echo '  FAILED')")")
  [ $failed = 0 ] || exit $failed
}

part "what is needed" $sandbox setup
if [ $what != long ]; then
  acceptance-tests/sandbox/setup.sh deny
  part "checks" acceptance-tests/check.sh
  part "unit tests" cargo test --lib --bins
fi
part "the cluster" $sandbox up
eval "$($sandbox env)"; export KAFKASTACK_CLUSTER=required
if [ $what = long ]; then
  part "long tests on a real cluster" cargo test --test acceptance -- --include-ignored --test-threads=4 ::long::
  exit
fi
part "tests on a real cluster" cargo test --test '*' -- --include-ignored --test-threads=4 --skip ::long::
part "examples in the documentation" cargo test --doc

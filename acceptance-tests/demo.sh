#!/usr/bin/env bash
# The quickstart on a real cluster, from nothing. Everything it writes lies in a folder of its own, beside the sandbox
# that it belongs to and gone with it; nothing of the user's own configuration is touched. Can be run again at once.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
root=$PWD; sandbox=$root/acceptance-tests/sandbox/sandbox.sh
say() { printf '\n== %s (%s s)\n' "$1" "$SECONDS"; }

say "a cluster"; $sandbox setup; $sandbox up; eval "$($sandbox env)"
say "the provider, release build"; cargo build --release
work=${KAFKASTACK_SANDBOX:-${SANDBOX_HOME:-$HOME/.cache/kafkastack-sandbox}}/demo
mkdir -p "$work/mirror"
acceptance-tests/support/mirror.sh target/release/terraform-provider-kafkastack "$work/mirror" "$work/cli.tfrc"
export TF_CLI_CONFIG_FILE=$work/cli.tfrc TF_IN_AUTOMATION=1
ln -sf "$root"/examples/quickstart/*.tf "$work/"
cd "$work"
rm -rf .terraform .terraform.lock.hcl      # they know the checksum of an older build

say "tofu init"; tofu init -input=false
say "tofu apply"; begin=$SECONDS; tofu apply -input=false -auto-approve "$@"; applied=$((SECONDS - begin))
say "100 messages with acks=all, written and read back"
namespace=$(tofu output -raw namespace); servers=$(tofu output -raw bootstrap_servers)
kubectl -n "$namespace" exec -i kafka-0 -- bash -s "$servers" "demo-$(date +%s)" <"$root/acceptance-tests/support/messages.sh"

cat <<T

The demo took $SECONDS s; tofu apply took $applied s of it. To look around:
  cd $work
  eval "\$($sandbox env)"; export TF_CLI_CONFIG_FILE=$work/cli.tfrc
  kubectl -n $namespace get pods,pvc,svc
  tofu plan
To remove it (deletion_protection guards ensemble and brokers, so it is switched off first):
  tofu apply -var deletion_protection=false && tofu destroy -var deletion_protection=false
To remove the sandbox itself: make sandbox-down
T

#!/usr/bin/env bash
# mirror.sh BINARY FOLDER [SETTINGS]: puts the provider into FOLDER as a mirror that OpenTofu and Terraform read. Both look
# under their own registry's name for the source "kafkastack/kafkastack". Writes into the file SETTINGS what TF_CLI_CONFIG_FILE
# has to name for that mirror alone to be used, and no registry.
set -euo pipefail
binary=${1:?usage: mirror.sh BINARY FOLDER [SETTINGS]}; folder=${2:?usage: mirror.sh BINARY FOLDER [SETTINGS]}; settings=${3-}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$(dirname "$(readlink -f "$0")")/../../Cargo.toml" | head -1)
case $(uname -m) in x86_64) arch=amd64 ;; aarch64 | arm64) arch=arm64 ;; *) echo "no name for $(uname -m)" >&2; exit 1 ;; esac
platform=$(uname -s | tr '[:upper:]' '[:lower:]')_$arch
for host in registry.opentofu.org registry.terraform.io; do
  to=$folder/$host/kafkastack/kafkastack/$version/$platform
  mkdir -p "$to"
  # a new file, then a rename: one that is running is not written over
  cp "$binary" "$to/new"; chmod +x "$to/new"; mv "$to/new" "$to/terraform-provider-kafkastack_v$version"
  [ -n "$settings" ] || echo "installed $to"
done
[ -z "$settings" ] || cat >"$settings" <<C
disable_checkpoint = true
provider_installation {
  filesystem_mirror { path = "$folder" }
}
C

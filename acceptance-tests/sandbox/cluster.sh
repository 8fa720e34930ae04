# The parts of the cluster, sourced by sandbox.sh: certificates, network, control plane, nodes.
# shellcheck shell=bash disable=SC2154

certificates() {
  local d=$RUN/pki; mkdir -p "$d"; cd "$d"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=sandbox-ca -keyout ca.key -out ca.crt 2>/dev/null
  issue() { # issue NAME SUBJECT EXTENSIONS
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$2" -keyout "$1.key" -out "$1.csr" 2>/dev/null
    openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 -extfile <(printf '%s\n' "$3") -out "$1.crt" 2>/dev/null
  }
  issue apiserver /CN=kube-apiserver "subjectAltName=DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,IP:127.0.0.1,IP:$CONTROL,IP:10.96.0.1"
  issue component /O=system:masters/CN=sandbox-component "extendedKeyUsage=clientAuth"
  issue user /O=system:masters/CN=sandbox-user "extendedKeyUsage=clientAuth"
  openssl genrsa -out service-account.key 2048 2>/dev/null
  openssl rsa -in service-account.key -pubout -out service-account.pub 2>/dev/null
  cd - >/dev/null
}

kubeconfig() { # kubeconfig SERVER CERTIFICATE >FILE
  cat <<Y
apiVersion: v1
kind: Config
current-context: sandbox
clusters: [{name: sandbox, cluster: {server: "$1", certificate-authority-data: $(base64 -w0 "$RUN/pki/ca.crt")}}]
users: [{name: $2, user: {client-certificate-data: $(base64 -w0 "$RUN/pki/$2.crt"), client-key-data: $(base64 -w0 "$RUN/pki/$2.key")}}]
contexts: [{name: sandbox, context: {cluster: sandbox, user: $2}}]
Y
}

network() {
  ip netns add "$NAME-control"
  in_ns "$NAME-control" sh -c "ip link set lo up; ip link add br0 type bridge; ip addr add $CONTROL/24 dev br0; ip link set br0 up; sysctl -qw net.ipv4.ip_forward=1"
  for ((i = 0; i < NODES; i++)); do
    ip netns add "$NAME-node$i"
    ip link add "sw$i" netns "$NAME-control" type veth peer name eth0 netns "$NAME-node$i"
    in_ns "$NAME-control" sh -c "ip link set sw$i master br0 up; ip route add 10.244.$i.0/24 via 172.30.0.$((10 + i)) onlink dev br0"
    in_ns "$NAME-node$i" sh -c "ip link set lo up; ip addr add 172.30.0.$((10 + i))/24 dev eth0; ip link set eth0 up; sysctl -qw net.ipv4.ip_forward=1"
  done
  for ((i = 0; i < NODES; i++)); do for ((j = 0; j < NODES; j++)); do
    ((i == j)) || in_ns "$NAME-node$i" ip route add "10.244.$j.0/24" via "172.30.0.$((10 + j))"
  done; done
}

storage_classes() {
  cat <<Y
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: sandbox, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
provisioner: sandbox.local/directory
volumeBindingMode: WaitForFirstConsumer
allowVolumeExpansion: true
reclaimPolicy: Delete
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: sandbox-fixed}
provisioner: sandbox.local/directory
volumeBindingMode: WaitForFirstConsumer
allowVolumeExpansion: false
reclaimPolicy: Retain
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: managed-nfs-storage}    # the quickstart's: bound at once and seen by every node, as a network disk is
provisioner: sandbox.local/directory
volumeBindingMode: Immediate
allowVolumeExpansion: true
reclaimPolicy: Delete
Y
}

control_plane() {
  local p=$RUN/pki
  cat >"$RUN/audit.yaml" <<C # every write that a person or a provider makes, one JSON line each
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Metadata, users: [sandbox-user], verbs: [create, update, patch, delete, deletecollection]}, {level: None}]
C
  start etcd "$NAME-control" "$BIN/kubernetes" etcd --data-dir "$RUN/etcd" --unsafe-no-fsync --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 --listen-peer-urls http://127.0.0.1:2380
  start apiserver "$NAME-control" "$BIN/kubernetes" apiserver --etcd-servers=http://127.0.0.1:2379 \
    --bind-address=0.0.0.0 --advertise-address=$CONTROL --secure-port=6443 --service-cluster-ip-range=10.96.0.0/16 \
    --client-ca-file="$p/ca.crt" --tls-cert-file="$p/apiserver.crt" --tls-private-key-file="$p/apiserver.key" \
    --kubelet-client-certificate="$p/component.crt" --kubelet-client-key="$p/component.key" --kubelet-preferred-address-types=InternalIP \
    --service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$p/service-account.pub" --service-account-signing-key-file="$p/service-account.key" \
    --authorization-mode=Node,RBAC --allow-privileged=true --audit-policy-file="$RUN/audit.yaml" --audit-log-path="$RUN/log/audit"
  # the host reaches the API server through a socket, never through a route
  start relay-inside "$NAME-control" socat "UNIX-LISTEN:$RUN/api.sock,fork,backlog=512" TCP:127.0.0.1:6443,nodelay
  setsid socat "TCP-LISTEN:$PORT,bind=127.0.0.1,reuseaddr,fork,nodelay,backlog=512" "UNIX-CONNECT:$RUN/api.sock" >"$RUN/log/relay-host" 2>&1 </dev/null 9>&- &
  echo $! >"$RUN/pid/relay-host"
  kubeconfig "https://127.0.0.1:$PORT" user >"$CONFIG"
  kubeconfig "https://$CONTROL:6443" component >"$RUN/kubeconfig"
  wait_for 120 "the API server" kubectl get --raw /readyz
  start controller "$NAME-control" "$BIN/kubernetes" controller --kubeconfig="$RUN/kubeconfig" --leader-elect=false --service-account-private-key-file="$p/service-account.key" --root-ca-file="$p/ca.crt"
  start scheduler "$NAME-control" "$BIN/kubernetes" scheduler --kubeconfig="$RUN/kubeconfig" --leader-elect=false
  start storage "$NAME-control" "$BIN/storage" --kubeconfig "$RUN/kubeconfig" --dir "$RUN/volumes"
  storage_classes | kubectl apply -f - >/dev/null
  cat >"$RUN/Corefile" <<C
.:53 {
  bind $CONTROL
  errors
  kubernetes cluster.local { kubeconfig $RUN/kubeconfig
    ttl 30 }
  cache 30 {
    disable success cluster.local      # as kubeadm sets it up
    disable denial cluster.local
  }
}
C
  start coredns "$NAME-control" "$BIN/coredns" -conf "$RUN/Corefile"
  printf 'nameserver %s\n' "$CONTROL" >"$RUN/resolv.conf"
}

# pod_cgroup NAME: the root of one node's pods, in every hierarchy of cgroup v1 or in the one of v2
pod_cgroup() {
  local c
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    for c in $(cat /sys/fs/cgroup/cgroup.controllers); do echo "+$c" >/sys/fs/cgroup/cgroup.subtree_control || true; done
    mkdir -p "/sys/fs/cgroup/$1"
    return
  fi
  for c in /sys/fs/cgroup/*/; do
    [ -e "$c/cgroup.procs" ] || continue
    mkdir -p "$c/$1"
    if [ -e "$c/cpuset.cpus" ]; then cat "$c/cpuset.cpus" >"$c/$1/cpuset.cpus"; cat "$c/cpuset.mems" >"$c/$1/cpuset.mems"; fi
  done
}

# private_mounts I: a mount namespace for node I, held by one sleeping process. What containerd, the kubelet and CNI write
# to fixed places of a machine goes to the node's own folder, and every mount ends with the node.
private_mounts() {
  local d=$RUN/node$1 p
  for p in /var/lib/kubelet /var/lib/cni /var/log /run/containerd; do mkdir -p "$p" "$d/own$p"; done
  start "mounts$1" "$NAME-node$1" unshare --mount --propagation private sh -c '
    for p in /var/lib/kubelet /var/lib/cni /var/log /run/containerd; do mount --bind "$1/own$p" "$p" || exit 1; done
    mount --make-rshared /; touch "$1/own/ready"; exec sleep infinity' _ "$d"
  wait_for 10 "the mounts of node$1" test -e "$d/own/ready"
}

node() { # node I
  local i=$1 ns=$NAME-node$1 d=$RUN/node$1 mounts
  mkdir -p "$d"/{containerd,state,kubelet,cni,logs}
  pod_cgroup "$ns"
  private_mounts "$i"
  mounts=(nsenter --mount="/proc/$(cat "$RUN/pid/mounts$i")/ns/mnt")
  cat >"$d/cni/10-bridge.conflist" <<C
{"cniVersion": "0.4.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": false, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "$d/ipam", "ranges": [[{"subnet": "10.244.$i.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
C
  cat >"$d/containerd.toml" <<C
version = 2
root = "$d/containerd"
state = "$d/state"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = "$d/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "registry.k8s.io/pause:3.6"
  restrict_oom_score_adj = true          # CAP_SYS_RESOURCE may be missing
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$d/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
C
  start "containerd$i" "$ns" "${mounts[@]}" containerd -c "$d/containerd.toml"
  wait_for 30 "containerd of node$i" ctr -a "$d/containerd.sock" version
  cat >"$d/kubelet.yaml" <<C
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: 172.30.0.$((10 + i))
authentication: {x509: {clientCAFile: $RUN/pki/ca.crt}, webhook: {enabled: true}, anonymous: {enabled: false}}
authorization: {mode: Webhook}
cgroupDriver: cgroupfs
cgroupRoot: /$ns
cgroupsPerQOS: true
enforceNodeAllocatable: []
clusterDNS: [$CONTROL]
clusterDomain: cluster.local
containerRuntimeEndpoint: unix://$d/containerd.sock
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}
oomScoreAdj: 0
failSwapOn: false
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
nodeStatusUpdateFrequency: 4s
resolvConf: $RUN/resolv.conf
volumePluginDir: $d/kubelet/volume-plugins
syncFrequency: 10s
C
  start "kubelet$i" "$ns" "${mounts[@]}" "$BIN/kubernetes" kubelet --config="$d/kubelet.yaml" --kubeconfig="$RUN/kubeconfig" --root-dir="$d/kubelet" \
    --hostname-override="node$i" --node-ip="172.30.0.$((10 + i))" --node-labels="topology.kubernetes.io/zone=zone-$i"
  cat >"$d/proxy.yaml" <<C
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
clientConnection: {kubeconfig: $RUN/kubeconfig}
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
oomScoreAdj: 0
hostnameOverride: node$i
healthzBindAddress: 127.0.0.1:10256
metricsBindAddress: 127.0.0.1:10249
clusterCIDR: 10.244.0.0/16
C
  start "proxy$i" "$ns" "$BIN/kubernetes" proxy --config="$d/proxy.yaml"
}

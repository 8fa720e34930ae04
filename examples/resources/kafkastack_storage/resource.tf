# A class of a provisioner that the cluster has.
resource "kafkastack_storage" "fast" {
  name        = "fast"
  provisioner = "ebs.csi.aws.com"
  parameters  = { type = "gp3" }
}

# Disks of nodes. The directories have to be there.
resource "kafkastack_storage" "disks" {
  name = "disks"
  local_volumes = [
    { name = "disk-0", node = "worker-0", path = "/mnt/disks/0", capacity = "100Gi" },
    { name = "disk-1", node = "worker-1", path = "/mnt/disks/0", capacity = "100Gi" },
    { name = "disk-2", node = "worker-2", path = "/mnt/disks/0", capacity = "100Gi" },
  ]
}

# Directories of an NFS server, one for each claim.
resource "kafkastack_storage" "nfs" {
  name          = "managed-nfs-storage"
  mount_options = ["nfsvers=4.1"]
  nfs_volumes = [
    for i in range(6) : { name = "kafka-${i}", server = "10.0.0.5", path = "/exports/kafka-${i}", capacity = "40Gi" }
  ]
}

resource "kafkastack_zookeeper_ensemble" "coordination" {
  name    = "coordination"
  storage = { class = kafkastack_storage.fast.class_name, size = "10Gi" }
}

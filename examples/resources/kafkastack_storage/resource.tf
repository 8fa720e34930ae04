# volumes that a provisioner makes
resource "kafkastack_storage" "fast" {
  name        = "fast"
  provisioner = "ebs.csi.aws.com"
  parameters  = { type = "gp3" }
}

# directories on an NFS server, one for each claim
resource "kafkastack_storage" "nfs" {
  name          = "managed-nfs-storage"
  mount_options = ["nfsvers=4.1"]
  nfs_volumes = [
    for i in range(3) : {
      name     = "kafka-${i}"
      server   = "nfs.example.com"
      path     = "/exports/kafka-${i}"
      capacity = "40Gi"
    }
  ]
}

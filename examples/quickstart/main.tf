# Three ZooKeepers, three brokers, their storage and a replicated topic, in one apply.

terraform {
  required_providers {
    kafkastack = { source = "kafkastack/kafkastack" }
  }
}

# The cluster that KUBECONFIG, or ~/.kube/config, names.
provider "kafkastack" {}

resource "kafkastack_zookeeper_ensemble" "zookeeper" {
  namespace        = var.namespace
  create_namespace = true
  name             = "zookeeper"

  members = 3
  image   = var.zookeeper_image
  heap    = var.zookeeper_heap
  resources = {
    requests = { cpu = "100m", memory = "536Mi" }
    limits   = { cpu = "1", memory = "2Gi" }
  }
  storage = { class = var.storage_class, size = "10Gi" }

  # destroy is refused while this is true
  deletion_protection = var.deletion_protection
}

resource "kafkastack_cluster" "kafka" {
  namespace = var.namespace
  name      = "kafka"

  brokers = 3
  image   = var.image
  heap    = var.heap
  zookeeper = {
    connection = kafkastack_zookeeper_ensemble.zookeeper.connection
    chroot     = "/kafka"
  }
  resources = {
    requests = { cpu = "1", memory = "2Gi" }
    limits   = { cpu = "2", memory = "4Gi" }
  }
  storage = { class = var.storage_class, size = "40Gi" }

  # server.properties by their own names
  config = {
    "log.retention.hours" = "168"
  }

  # destroy is refused while this is true
  deletion_protection = var.deletion_protection
}

resource "kafkastack_topic" "test1" {
  cluster            = kafkastack_cluster.kafka.id
  name               = "test1"
  partitions         = 3
  replication_factor = 3
}

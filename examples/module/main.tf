# A platform's Kafka: storage, ensemble, brokers, topics, and the proof that it bears the loss of a pod.

resource "kafkastack_storage" "this" {
  count = var.storage.provisioner == null ? 0 : 1

  name        = var.storage.class
  provisioner = var.storage.provisioner
  parameters  = var.storage.parameters
}

locals {
  class = one(kafkastack_storage.this[*].class_name) == null ? var.storage.class : one(kafkastack_storage.this[*].class_name)
}

resource "kafkastack_zookeeper_ensemble" "this" {
  namespace        = var.namespace
  create_namespace = true
  name             = "zookeeper"

  members   = var.zookeeper.members
  image     = var.zookeeper.image
  heap      = var.zookeeper.heap
  resources = { requests = var.zookeeper.requests, limits = var.zookeeper.limits }
  storage   = { class = local.class, size = var.zookeeper.volume }

  deletion_protection = var.deletion_protection
}

resource "kafkastack_cluster" "this" {
  namespace = var.namespace
  name      = "kafka"

  brokers = var.kafka.brokers
  image   = var.kafka.image
  heap    = var.kafka.heap
  zookeeper = {
    connection = kafkastack_zookeeper_ensemble.this.connection
    chroot     = "/kafka"
  }
  resources = { requests = var.kafka.requests, limits = var.kafka.limits }
  storage   = { class = local.class, size = var.kafka.volume }
  config    = var.kafka.config

  deletion_protection = var.deletion_protection
}

resource "kafkastack_topic" "this" {
  for_each = var.topics

  cluster             = kafkastack_cluster.this.id
  name                = each.key
  partitions          = each.value.partitions
  replication_factor  = each.value.replication_factor
  config              = merge({ "min.insync.replicas" = "2" }, each.value.config)
  deletion_protection = var.deletion_protection
}

resource "kafkastack_ha_drill" "this" {
  count = var.drill == null ? 0 : 1

  cluster            = kafkastack_cluster.this.id
  zookeeper_ensemble = kafkastack_zookeeper_ensemble.this.id

  steps = [for kind in var.drill.steps : {
    kind  = kind
    how   = contains(["pause", "evict_node_pods"], kind) ? null : var.drill.how
    watch = var.drill.watch
  }]
  records_per_second = var.drill.records_per_second
  max_unavailable    = var.drill.max_unavailable
  max_recovery       = var.drill.max_recovery
  report_path        = var.drill.report_path

  # what makes it run again
  triggers = {
    kafka     = jsonencode([kafkastack_cluster.this.image, kafkastack_cluster.this.brokers, var.kafka.config])
    zookeeper = jsonencode([kafkastack_zookeeper_ensemble.this.image, kafkastack_zookeeper_ensemble.this.members])
  }

  # nothing else is done to the stack while pods are taken away
  depends_on = [kafkastack_topic.this]
}

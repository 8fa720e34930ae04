resource "kafkastack_topic" "orders" {
  cluster            = kafkastack_cluster.kafka.id
  name               = "orders"
  partitions         = 12
  replication_factor = 3

  config = {
    "retention.ms"        = "604800000"
    "min.insync.replicas" = "2"
  }
  deletion_protection = true
}

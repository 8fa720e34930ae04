resource "kafkastack_cluster" "kafka" {
  namespace = "streaming"
  name      = "kafka"

  brokers = 3
  image   = "apache/kafka:3.9.2"
  heap    = "2G"
  zookeeper = {
    connection = kafkastack_zookeeper_ensemble.zookeeper.connection
    chroot     = "/kafka"
  }
  resources = {
    requests = { cpu = "1", memory = "3Gi" }
    limits   = { cpu = "2", memory = "4Gi" }
  }
  storage = { class = "fast", size = "40Gi" }

  # server.properties by their own names
  config = {
    "log.retention.hours" = "168"
  }

  # one broker on a node, or none at all
  spread = { nodes = "required" }

  pod = {
    node_selector = { "pool" = "kafka" }
    tolerations   = [{ key = "dedicated", value = "kafka", effect = "NoSchedule" }]
  }
}

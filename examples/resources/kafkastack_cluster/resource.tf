resource "kafkastack_cluster" "kafka" {
  namespace = "streams"
  name      = "kafka"

  brokers = 3
  image   = "apache/kafka:3.9.2"
  heap    = "2G"
  zookeeper = {
    connection = kafkastack_zookeeper_ensemble.zookeeper.connection
    chroot     = "/kafka"
  }
  resources = {
    requests = { cpu = "1", memory = "4Gi" }
    limits   = { memory = "4Gi" }
  }
  storage = { class = "fast", size = "100Gi" }

  # server.properties by its own names
  config = {
    "log.retention.hours" = "168"
    "num.io.threads"      = "8"
  }

  spread = { nodes = "required", zones = "preferred" }
  pod = {
    node_selector = { "node.kubernetes.io/pool" = "kafka" }
    tolerations   = [{ key = "dedicated", value = "kafka", effect = "NoSchedule" }]
  }

  timeouts = { update = "1h" }
}

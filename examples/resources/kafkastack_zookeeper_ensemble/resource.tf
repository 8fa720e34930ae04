resource "kafkastack_zookeeper_ensemble" "zookeeper" {
  namespace        = "streaming"
  create_namespace = true
  name             = "zookeeper"

  members = 3
  heap    = "512m"
  resources = {
    requests = { cpu = "100m", memory = "768Mi" }
    limits   = { cpu = "1", memory = "1Gi" }
  }
  storage = { class = "fast", size = "10Gi" }

  config = {
    "maxClientCnxns" = "100"
  }
}

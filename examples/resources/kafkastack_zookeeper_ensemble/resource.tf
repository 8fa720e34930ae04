resource "kafkastack_zookeeper_ensemble" "zookeeper" {
  namespace        = "streams"
  create_namespace = true
  name             = "zookeeper"

  members = 3
  heap    = "512m"
  resources = {
    requests = { cpu = "100m", memory = "768Mi" }
    limits   = { memory = "1Gi" }
  }
  storage = { class = "fast", size = "10Gi" }

  # zoo.cfg by its own names
  config = { maxClientCnxns = "200" }

  # never two members on one node
  spread = { nodes = "required" }
}

terraform {
  required_providers {
    kafkastack = { source = "kafkastack/kafkastack" }
  }
}

# The cluster that KUBECONFIG, KUBE_CONFIG_PATH or ~/.kube/config names.
provider "kafkastack" {}

# Another one, by file and context.
provider "kafkastack" {
  alias      = "staging"
  kubernetes = { config_path = "~/.kube/staging", config_context = "admin" }
}

# Topics of brokers that are no kafkastack_cluster, reached directly.
provider "kafkastack" {
  alias = "elsewhere"
  kafka = { bootstrap_servers = ["kafka-0.example.com:9092", "kafka-1.example.com:9092"] }
}

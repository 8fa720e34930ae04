import {
  to = kafkastack_cluster.kafka
  identity = {
    namespace = "streaming"
    name      = "kafka"
  }
}

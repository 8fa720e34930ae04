import {
  to = kafkastack_zookeeper_ensemble.zookeeper
  identity = {
    namespace = "streaming"
    name      = "zookeeper"
  }
}

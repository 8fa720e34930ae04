import {
  to = kafkastack_topic.orders
  identity = {
    cluster = "streaming/kafka"
    name    = "orders"
  }
}

# by namespace, cluster and topic
tofu import kafkastack_topic.orders streams/kafka/orders

# by topic alone, where the provider's kafka block says which cluster
tofu import kafkastack_topic.orders orders

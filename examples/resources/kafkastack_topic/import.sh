# a topic of a kafkastack_cluster: namespace/cluster/topic
tofu import kafkastack_topic.orders streaming/kafka/orders

# a topic of the cluster that the provider's kafka.bootstrap_servers name
tofu import kafkastack_topic.orders orders

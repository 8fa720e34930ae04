# by namespace and name
tofu import kafkastack_cluster.kafka streams/kafka

tofu import kafkastack_cluster.kafka streaming/kafka

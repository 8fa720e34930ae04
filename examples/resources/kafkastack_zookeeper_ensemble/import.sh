# by namespace and name
tofu import kafkastack_zookeeper_ensemble.zookeeper streams/zookeeper

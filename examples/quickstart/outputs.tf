output "namespace" {
  description = "Where everything is."
  value       = var.namespace
}

output "bootstrap_servers" {
  description = "What clients inside the Kubernetes cluster connect to."
  value       = kafkastack_cluster.kafka.bootstrap_servers
}

output "ensemble" {
  description = "What the brokers connect to."
  value       = kafkastack_zookeeper_ensemble.zookeeper.connection
}

output "topic" {
  description = "The topic and its replicas."
  value = {
    name               = kafkastack_topic.test1.name
    partitions         = kafkastack_topic.test1.partitions
    replication_factor = kafkastack_topic.test1.replication_factor
  }
}

output "bootstrap_servers" {
  description = "What clients inside the Kubernetes cluster connect to."
  value       = kafkastack_cluster.this.bootstrap_servers
}

output "cluster" {
  description = "The `id` of the cluster: for topics that are made elsewhere."
  value       = kafkastack_cluster.this.id
}

output "topics" {
  description = "Partitions and replicas of each topic."
  value = { for name, topic in kafkastack_topic.this : name => {
    partitions         = topic.partitions
    replication_factor = topic.replication_factor
  } }
}

output "drill" {
  description = "What the last drill proved; null without one."
  value = one([for drill in kafkastack_ha_drill.this : {
    ran_at               = drill.ran_at
    passed               = drill.passed
    acknowledged         = drill.acknowledged
    lost                 = drill.lost
    longest_write_gap_ms = drill.longest_write_gap_ms
    longest_read_gap_ms  = drill.longest_read_gap_ms
  }])
}

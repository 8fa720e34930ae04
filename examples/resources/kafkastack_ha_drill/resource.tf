resource "kafkastack_ha_drill" "proof" {
  cluster = kafkastack_cluster.kafka.id

  # what makes it run again
  triggers = { image = kafkastack_cluster.kafka.image }

  steps = [
    { kind = "kill_broker", broker = "controller", how = "kill" },
    { kind = "kill_leader_of_topic" },
    { kind = "kill_zookeeper_leader" },
    { kind = "evict_node_pods", watch = "30s" },
  ]

  max_unavailable = "30s"
  max_recovery    = "5m"
  report_path     = "ha-drill.html"
}

# terraform apply -invoke=action.kafkastack_ha_drill.proof
action "kafkastack_ha_drill" "proof" {
  config {
    cluster = "streams/kafka"
    steps = [
      { kind = "kill_broker", broker = "controller" },
      { kind = "kill_zookeeper_leader" },
    ]
    max_unavailable = "30s"
  }
}

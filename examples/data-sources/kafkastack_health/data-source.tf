data "kafkastack_health" "kafka" {
  cluster               = kafkastack_cluster.kafka.id
  min_disk_free_percent = 20
}

check "kafka_is_healthy" {
  assert {
    condition     = data.kafkastack_health.kafka.healthy
    error_message = join("\n", data.kafkastack_health.kafka.reasons)
  }
}

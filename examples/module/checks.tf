# Warnings of every plan and apply, without anything being changed.

check "healthy" {
  data "kafkastack_health" "this" {
    cluster               = kafkastack_cluster.this.id
    zookeeper_ensemble    = kafkastack_zookeeper_ensemble.this.id
    min_disk_free_percent = var.min_disk_free_percent
    # not while the drill runs
    depends_on = [kafkastack_topic.this, kafkastack_ha_drill.this]
  }

  assert {
    condition     = data.kafkastack_health.this.healthy
    error_message = join("; ", data.kafkastack_health.this.reasons)
  }
}

check "drilled" {
  assert {
    condition     = alltrue([for drill in kafkastack_ha_drill.this : drill.passed && drill.lost == 0])
    error_message = join("; ", flatten([for drill in kafkastack_ha_drill.this : drill.failures]))
  }
}

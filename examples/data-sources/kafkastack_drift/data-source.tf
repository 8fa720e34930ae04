locals {
  topics = {
    orders   = { partitions = 6, config = { "retention.ms" = "604800000" } }
    payments = { partitions = 3, config = { "cleanup.policy" = "compact" } }
  }
}

resource "kafkastack_topic" "all" {
  for_each   = local.topics
  cluster    = kafkastack_cluster.kafka.id
  name       = each.key
  partitions = each.value.partitions
  config     = each.value.config
}

# It refers to no resource: with changes pending there, core would read it at the apply only, when the drift is gone.
data "kafkastack_drift" "stack" {
  cluster            = "prod/kafka"
  zookeeper_ensemble = "prod/zookeeper"
  topics             = local.topics
  ignore_topics      = ["connect-*"]
}

output "drift" {
  value = data.kafkastack_drift.stack.summary_markdown
}

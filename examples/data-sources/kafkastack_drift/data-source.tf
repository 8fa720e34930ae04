data "kafkastack_drift" "stack" {
  cluster            = kafkastack_cluster.kafka.id
  zookeeper_ensemble = kafkastack_zookeeper_ensemble.zookeeper.id

  # every managed topic; what else is there is unmanaged
  topics = {
    for topic in [kafkastack_topic.orders] :
    topic.name => { partitions = topic.partitions, config = topic.config }
  }
  ignore_topics = ["connect-*"]
}

check "drift" {
  assert {
    condition     = !data.kafkastack_drift.stack.drifted
    error_message = data.kafkastack_drift.stack.summary_markdown
  }
}

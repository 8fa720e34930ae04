# What the module makes of its variables, without a cluster: the provider is a stand-in.

mock_provider "kafkastack" {
  mock_resource "kafkastack_storage" {
    defaults = { class_name = "fast" }
  }
  mock_resource "kafkastack_zookeeper_ensemble" {
    defaults = { id = "streaming/zookeeper", connection = "zookeeper-0.zookeeper-headless.streaming:2181" }
  }
  mock_resource "kafkastack_cluster" {
    defaults = { id = "streaming/kafka" }
  }
  mock_resource "kafkastack_ha_drill" {
    defaults = { passed = true, lost = 0, failures = [] }
  }
  mock_data "kafkastack_health" {
    defaults = { healthy = true, reasons = [] }
  }
}

variables {
  namespace = "streaming"
  storage   = { class = "fast" }
}

run "a_class_that_is_there_is_used" {
  assert {
    condition     = length(kafkastack_storage.this) == 0 && kafkastack_cluster.this.storage.class == "fast"
    error_message = "The class is not the one that was given."
  }
  assert {
    condition     = length(kafkastack_ha_drill.this) == 0
    error_message = "There is a drill that nobody asked for."
  }
}

run "a_provisioner_makes_a_class" {
  variables {
    storage = { class = "fast", provisioner = "ebs.csi.aws.com", parameters = { type = "gp3" } }
  }

  assert {
    condition     = kafkastack_storage.this[0].name == "fast" && kafkastack_storage.this[0].parameters.type == "gp3"
    error_message = "The class is not made as asked."
  }
}

run "topics_bear_the_loss_of_a_broker" {
  variables {
    topics = { orders = { partitions = 12 }, audit = { config = { "retention.ms" = "604800000" } } }
  }

  assert {
    condition     = alltrue([for topic in kafkastack_topic.this : topic.replication_factor == 3 && topic.config["min.insync.replicas"] == "2"])
    error_message = "A topic is lost with a broker."
  }
  assert {
    condition     = kafkastack_topic.this["orders"].partitions == 12 && kafkastack_topic.this["audit"].config["retention.ms"] == "604800000"
    error_message = "A topic is not as asked."
  }
}

run "a_drill_has_the_steps_that_were_asked_for" {
  variables {
    drill = { steps = ["kill_broker", "pause", "evict_node_pods"], max_unavailable = "15s" }
  }

  assert {
    condition     = join(" ", kafkastack_ha_drill.this[0].steps[*].kind) == "kill_broker pause evict_node_pods"
    error_message = "The steps differ."
  }
  assert {
    condition     = kafkastack_ha_drill.this[0].steps[0].how == "kill" && kafkastack_ha_drill.this[0].steps[1].how == null
    error_message = "A pause takes no pod away."
  }
}

run "what_is_not_highly_available_is_refused" {
  command = plan
  variables {
    namespace = "Not a name"
    storage   = { class = "fast", parameters = { type = "gp3" } }
    kafka     = { brokers = 2 }
    zookeeper = { members = 4 }
    drill     = { steps = [] }
  }

  expect_failures = [var.namespace, var.storage, var.kafka, var.zookeeper, var.drill]
}

run "a_topic_that_is_lost_with_a_broker_is_refused" {
  command = plan
  variables {
    topics = { orders = { replication_factor = 1 } }
  }

  expect_failures = [var.topics]
}

run "more_replicas_than_brokers_are_refused" {
  command = plan
  variables {
    topics = { orders = { replication_factor = 4 } }
  }

  expect_failures = [var.topics]
}

run "an_unhealthy_stack_is_told" {
  override_data {
    target = data.kafkastack_health.this
    values = { healthy = false, reasons = ["broker 1 is not registered"] }
  }

  expect_failures = [check.healthy]
}

run "a_drill_that_did_not_pass_is_told" {
  variables {
    drill = {}
  }
  override_resource {
    target = kafkastack_ha_drill.this
    values = { passed = false, lost = 3, failures = ["3 records acknowledged and lost"] }
  }

  expect_failures = [check.drilled]
}

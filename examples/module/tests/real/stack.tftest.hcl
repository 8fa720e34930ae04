# The stack for real, small, on the Kubernetes cluster that KUBECONFIG names. It takes some minutes.
#
#   tofu test -test-directory=tests/real -var namespace=module-test

variables {
  storage             = { class = "sandbox" }
  deletion_protection = false
  # the sandbox's volumes are folders on the disk of the machine: what is left of it says nothing of the stack
  min_disk_free_percent = 0

  zookeeper = { heap = "128m", volume = "1Gi", requests = {} }
  kafka = {
    heap     = "256m"
    volume   = "1Gi"
    requests = {}
    config   = { "log.cleaner.dedupe.buffer.size" = "2097152", "offsets.topic.num.partitions" = "1" }
  }
  topics = { orders = {} }
  drill  = { steps = ["kill_leader_of_topic"], how = "delete", watch = "3s", records_per_second = 200, max_unavailable = "60s" }
}

run "a_stack_is_made_and_bears_the_loss_of_a_leader" {
  assert {
    condition     = output.drill.passed && output.drill.lost == 0
    error_message = "The drill did not pass."
  }
  assert {
    condition     = output.drill.acknowledged > 1000
    error_message = "${output.drill.acknowledged} records are too few to prove something."
  }
  assert {
    condition     = output.topics["orders"] == { partitions = 3, replication_factor = 3 }
    error_message = "The topic is not as asked."
  }
}

run "an_unchanged_configuration_drills_nothing_again" {
  command = plan

  # of a drill that is to run, it is not known yet
  assert {
    condition     = output.drill.ran_at != ""
    error_message = "It would be drilled again."
  }
}

# A drill of a cluster that is there. It takes pods away: run it where that is meant.

terraform {
  required_providers {
    kafkastack = { source = "kafkastack/kafkastack" }
  }
}

variable "cluster" {
  description = "The id of the kafkastack_cluster, such as streams/kafka."
  type        = string
}

variable "run" {
  description = "Another value drills again, such as the day in a nightly job."
  type        = string
  default     = "1"
}

provider "kafkastack" {}

resource "kafkastack_ha_drill" "proof" {
  cluster  = var.cluster
  triggers = { run = var.run }

  records_per_second = 500

  steps = [
    # what the load sees without a disturbance
    { kind = "pause", watch = "10s" },
    { kind = "kill_broker", broker = "controller", how = "kill" },
    { kind = "kill_leader_of_topic" },
    { kind = "kill_zookeeper_leader" },
    { kind = "evict_node_pods" },
  ]

  max_unavailable = "30s"
  report_path     = "ha-drill.html"
}

# Says it at every plan, not only in the apply that drilled.
check "high_availability" {
  assert {
    condition     = kafkastack_ha_drill.proof.lost == 0 && kafkastack_ha_drill.proof.longest_write_gap_ms < 30000
    error_message = "The last drill lost records, or nothing could be written for too long."
  }
}

output "drill" {
  value = {
    at            = kafkastack_ha_drill.proof.ran_at
    acknowledged  = kafkastack_ha_drill.proof.acknowledged
    lost          = kafkastack_ha_drill.proof.lost
    write_gap_ms  = kafkastack_ha_drill.proof.longest_write_gap_ms
    read_gap_ms   = kafkastack_ha_drill.proof.longest_read_gap_ms
    step_results  = kafkastack_ha_drill.proof.step_results
  }
}

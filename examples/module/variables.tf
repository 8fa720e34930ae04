variable "namespace" {
  description = "Kubernetes namespace of everything; made if it is not there."
  type        = string
  validation {
    condition     = can(regex("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", var.namespace))
    error_message = "It has to be a Kubernetes name: at most 63 lower-case letters, digits and \"-\"."
  }
}

variable "storage" {
  description = "Where data lives: a StorageClass that is there, or with a provisioner one that the module makes."
  type = object({
    class       = string
    provisioner = optional(string)
    parameters  = optional(map(string))
  })
  validation {
    condition     = var.storage.provisioner != null || var.storage.parameters == null
    error_message = "Parameters belong to a provisioner; a class that is there already has its own."
  }
}

variable "zookeeper" {
  description = "The ensemble."
  type = object({
    members  = optional(number, 3)
    image    = optional(string)
    heap     = optional(string, "512m")
    volume   = optional(string, "10Gi")
    requests = optional(map(string), { cpu = "100m", memory = "768Mi" })
    limits   = optional(map(string))
  })
  default = {}
  validation {
    condition     = var.zookeeper.members % 2 == 1
    error_message = "An even number of members bears no more losses than the odd one below it."
  }
}

variable "kafka" {
  description = "The brokers."
  type = object({
    brokers  = optional(number, 3)
    image    = optional(string)
    heap     = optional(string, "1G")
    volume   = optional(string, "40Gi")
    requests = optional(map(string), { cpu = "500m", memory = "2Gi" })
    limits   = optional(map(string))
    config   = optional(map(string), {})
  })
  default = {}
  validation {
    condition     = var.kafka.brokers >= 3
    error_message = "At least 3 brokers: with fewer, a record that is acknowledged may be lost with one of them, or one that is away stops all writes."
  }
}

variable "topics" {
  description = "Topics by their names."
  type = map(object({
    partitions         = optional(number, 3)
    replication_factor = optional(number, 3)
    config             = optional(map(string), {})
  }))
  default = {}
  validation {
    condition     = alltrue([for topic in var.topics : topic.replication_factor <= var.kafka.brokers])
    error_message = "A topic has at most as many replicas as there are brokers."
  }
  validation {
    condition     = alltrue([for topic in var.topics : topic.replication_factor >= 3])
    error_message = "A topic of this stack has at least 3 replicas: with fewer it does not outlive the loss of a broker without a pause."
  }
}

variable "drill" {
  description = "The high availability drill. It runs when the stack is made, and again when images or settings of the brokers change. Null: none."
  type = object({
    steps              = optional(list(string), ["kill_broker", "kill_leader_of_topic", "kill_zookeeper_leader"])
    how                = optional(string, "kill")
    watch              = optional(string, "10s")
    records_per_second = optional(number, 500)
    max_unavailable    = optional(string, "30s")
    max_recovery       = optional(string, "5m")
    report_path        = optional(string)
  })
  default = null
  validation {
    condition     = var.drill == null ? true : length(var.drill.steps) > 0
    error_message = "A drill without a step proves nothing."
  }
}

variable "deletion_protection" {
  description = "Whether ensemble, brokers and topics refuse to be destroyed."
  type        = bool
  default     = true
}

variable "min_disk_free_percent" {
  description = "The check `healthy` warns when less than this part of a broker's volume is left, in percent."
  type        = number
  default     = 10

  validation {
    condition     = var.min_disk_free_percent >= 0 && var.min_disk_free_percent <= 100
    error_message = "min_disk_free_percent is a percentage: from 0 to 100."
  }
}

variable "namespace" {
  description = "Kubernetes namespace; made if it is not there."
  type        = string
  default     = "sscp-test"
}

variable "storage_class" {
  description = "StorageClass of every claim."
  type        = string
  default     = "managed-nfs-storage"
}

variable "image" {
  description = "Image of the brokers."
  type        = string
  default     = "confluentinc/cp-kafka:5.2.2"
}

variable "heap" {
  description = "Heap of each broker's JVM."
  type        = string
  default     = "2G"
}

variable "zookeeper_image" {
  description = "Image of the ensemble's members."
  type        = string
  default     = "zookeeper:3.9.5"
}

variable "zookeeper_heap" {
  description = "Heap of each member's JVM."
  type        = string
  default     = "512M"
}

variable "deletion_protection" {
  description = "Whether ensemble and brokers refuse to be destroyed."
  type        = bool
  default     = true
}

terraform {
  # validations that name other variables
  required_version = ">= 1.9"
  required_providers {
    kafkastack = { source = "kafkastack/kafkastack" }
  }
}

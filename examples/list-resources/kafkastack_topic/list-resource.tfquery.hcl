# Terraform 1.14 or later, in a file whose name ends in .tfquery.hcl:
#   terraform query -generate-config-out=topics.tf
list "kafkastack_topic" "orders" {
  provider         = kafkastack
  include_resource = true
  limit            = 1000

  config {
    cluster = "prod/kafka"
    prefix  = "orders."
  }
}

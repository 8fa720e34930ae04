import {
  to = kafkastack_storage.fast
  identity = {
    name = "fast"
  }
}

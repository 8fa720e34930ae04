tofu import kafkastack_storage.fast fast

# by the name of the StorageClass; it has to be one that this provider made
tofu import kafkastack_storage.fast fast

terraform {
  required_providers {
    kafkastack = { source = "kafkastack/kafkastack" }
  }
}

# Without settings: the cluster that KUBECONFIG, or ~/.kube/config, names; in a pod, the one that the pod runs in.
provider "kafkastack" {
  kubernetes = {
    config_path    = "~/.kube/config"
    config_context = "production"
  }
}

//! What tests share: a Kubernetes API server in this process, and faults.

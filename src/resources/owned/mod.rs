//! What every resource has in common that owns objects of a Kubernetes cluster.

pub mod board;

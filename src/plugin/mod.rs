//! Terraform's plugin protocol 6, as OpenTofu and Terraform speak it. It knows neither Kubernetes nor Kafka.
//!
//! A resource author sees [`model!`](crate::model) (schema and struct in one), [`resource::Resource`] and
//! [`diagnostic::Diagnostics`]; the rest of this folder carries them to core and back.

pub mod diagnostic;
pub mod model;
pub mod path;
pub mod resource;
pub mod schema;
pub mod value;

//! Terraform's plugin protocol 6, as OpenTofu and Terraform speak it. It knows neither Kubernetes nor Kafka.
//!
//! An author sees [`model!`](crate::model) (schema and struct in one), [`resource::Resource`], [`data_source::DataSource`],
//! [`ephemeral::Ephemeral`], [`action::Action`], [`function::Function`], [`list::List`], [`timeouts::Timeouts`] and
//! [`diagnostic::Diagnostics`]; the rest of this folder carries them to core and back.
//! In reading order: [`serve()`] starts the process, [`server`] answers each call, [`planner`] decides what a plan is,
//! [`wire`] turns bytes into values.

pub mod action;
pub mod data_source;
pub mod diagnostic;
pub mod ephemeral;
pub mod function;
pub mod go_plugin;
pub mod handshake;
pub mod identity;
pub mod list;
pub mod logging;
pub mod model;
pub mod operation;
pub mod oracle;
pub mod path;
pub mod planner;
pub mod proto;
pub mod resource;
pub mod schema;
pub mod serve;
pub mod server;
pub mod stored;
pub mod timeouts;
pub mod tls;
pub mod value;
pub mod wire;

pub use serve::serve;

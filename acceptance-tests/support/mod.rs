//! What the tests stand on. Starts processes and reads files; decides nothing about Kafka or Kubernetes.
#![allow(dead_code, reason = "tools for tests: not each is in use at any time")]

pub mod audit;
pub mod browser;
pub mod cluster;
pub mod container;
pub mod forward;
pub mod gate;
pub mod load;
pub mod plan;
pub mod running;
pub mod site;
pub mod stack;
pub mod terraform;

/// Makes one test per tool of a scenario: `with_both_tools! { fn a_sentence(tool: Tool) { ... } }`.
macro_rules! with_both_tools {
    ($($(#[$meta:meta])* fn $name:ident($tool:ident: Tool) $body:block)+) => {$(
        $(#[$meta])*
        mod $name {
            use super::*;
            fn scenario($tool: Tool) $body
            #[test]
            fn opentofu() { scenario(Tool::OpenTofu) }
            #[test]
            fn terraform() { scenario(Tool::Terraform) }
        }
    )+};
}
pub(crate) use with_both_tools;

/// The same for a scenario of minutes: `make test` runs it with OpenTofu, and only `make long` with Terraform too. What has
/// `::long::` in its path is long.
macro_rules! with_both_tools_at_length {
    ($($(#[$meta:meta])* fn $name:ident($tool:ident: Tool) $body:block)+) => {$(
        $(#[$meta])*
        mod $name {
            use super::*;
            fn scenario($tool: Tool) $body
            #[test]
            fn opentofu() { scenario(Tool::OpenTofu) }
            mod long {
                #[test]
                fn terraform() { super::scenario(super::Tool::Terraform) }
            }
        }
    )+};
}
pub(crate) use with_both_tools_at_length;

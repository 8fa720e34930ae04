//! The protocol's messages and services, generated from `proto/` by `build.rs`.

#![allow(missing_docs, rust_2018_idioms, clippy::all, clippy::too_many_lines, clippy::indexing_slicing, clippy::unwrap_used)]

#[cfg(test)]
mod table;

/// What core calls.
pub mod tfplugin6 {
    tonic::include_proto!("tfplugin6");
}

/// What go-plugin calls: the end of the process and its streams.
pub mod go_plugin {
    tonic::include_proto!("plugin");
}

//! The provider's process: it serves plugin protocol 6 to the OpenTofu or Terraform that started it.

use kafkastack::{docs, plugin, provider};
use std::path::Path;
use std::process::ExitCode;

/// Namespace and type, as registries have them.
const ADDRESS: &str = "kafkastack/kafkastack";

fn main() -> ExitCode {
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        eprintln!("Two cryptography providers in one process.");
        return ExitCode::FAILURE;
    }
    match std::env::args().nth(1).as_deref() {
        None => plugin::serve(provider::Kafkastack, ADDRESS, false),
        Some("--debug") => plugin::serve(provider::Kafkastack, ADDRESS, true),
        Some("--version" | "-V") => {
            println!("terraform-provider-kafkastack {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        Some("docs") => write_docs(std::env::args().nth(2).as_deref().unwrap_or("docs")),
        Some(other) => {
            eprintln!("unknown argument {other:?}; there are `--debug`, `--version` and `docs FOLDER`");
            ExitCode::from(2)
        }
    }
}

/// Writes the reference pages.
fn write_docs(folder: &str) -> ExitCode {
    match docs::write(&provider::Kafkastack, Path::new(folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the reference pages could not be written to {folder:?}: {error}");
            ExitCode::FAILURE
        }
    }
}

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
        Some("docs") => match docs::write(Path::new(&std::env::args().nth(2).unwrap_or_else(|| "docs".to_owned()))) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("the reference pages were not written: {error}");
                ExitCode::FAILURE
            }
        },
        Some(other) => {
            eprintln!("unknown argument {other:?}; there are `--debug`, `--version` and `docs FOLDER`");
            ExitCode::from(2)
        }
    }
}

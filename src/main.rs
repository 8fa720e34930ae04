//! The provider's process: it serves plugin protocol 6 to the OpenTofu or Terraform that started it.

use kafkastack::drill::report::Report;
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
        Some("report") => draw_report(std::env::args().nth(2).as_deref().unwrap_or("-")),
        Some("docs") => write_docs(std::env::args().nth(2).as_deref().unwrap_or("docs")),
        Some(other) => {
            eprintln!("unknown argument {other:?}; there are `--debug`, `--version`, `report FILE` and `docs FOLDER`");
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

/// Prints the page of a drill whose `report_json` is in a file, or comes from standard input (`-`).
fn draw_report(file: &str) -> ExitCode {
    let document = if file == "-" { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(file) };
    let report = document.map_err(|error| error.to_string()).and_then(|document| Report::parse(&document));
    match report {
        Ok(report) => {
            println!("{}", report.html().trim_end());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{file:?} is not the `report_json` of a drill: {error}");
            ExitCode::FAILURE
        }
    }
}

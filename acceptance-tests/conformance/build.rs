//! Builds the conformance provider, once.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The executable.
pub fn provider() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let build = ["build", "--quiet", "--example", "conformance", "--message-format=json"];
        let built = Command::new(env!("CARGO")).args(build).stderr(Stdio::inherit()).output().unwrap();
        assert!(built.status.success());
        let artifacts = String::from_utf8(built.stdout).unwrap();
        artifacts
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .find_map(|artifact| artifact["executable"].as_str().map(PathBuf::from))
            .unwrap()
    })
}

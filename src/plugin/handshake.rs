//! How core and plugin find each other: variables in, one line on standard output. Pure.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::path::Path;

/// What core sets, so that a plugin run by hand can say so.
pub const COOKIE_KEY: &str = "TF_PLUGIN_MAGIC_COOKIE";
/// Its value.
pub const COOKIE_VALUE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";
/// The protocol's major version that is served.
pub const PROTOCOL: u32 = 6;

/// What to do when started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// Core started it; with mutual TLS if core sent its certificate (PEM).
    Plugin {
        /// Core's certificate.
        client_certificate: Option<String>,
    },
    /// Somebody started it by hand.
    ByHand,
}

/// Reads the variables that core sets.
pub fn start(variable: impl Fn(&str) -> Option<String>) -> Start {
    match variable(COOKIE_KEY).as_deref() {
        Some(COOKIE_VALUE) => Start::Plugin { client_certificate: variable("PLUGIN_CLIENT_CERT").filter(|pem| !pem.is_empty()) },
        _ => Start::ByHand,
    }
}

/// Whether core speaks [`PROTOCOL`], by its list of versions; without a list it is taken to. Where it does not, the line
/// still names ours, and core explains the mismatch better than a plugin could.
pub fn speaks(versions: Option<&str>) -> bool {
    versions.is_none_or(|list| list.split(',').any(|version| version.trim().parse() == Ok(PROTOCOL)))
}

/// The line that core waits for; `certificate` is DER.
pub fn line(socket: &Path, certificate: Option<&[u8]>) -> String {
    let certificate = certificate.map(|der| STANDARD_NO_PAD.encode(der)).unwrap_or_default();
    format!("1|{PROTOCOL}|unix|{}|grpc|{certificate}", socket.display())
}

/// The variable that attaches core to a plugin that runs already; `address` is namespace and type, and each core looks
/// for it under the registry that it prefers.
pub fn reattach(address: &str, socket: &Path, pid: u32) -> String {
    let plugin = serde_json::json!({
        "Protocol": "grpc",
        "ProtocolVersion": PROTOCOL,
        "Pid": pid,
        "Test": true,
        "Addr": { "Network": "unix", "String": socket.display().to_string() },
    });
    let providers: serde_json::Map<_, _> = ["registry.opentofu.org", "registry.terraform.io"]
        .map(|registry| (format!("{registry}/{address}"), plugin.clone()))
        .into_iter()
        .collect();
    format!("TF_REATTACH_PROVIDERS='{}'", serde_json::Value::Object(providers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_core_knows_the_cookie() {
        let core = |key: &str| match key {
            COOKIE_KEY => Some(COOKIE_VALUE.to_owned()),
            "PLUGIN_CLIENT_CERT" => Some("pem".to_owned()),
            _ => None,
        };
        assert_eq!(start(core), Start::Plugin { client_certificate: Some("pem".to_owned()) });
        assert_eq!(start(|_| None), Start::ByHand);
        assert_eq!(start(|_| Some("wrong".to_owned())), Start::ByHand);
    }

    #[test]
    fn the_line_has_six_fields_and_an_unpadded_certificate() {
        assert_eq!(line(Path::new("/t/s"), Some(&[1])), "1|6|unix|/t/s|grpc|AQ");
        assert_eq!(line(Path::new("/t/s"), None), "1|6|unix|/t/s|grpc|");
    }

    #[test]
    fn version_six_is_found_in_any_order() {
        assert!(speaks(Some("5,6")) && speaks(Some("6,5")) && speaks(None));
        assert!(!speaks(Some("5")) && !speaks(Some("")));
    }
}

//! The provider's process as core starts it: handshake, mutual TLS, end. Local sockets only; no core is needed.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use kafkastack::plugin::handshake::{COOKIE_KEY, COOKIE_VALUE};
use kafkastack::plugin::proto::go_plugin::Empty;
use kafkastack::plugin::proto::tfplugin6::{DynamicValue, get_metadata, get_provider_schema, validate_provider_config};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tonic::transport::{Channel, Endpoint};

#[path = "build.rs"]
mod build;

/// Core's own: a self-signed P-521 authority.
struct Core {
    certificate: rcgen::Certificate,
    key: rcgen::KeyPair,
}

impl Core {
    fn new() -> Self {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512).unwrap();
        let mut parameters = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        Self { certificate: parameters.self_signed(&key).unwrap(), key }
    }
}

/// A started provider. Dropped, it is killed.
struct Plugin {
    child: Child,
    line: Vec<String>,
    home: tempfile::TempDir,
    started: Instant,
}

impl Plugin {
    fn start(core: &Core) -> Self {
        let mut command = Command::new(build::provider());
        command.env(COOKIE_KEY, COOKIE_VALUE).env("PLUGIN_CLIENT_CERT", core.certificate.pem());
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> Self {
        let home = tempfile::tempdir().unwrap();
        let started = Instant::now();
        let mut child = command.env("TMPDIR", home.path()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, line: line.trim_end().split('|').map(str::to_owned).collect(), home, started }
    }

    fn socket(&self) -> PathBuf {
        PathBuf::from(&self.line[3])
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap().success());
    }

    fn ended(&mut self) -> Option<i32> {
        let patience = Instant::now() + Duration::from_secs(10);
        while Instant::now() < patience {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the provider does not end");
    }

    fn left_nothing(&self) {
        assert_eq!(std::fs::read_dir(self.home.path()).unwrap().count(), 0);
    }

    /// A connection that shows `core`'s certificate, or none.
    async fn connect(&self, core: Option<&Core>) -> Result<Channel, tonic::transport::Error> {
        static CRYPTO: OnceLock<()> = OnceLock::new();
        CRYPTO.get_or_init(|| rustls::crypto::aws_lc_rs::default_provider().install_default().unwrap());
        use base64::Engine;
        let der = base64::engine::general_purpose::STANDARD_NO_PAD.decode(&self.line[5]).unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from(der)).unwrap();
        let config = rustls::ClientConfig::builder().with_root_certificates(roots);
        let mut config = match core {
            Some(core) => {
                let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(core.key.serialize_der()));
                config.with_client_auth_cert(vec![core.certificate.der().clone()], key).unwrap()
            }
            None => config.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        let (connector, socket) = (tokio_rustls::TlsConnector::from(Arc::new(config)), self.socket());
        let connect = tower::service_fn(move |_| {
            let (connector, socket) = (connector.clone(), socket.clone());
            async move {
                let stream = tokio::net::UnixStream::connect(socket).await?;
                let stream = connector.connect(ServerName::try_from("localhost").unwrap(), stream).await?;
                Ok::<_, std::io::Error>(hyper_util::rt::TokioIo::new(stream))
            }
        });
        Endpoint::from_static("http://localhost").connect_with_connector(connect).await
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn call<Q, A>(channel: Channel, path: &'static str, request: Q) -> Result<A, tonic::Status>
where
    Q: prost::Message + 'static,
    A: prost::Message + Default + 'static,
{
    let mut client = tonic::client::Grpc::new(channel).max_decoding_message_size(64 << 20);
    client.ready().await.map_err(|error| tonic::Status::unavailable(error.to_string()))?;
    let codec = tonic_prost::ProstCodec::default();
    let answer = client.unary(tonic::Request::new(request), http::uri::PathAndQuery::from_static(path), codec).await?;
    Ok(answer.into_inner())
}

async fn schema(channel: Channel) -> Result<get_provider_schema::Response, tonic::Status> {
    call(channel, "/tfplugin6.Provider/GetProviderSchema", get_provider_schema::Request {}).await
}

#[test]
fn started_by_hand_it_explains_itself() {
    let ran = Command::new(build::provider()).env_remove(COOKIE_KEY).output().unwrap();
    assert_eq!(ran.status.code(), Some(1));
    assert!(ran.stdout.is_empty());
    assert!(String::from_utf8(ran.stderr).unwrap().contains("OpenTofu and Terraform"));
}

#[tokio::test]
async fn core_and_nobody_else_is_answered() {
    let core = Core::new();
    let plugin = Plugin::start(&core);
    assert_eq!(plugin.line[..3], ["1", "6", "unix"]);
    let home = std::fs::metadata(plugin.socket().parent().unwrap()).unwrap();
    assert_eq!(home.permissions().mode() & 0o777, 0o700);
    let channel = plugin.connect(Some(&core)).await.unwrap();
    let answered = schema(channel.clone()).await.unwrap();
    eprintln!("start to first schema: {:?}, {}", plugin.started.elapsed(), memory(plugin.child.id()));
    assert!(answered.resource_schemas.contains_key("conformance_object"));
    assert!(answered.server_capabilities.unwrap().plan_destroy);
    let functions: Result<get_metadata::Response, _> =
        call(channel, "/tfplugin6.Provider/CallFunction", get_metadata::Request {}).await;
    assert_eq!(functions.unwrap_err().code(), tonic::Code::Unimplemented);
    for stranger in [None, Some(&Core::new())] {
        // A TLS 1.3 client learns of the refusal with the first answer.
        let answered = match plugin.connect(stranger).await {
            Ok(channel) => schema(channel).await.is_ok(),
            Err(_) => false,
        };
        assert!(!answered);
    }
    // The refused ones disturb nobody, and gRPC's default limit of 4 MiB is none here.
    let large = DynamicValue { msgpack: vec![0xc1; 20 << 20], json: Vec::new() };
    let request = validate_provider_config::Request { config: Some(large) };
    let channel = plugin.connect(Some(&core)).await.unwrap();
    let validated: Result<validate_provider_config::Response, _> =
        call(channel, "/tfplugin6.Provider/ValidateProviderConfig", request).await;
    assert_eq!(validated.unwrap().diagnostics.len(), 1);
    assert!(schema(plugin.connect(Some(&core)).await.unwrap()).await.is_ok());
}

fn memory(pid: u32) -> String {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    status.lines().find(|line| line.starts_with("VmRSS")).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn asked_to_shut_down_it_ends_at_once() {
    let core = Core::new();
    let mut plugin = Plugin::start(&core);
    let channel = plugin.connect(Some(&core)).await.unwrap();
    // As core does: a stream is open all the while.
    let mut stdio = tonic::client::Grpc::new(channel.clone());
    stdio.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<Empty, Empty>::default();
    let path = http::uri::PathAndQuery::from_static("/plugin.GRPCStdio/StreamStdio");
    let mut stream = stdio.server_streaming(tonic::Request::new(Empty {}), path, codec).await.unwrap().into_inner();
    let asked = Instant::now();
    let _: Empty = call(channel, "/plugin.GRPCController/Shutdown", Empty {}).await.unwrap();
    assert!(stream.message().await.unwrap().is_none());
    assert_eq!(plugin.ended(), Some(0));
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    plugin.left_nothing();
}

#[test]
fn told_to_terminate_it_removes_its_socket_and_an_interrupt_is_cores_to_judge() {
    let mut plugin = Plugin::start(&Core::new());
    plugin.signal("-INT");
    plugin.signal("-TERM");
    // An interrupt would have ended it without a code.
    assert_eq!(plugin.ended(), Some(0));
    plugin.left_nothing();
}

#[test]
fn without_its_parent_it_ends() {
    let mut command = Command::new("sh");
    command.args(["-c", "\"$0\" & wait"]).arg(build::provider()).env(COOKIE_KEY, COOKIE_VALUE);
    let mut plugin = Plugin::spawn(command);
    assert!(plugin.socket().exists());
    plugin.child.kill().unwrap();
    let patience = Instant::now() + Duration::from_secs(10);
    while plugin.socket().exists() {
        assert!(Instant::now() < patience, "the socket stays");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn in_debug_mode_it_says_how_core_finds_it() {
    let mut command = Command::new(build::provider());
    command.arg("--debug").env_remove(COOKIE_KEY);
    let mut plugin = Plugin::spawn(command);
    let variable = plugin.line.join("|");
    let json = variable.strip_prefix("TF_REATTACH_PROVIDERS='").and_then(|rest| rest.strip_suffix('\'')).unwrap();
    let providers: serde_json::Value = serde_json::from_str(json).unwrap();
    let socket = providers["registry.opentofu.org/test/conformance"]["Addr"]["String"].as_str().unwrap();
    assert!(Path::new(socket).exists());
    plugin.signal("-INT");
    assert_eq!(plugin.ended(), Some(0));
    plugin.left_nothing();
}

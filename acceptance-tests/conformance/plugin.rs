//! A started provider, and connections to it as core makes them.

use super::build;
use kafkastack::plugin::handshake::{COOKIE_KEY, COOKIE_VALUE};
use kafkastack::plugin::proto::tfplugin6::get_provider_schema;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::net::UnixStream;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint};

/// Core's own: a self-signed P-521 authority.
pub struct Core {
    certificate: rcgen::Certificate,
    key: rcgen::KeyPair,
}

impl Core {
    pub fn new() -> Self {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512).unwrap();
        let mut parameters = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        Self { certificate: parameters.self_signed(&key).unwrap(), key }
    }

    /// What core runs.
    pub fn command(&self) -> Command {
        let mut command = Command::new(build::provider());
        self.environment(&mut command);
        command
    }

    pub fn environment(&self, command: &mut Command) {
        command.env(COOKIE_KEY, COOKIE_VALUE).env("PLUGIN_CLIENT_CERT", self.certificate.pem());
    }
}

/// A started provider. Dropped, it is killed.
pub struct Plugin {
    pub child: Child,
    pub line: Vec<String>,
    pub home: tempfile::TempDir,
}

impl Plugin {
    pub fn start(core: &Core) -> Self {
        Self::spawn(core.command())
    }

    pub fn spawn(mut command: Command) -> Self {
        let home = tempfile::tempdir().unwrap();
        let log = std::fs::File::create(home.path().with_extension("log")).unwrap();
        let mut child = command.env("TMPDIR", home.path()).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, line: line.trim_end().split('|').map(str::to_owned).collect(), home }
    }

    pub fn socket(&self) -> PathBuf {
        PathBuf::from(&self.line[3])
    }

    /// What it wrote to standard error.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.home.path().with_extension("log")).unwrap()
    }

    pub fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap().success());
    }

    pub fn ended(&mut self) -> Option<i32> {
        let patience = Instant::now() + Duration::from_secs(10);
        while Instant::now() < patience {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the provider does not end");
    }

    pub fn left_nothing(&self) {
        assert_eq!(std::fs::read_dir(self.home.path()).unwrap().count(), 0);
    }

    /// A figure of its memory in MiB: `VmRSS` now, `VmHWM` at most.
    pub fn memory(&self, figure: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(figure)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() >> 10
    }

    fn tls(&self, core: Option<&Core>) -> rustls::ClientConfig {
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
        config
    }

    /// An encrypted connection that shows `core`'s certificate, or none.
    pub async fn stream(&self, core: Option<&Core>) -> std::io::Result<TlsStream<UnixStream>> {
        let connector = tokio_rustls::TlsConnector::from(Arc::new(self.tls(core)));
        connector.connect(ServerName::try_from("localhost").unwrap(), UnixStream::connect(self.socket()).await?).await
    }

    /// The same, for calls.
    pub async fn connect(&self, core: Option<&Core>) -> Result<Channel, tonic::transport::Error> {
        let connector = tokio_rustls::TlsConnector::from(Arc::new(self.tls(core)));
        let socket = self.socket();
        let connect = tower::service_fn(move |_| {
            let (connector, socket) = (connector.clone(), socket.clone());
            async move {
                let stream = UnixStream::connect(socket).await?;
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
        let _ = std::fs::remove_file(self.home.path().with_extension("log"));
    }
}

pub async fn call<Q, A>(channel: Channel, path: &'static str, request: Q) -> Result<A, tonic::Status>
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

pub async fn schema(channel: Channel) -> Result<get_provider_schema::Response, tonic::Status> {
    call(channel, "/tfplugin6.Provider/GetProviderSchema", get_provider_schema::Request {}).await
}

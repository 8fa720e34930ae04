//! Bad conversations with the provider's process, over its own socket. Each is answered as the table in `docs/protocol.md`
//! says, and core is served afterwards as if nothing had been.

use super::plugin::{Core, Plugin, call, schema};
use futures::StreamExt;
use http_body_util::{BodyExt, StreamBody};
use kafkastack::plugin::handshake::{COOKIE_KEY, COOKIE_VALUE};
use kafkastack::plugin::proto::tfplugin6::{
    Diagnostic, DynamicValue, apply_resource_change as apply, configure_provider as configure, plan_resource_change as plan,
    read_resource as read, stop_provider as stop, validate_resource_config as validate,
};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tonic::body::Body;
use tonic::transport::Channel;
use tower::{Service, ServiceExt};

const DOCUMENT: &str = include_str!("../../docs/protocol.md");
const SCHEMA: &str = "/tfplugin6.Provider/GetProviderSchema";

/// The document's table: conversation and answer.
fn documented() -> BTreeMap<&'static str, &'static str> {
    let (_, rest) = DOCUMENT.split_once("| conversation | answer |").unwrap();
    let rows = rest.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>()).map(|cells| (cells[1], cells[2])).collect()
}

/// A provider, and a good conversation with it.
struct World {
    core: Core,
    plugin: Plugin,
    objects: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let core = Core::new();
        Self { plugin: Plugin::start(&core), core, objects: tempfile::tempdir().unwrap() }
    }

    async fn channel(&self) -> Channel {
        self.plugin.connect(Some(&self.core)).await.unwrap()
    }

    async fn is_served(&self) -> bool {
        let good = async { schema(self.plugin.connect(Some(&self.core)).await.ok()?).await.ok() };
        tokio::time::timeout(Duration::from_secs(10), good).await.ok().flatten().is_some()
    }

    async fn configured(&self) -> Channel {
        let channel = self.channel().await;
        let config = Some(json(&format!("{{\"directory\":{:?}}}", self.objects.path())));
        let request = configure::Request { config, ..Default::default() };
        let _: configure::Response = call(channel.clone(), "/tfplugin6.Provider/ConfigureProvider", request).await.unwrap();
        channel
    }

    /// Bytes on an encrypted connection; how it ends.
    async fn says(&self, bytes: &[u8], leave: bool) -> String {
        let mut stream = self.plugin.stream(Some(&self.core)).await.unwrap();
        let _ = stream.write_all(bytes).await;
        if leave {
            let _ = stream.shutdown().await;
        }
        closed(stream).await
    }
}

fn json(text: &str) -> DynamicValue {
    DynamicValue { json: text.as_bytes().to_vec(), msgpack: Vec::new() }
}

/// Whether the other side ends the connection, and within what time.
async fn closed(mut stream: impl AsyncReadExt + Unpin) -> String {
    let begin = Instant::now();
    let end = async { while matches!(stream.read(&mut [0; 4096]).await, Ok(1..)) {} };
    match tokio::time::timeout(Duration::from_secs(20), end).await {
        Ok(()) if begin.elapsed() < Duration::from_secs(5) => "closed at once".to_owned(),
        Ok(()) => "closed after 10 s".to_owned(),
        Err(_) => "kept open".to_owned(),
    }
}

/// `OUT_OF_RANGE`, as gRPC writes it.
fn name(code: tonic::Code) -> String {
    let name = format!("{code:?}");
    let word = |(i, c): (usize, char)| (i > 0 && c.is_uppercase()).then_some('_').into_iter().chain([c.to_ascii_uppercase()]);
    name.chars().enumerate().flat_map(word).collect()
}

/// A call whose body is made by hand: the status that it is answered with.
async fn raw(mut channel: Channel, path: &str, content: &str, body: Body) -> String {
    let request = http::Request::post(format!("http://localhost{path}")).header("content-type", content).header("te", "trailers");
    let answer = async {
        let response = channel.ready().await.unwrap().call(request.body(body).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        let trailers = body.collect().await.ok().and_then(|body| body.trailers().cloned()).unwrap_or_default();
        match tonic::Status::from_header_map(&head.headers).or_else(|| tonic::Status::from_header_map(&trailers)) {
            Some(status) => name(status.code()),
            None => format!("HTTP {}", head.status.as_u16()),
        }
    };
    tokio::time::timeout(Duration::from_secs(60), answer).await.unwrap_or_else(|_| "no answer".to_owned())
}

async fn bytes(channel: Channel, path: &str, bytes: &'static [u8]) -> String {
    raw(channel, path, "application/grpc", Body::new(http_body_util::Full::from(bytes))).await
}

/// The summary of the first message, or that there was none.
fn said(diagnostics: &[Diagnostic]) -> String {
    diagnostics.first().map_or_else(|| "a good answer".to_owned(), |diagnostic| format!("error: {}", diagnostic.summary))
}

async fn validated(channel: Channel, type_name: &str, config: DynamicValue) -> String {
    let request = validate::Request { type_name: type_name.to_owned(), config: Some(config), ..Default::default() };
    let answer: validate::Response = call(channel, "/tfplugin6.Provider/ValidateResourceConfig", request).await.unwrap();
    said(&answer.diagnostics)
}

async fn planned(channel: Channel, name: &str) -> plan::Response {
    let object = Some(json(&format!("{{\"name\":{name:?}}}")));
    let request = plan::Request {
        type_name: "conformance_object".to_owned(),
        config: object.clone(),
        proposed_new_state: object,
        ..Default::default()
    };
    call(channel, "/tfplugin6.Provider/PlanResourceChange", request).await.unwrap()
}

async fn applied(channel: Channel, name: &str) -> Result<apply::Response, tonic::Status> {
    let planned = planned(channel.clone(), name).await;
    let request = apply::Request {
        type_name: "conformance_object".to_owned(),
        config: Some(json(&format!("{{\"name\":{name:?}}}"))),
        planned_state: planned.planned_state,
        ..Default::default()
    };
    call(channel, "/tfplugin6.Provider/ApplyResourceChange", request).await
}

async fn stopped(channel: Channel) {
    let _: stop::Response = call(channel, "/tfplugin6.Provider/StopProvider", stop::Request {}).await.unwrap();
}

/// Until an apply of `name`, which lasts until it is stopped, has made its object.
async fn begun(world: &World, name: &str) {
    while !world.objects.path().join(format!("{name}.json")).exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_conversation_is_answered_as_documented_and_core_is_served_afterwards() {
    tokio::time::timeout(Duration::from_secs(100), conversations()).await.unwrap();
}

async fn conversations() {
    let mut documented = documented();
    let world = World::new();
    let mut otherwise = Vec::new();
    let mut holds = async |conversation: &str, answer: String| {
        eprintln!("{conversation}: {answer}");
        if documented.remove(conversation) != Some(answer.as_str()) {
            otherwise.push(format!("{conversation}: {answer}"));
        }
        assert!(world.is_served().await, "after {conversation}");
    };
    holds("no certificate", strange(&world, None).await).await;
    holds("another certificate", strange(&world, Some(&Core::new())).await).await;
    holds("garbage instead of TLS", garbage(&world).await).await;
    holds("garbage instead of HTTP/2", world.says(&[0x55; 4096], false).await).await;
    holds("HTTP/1.1", world.says(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", false).await).await;
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    holds("a frame that is cut off", world.says(&[&preface[..], b"\0\x10\0\x01\x04\0\0\0\x01\x83"].concat(), true).await).await;
    holds("a frame of 16 MiB", world.says(&[&preface[..], b"\xff\xff\xff\0\0\0\0\0\x01"].concat(), false).await).await;

    let channel = world.channel().await;
    holds("a message that is cut off", bytes(channel.clone(), SCHEMA, b"\0\0\0\x01\0abc").await).await;
    holds("a message that is no protobuf", bytes(channel.clone(), SCHEMA, b"\0\0\0\0\x02\x0a\xff").await).await;
    holds("a compressed message", bytes(channel.clone(), SCHEMA, b"\x01\0\0\0\x01a").await).await;
    holds("no message", bytes(channel.clone(), SCHEMA, b"").await).await;
    holds("a message of 300 MiB", large(channel.clone()).await).await;
    assert!(world.plugin.memory("VmHWM") < 100, "{} MiB", world.plugin.memory("VmHWM"));
    let unknown = "/tfplugin6.Provider/DoWhatIMean";
    holds("an unknown call", bytes(channel.clone(), unknown, b"\0\0\0\0\0").await).await;
    holds("a call of an unknown service", bytes(channel.clone(), "/a.B/C", b"\0\0\0\0\0").await).await;
    let text = Body::new(http_body_util::Full::from(&b"{}"[..]));
    holds("JSON instead of gRPC", raw(channel.clone(), SCHEMA, "application/json", text).await).await;

    holds("an unknown resource type", validated(channel.clone(), "conformance_none", json("{}")).await).await;
    let garbage = DynamicValue { msgpack: vec![0xdf, 0xff, 0xff, 0xff, 0xff], json: Vec::new() };
    holds("a value of another type", validated(channel.clone(), "conformance_object", garbage).await).await;
    holds("an apply before configure", said(&applied(channel.clone(), "early").await.unwrap().diagnostics)).await;
    holds("a read before configure", said(&early_read(channel.clone()).await.diagnostics)).await;
    holds("a plan that panics", said(&planned(channel.clone(), "panic").await.diagnostics)).await;
    stopped(channel.clone()).await;
    let channel = world.configured().await;
    holds("an apply after Stop", said(&applied(channel, "late").await.unwrap().diagnostics)).await;

    holds("two operations at once", two(&world).await).await;
    holds("a reader that does not read", unread(&world).await).await;
    holds("a client that leaves in the midst of an apply", leaves(&world).await).await;
    holds("nothing at all", nothing(&world).await).await;
    holds("more connections than there are files", crowd().await).await;
    holds("another user of the machine", other_user(&world)).await;
    holds("no cookie, or another one", uninvited()).await;
    holds("an offer without version 6", other_version(&world)).await;
    assert!(otherwise.is_empty(), "not as documented: {otherwise:#?}");
    assert!(documented.is_empty(), "documented and not tried: {documented:?}");
}

async fn strange(world: &World, stranger: Option<&Core>) -> String {
    // A TLS 1.3 client learns of the refusal with the first answer.
    let mut stream = match world.plugin.stream(stranger).await {
        Ok(stream) => stream,
        Err(error) => return error.to_string(),
    };
    match stream.read(&mut [0; 64]).await {
        Ok(count) => format!("{count} bytes"),
        Err(error) if error.to_string().contains("alert") => "TLS alert".to_owned(),
        Err(error) => error.to_string(),
    }
}

async fn garbage(world: &World) -> String {
    let mut stream = UnixStream::connect(world.plugin.socket()).await.unwrap();
    stream.write_all(&[0x47; 4096]).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    // A record of type 21 is an alert.
    if answer.first() == Some(&21) { "TLS alert".to_owned() } else { format!("{answer:?}") }
}

async fn large(channel: Channel) -> String {
    const MEBIBYTES: u32 = 300;
    let head = [&[0][..], &(MEBIBYTES << 20).to_be_bytes()].concat();
    let chunk = bytes::Bytes::from(vec![0; 1 << 20]);
    let rest = futures::stream::iter(std::iter::repeat_n(chunk, usize::try_from(MEBIBYTES).unwrap()));
    let frames = futures::stream::iter([head.into()]).chain(rest).map(|bytes| Ok::<_, Infallible>(http_body::Frame::data(bytes)));
    raw(channel, "/tfplugin6.Provider/ValidateProviderConfig", "application/grpc", Body::new(StreamBody::new(frames))).await
}

async fn early_read(channel: Channel) -> read::Response {
    let state = Some(json("{\"name\":\"early\"}"));
    let request = read::Request { type_name: "conformance_object".to_owned(), current_state: state, ..Default::default() };
    call(channel, "/tfplugin6.Provider/ReadResource", request).await.unwrap()
}

/// An apply that lasts, and another that does not wait for it.
async fn two(world: &World) -> String {
    let channel = world.configured().await;
    std::fs::write(world.objects.path().join("slow.slow-create"), "").unwrap();
    let slow = tokio::spawn(applied(channel.clone(), "slow"));
    begun(world, "slow").await;
    let quick = applied(channel.clone(), "quick").await.unwrap();
    assert!(quick.diagnostics.is_empty() && !slow.is_finished());
    stopped(channel).await;
    let slow = slow.await.unwrap().unwrap();
    assert!(slow.diagnostics[0].detail.contains("interrupted"), "{:?}", slow.diagnostics);
    "both answered".to_owned()
}

/// Answers of 8 MiB that nobody takes at first, more of them than a connection may hold back.
async fn unread(world: &World) -> String {
    let channel = world.configured().await;
    let state = json(&format!("{{\"name\":\"{}\"}}", "a".repeat(8 << 20)));
    let request = read::Request { type_name: "conformance_none".to_owned(), current_state: Some(state), ..Default::default() };
    let request = prost::Message::encode_to_vec(&request);
    let message = [&[0][..], &u32::try_from(request.len()).unwrap().to_be_bytes(), &request].concat();
    let mut unread = Vec::new();
    for _ in 0..4 {
        let call = http::Request::post("http://localhost/tfplugin6.Provider/ReadResource");
        let call = call.header("content-type", "application/grpc").header("te", "trailers");
        let body = Body::new(http_body_util::Full::from(message.clone()));
        let mut channel = channel.clone();
        unread.push(channel.ready().await.unwrap().call(call.body(body).unwrap()).await.unwrap());
    }
    assert!(world.is_served().await, "an answer that nobody reads holds up others");
    // All at once: they share what the connection may hold back.
    for read in futures::future::join_all(unread.into_iter().map(|answer| answer.into_body().collect())).await {
        assert!(read.unwrap().to_bytes().len() > 8 << 20);
    }
    "others are served".to_owned()
}

/// The operation goes on to its end, or is gone: others are served in either case.
async fn leaves(world: &World) -> String {
    std::fs::write(world.objects.path().join("left.slow-create"), "").unwrap();
    let leaving = tokio::spawn(applied(world.configured().await, "left"));
    begun(world, "left").await;
    leaving.abort();
    let quick = applied(world.configured().await, "after").await.unwrap();
    assert!(quick.diagnostics.is_empty());
    "others are served".to_owned()
}

async fn nothing(world: &World) -> String {
    let silent = UnixStream::connect(world.plugin.socket()).await.unwrap();
    closed(silent).await
}

/// A provider that may open few files, and twice as many connections that say nothing.
async fn crowd() -> String {
    let core = Core::new();
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 64; exec \"$0\""]).arg(super::build::provider());
    core.environment(&mut command);
    let plugin = Plugin::spawn(command);
    let mut silent = Vec::new();
    for _ in 0..128 {
        silent.push(UnixStream::connect(plugin.socket()).await.unwrap());
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    drop(silent);
    let world = World { core, plugin, objects: tempfile::tempdir().unwrap() };
    assert!(world.is_served().await);
    "served when some are closed".to_owned()
}

/// As root only: nobody else can become another user.
fn other_user(world: &World) -> String {
    let connect = "import socket, sys\ntry: socket.socket(socket.AF_UNIX).connect(sys.argv[1])\n\
                   except PermissionError: print('permission denied')\nelse: print('connected')";
    let mut command = Command::new("python3");
    command.args(["-c", connect]).arg(world.plugin.socket()).current_dir("/").uid(65534).gid(65534);
    match command.output() {
        Ok(ran) => String::from_utf8(ran.stdout).unwrap().trim().to_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            eprintln!("SKIPPED: another user of the machine: needs root");
            "permission denied".to_owned()
        }
        Err(error) => panic!("{error}"),
    }
}

fn uninvited() -> String {
    for cookie in ["", "guess"] {
        let ran = Command::new(super::build::provider()).env(COOKIE_KEY, cookie).output().unwrap();
        assert!(ran.stdout.is_empty());
        assert_eq!(ran.status.code(), Some(1));
    }
    "exit code 1".to_owned()
}

fn other_version(world: &World) -> String {
    let mut command = world.core.command();
    command.env("PLUGIN_PROTOCOL_VERSIONS", "4,5").env(COOKIE_KEY, COOKIE_VALUE);
    let plugin = Plugin::spawn(command);
    assert!(plugin.log().contains("core does not speak plugin protocol 6"), "{}", plugin.log());
    format!("a line that offers {}", plugin.line[1])
}

//! The provider's process as core starts it: handshake, mutual TLS, end. Local sockets only; no core is needed.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use kafkastack::plugin::handshake::{COOKIE_KEY, COOKIE_VALUE};
use kafkastack::plugin::proto::go_plugin::Empty;
use kafkastack::plugin::proto::tfplugin6::{DynamicValue, validate_provider_config};
use plugin::{Core, Plugin, call, schema};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

mod build;
mod conversations;
mod plugin;

#[test]
fn started_by_hand_it_explains_itself() {
    let ran = Command::new(build::provider()).env_remove(COOKIE_KEY).output().unwrap();
    assert_eq!(ran.status.code(), Some(1));
    assert!(ran.stdout.is_empty());
    assert!(String::from_utf8(ran.stderr).unwrap().contains("OpenTofu and Terraform"));
}

#[tokio::test]
async fn core_is_answered() {
    let core = Core::new();
    let plugin = Plugin::start(&core);
    assert_eq!(plugin.line[..3], ["1", "6", "unix"]);
    let home = std::fs::metadata(plugin.socket().parent().unwrap()).unwrap();
    assert_eq!(home.permissions().mode() & 0o777, 0o700);
    let channel = plugin.connect(Some(&core)).await.unwrap();
    let answered = schema(channel).await.unwrap();
    assert!(answered.resource_schemas.contains_key("conformance_object"));
    assert!(answered.server_capabilities.unwrap().plan_destroy);
    // gRPC's default limit of 4 MiB is none here.
    let large = DynamicValue { msgpack: vec![0xc1; 20 << 20], json: Vec::new() };
    let request = validate_provider_config::Request { config: Some(large) };
    let channel = plugin.connect(Some(&core)).await.unwrap();
    let validated: Result<validate_provider_config::Response, _> =
        call(channel, "/tfplugin6.Provider/ValidateProviderConfig", request).await;
    assert_eq!(validated.unwrap().diagnostics.len(), 1);
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

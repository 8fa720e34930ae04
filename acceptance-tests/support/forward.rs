//! A pod's port on an address of this machine's loopback that nobody else uses, through `kubectl port-forward`.

use super::cluster::{Cluster, program};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// An address of one test's own.
pub fn address() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(100);
    let [.., high, low] = std::process::id().to_be_bytes();
    format!("127.{}.{high}.{low}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// A port that is forwarded until this is dropped.
pub struct Forward {
    child: Child,
    /// Open, for kubectl writes a line for each connection.
    _output: BufReader<ChildStdout>,
}

impl Forward {
    /// `port` of the address leads to the same port of the pod.
    ///
    /// # Panics
    /// When it cannot be had.
    pub fn to(cluster: &Cluster, namespace: &str, pod: &str, address: &str, port: u16) -> Self {
        let mut command = Command::new(program("kubectl"));
        command.args(["-n", namespace, "port-forward", "--address", address, pod, &format!("{port}:{port}")]);
        command.env("KUBECONFIG", &cluster.kubeconfig).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("kubectl starts");
        let mut output = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let mut line = String::new();
        output.read_line(&mut line).expect("kubectl says something");
        assert!(line.contains("Forwarding from"), "kubectl port-forward: {line:?}");
        Self { child, _output: output }
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! The Kubernetes cluster that the tests use, through its real `kubectl`.

use serde_json::Value;
use std::env;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The patience of `kubectl wait` for the end of pods. One that is told to stop while it starts takes the whole grace of a broker,
/// 120 s.
pub const ENDED: &str = "--timeout=300s";

/// A cluster that is there.
#[derive(Debug)]
pub struct Cluster {
    /// What `KUBECONFIG` has to be.
    pub kubeconfig: PathBuf,
    /// The sandbox's own folder (logs, volumes, audit log); none for a cluster of the user's.
    pub sandbox: Option<PathBuf>,
}

/// Whether the user asks for the cluster that `KUBECONFIG` names, with the tools of `PATH`.
fn is_own() -> bool {
    env::var("KAFKASTACK_USE_KUBECONFIG").as_deref() == Ok("1")
}

/// Where `setup.sh` put the tools: `kubectl`, `tofu`, `terraform`.
pub fn home() -> PathBuf {
    let default = || PathBuf::from(env::var_os("HOME").expect("HOME is set")).join(".cache/kafkastack-sandbox");
    env::var_os("SANDBOX_HOME").map_or_else(default, PathBuf::from)
}

/// A tool of that folder, or the one on `PATH` where the folder has none, or the cluster is the user's own.
pub fn program(name: &str) -> PathBuf {
    let ours = home().join("bin").join(name);
    if ours.exists() && !is_own() { ours } else { PathBuf::from(name) }
}

impl Cluster {
    /// The cluster of `sandbox.sh env`, or of `KUBECONFIG` with `KAFKASTACK_USE_KUBECONFIG=1`, or the default sandbox when it is up.
    ///
    /// With none: says so aloud and counts, and the caller returns. `KAFKASTACK_CLUSTER=required` makes that a failure, as
    /// `make test` does.
    pub fn find(test: &str) -> Option<&'static Cluster> {
        static FOUND: OnceLock<Option<Cluster>> = OnceLock::new();
        let found = FOUND.get_or_init(Cluster::look).as_ref();
        if found.is_none() {
            skip(test, "no cluster: run `make sandbox`, or set KUBECONFIG and KAFKASTACK_USE_KUBECONFIG=1");
        }
        found
    }

    /// The same, where only the sandbox will do.
    pub fn find_sandbox(test: &str) -> Option<(&'static Cluster, &'static PathBuf)> {
        let cluster = Cluster::find(test)?;
        match &cluster.sandbox {
            Some(run) => Some((cluster, run)),
            None => {
                let text = format!("skipped: {test}: it tests the sandbox, and KUBECONFIG names another cluster\n");
                std::io::stderr().write_all(text.as_bytes()).unwrap();
                None
            }
        }
    }

    fn look() -> Option<Cluster> {
        let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        match (set("KUBECONFIG"), set("KAFKASTACK_SANDBOX")) {
            (Some(kubeconfig), _) if is_own() => Some(Cluster { kubeconfig, sandbox: None }),
            (Some(kubeconfig), Some(sandbox)) => Some(Cluster { kubeconfig, sandbox: Some(sandbox) }),
            _ => {
                let (kubeconfig, run) = (home().join("kubeconfig-ks"), home().join("run-ks"));
                run.join("started").exists().then_some(Cluster { kubeconfig, sandbox: Some(run) })
            }
        }
    }

    /// Runs `kubectl` and gives its output, or what it said on stderr.
    pub fn try_kubectl(&self, arguments: &[&str]) -> Result<String, String> {
        self.kubectl_with_input(arguments, "")
    }

    /// Runs `kubectl` and gives its output.
    ///
    /// # Panics
    /// When it fails.
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        self.try_kubectl(arguments).unwrap_or_else(|error| panic!("kubectl {arguments:?}: {error}"))
    }

    /// Runs `kubectl` with text on its stdin.
    pub fn kubectl_with_input(&self, arguments: &[&str], input: &str) -> Result<String, String> {
        let mut command = Command::new(program("kubectl"));
        command.args(arguments).env("KUBECONFIG", &self.kubeconfig);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("kubectl starts");
        // kubectl may end without reading its input
        let _ = child.stdin.take().expect("stdin is piped").write_all(input.as_bytes());
        let output = child.wait_with_output().expect("kubectl ends");
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    /// Applies a manifest.
    pub fn apply(&self, yaml: &str) {
        self.kubectl_with_input(&["apply", "-f", "-"], yaml).unwrap_or_else(|error| panic!("kubectl apply: {error}\n{yaml}"));
    }

    /// `kubectl get ... -o json`.
    pub fn get(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.kubectl(&[&["get", "-o", "json"], arguments].concat())).expect("kubectl prints JSON")
    }

    /// Runs a command in a pod and gives its output.
    pub fn exec(&self, namespace: &str, pod: &str, command: &[&str]) -> String {
        self.kubectl(&[&["-n", namespace, "exec", pod, "--"], command].concat())
    }
}

/// Says that a test is skipped, and why; where a cluster is required, that is a failure.
pub fn skip(test: &str, why: &str) {
    static SKIPPED: AtomicUsize = AtomicUsize::new(0);
    assert!(env::var("KAFKASTACK_CLUSTER").as_deref() != Ok("required"), "{test}: {why}");
    let text = format!("SKIPPED (number {}): {test}: {why}\n", SKIPPED.fetch_add(1, Ordering::Relaxed) + 1);
    // straight to stderr: the test runner would swallow a print of a test that passes
    std::io::stderr().write_all(text.as_bytes()).unwrap();
}

/// A Kubernetes namespace of one test's own, deleted with everything in it when the test ends, however it ends.
pub struct Namespace {
    /// Its name.
    pub name: String,
    cluster: &'static Cluster,
}

impl Namespace {
    /// Makes a namespace whose name begins with `hint`.
    pub fn new(cluster: &'static Cluster, hint: &str) -> Self {
        let namespace = Self::reserve(cluster, hint);
        cluster.kubectl(&["create", "namespace", &namespace.name]);
        namespace
    }

    /// Only a name, for what the provider makes itself; deleted all the same.
    pub fn reserve(cluster: &'static Cluster, hint: &str) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name = format!("{hint}-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        Self { name, cluster }
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let arguments = ["delete", "namespace", &self.name, "--ignore-not-found", "--wait=false"];
        if let Err(error) = self.cluster.try_kubectl(&arguments) {
            eprintln!("namespace {} is left: {error}", self.name);
        }
    }
}

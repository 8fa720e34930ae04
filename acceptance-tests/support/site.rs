//! A small stack of one test's own on the sandbox, and what a test asks of it again and again.

use super::audit::Audit;
use super::cluster::{Cluster, Namespace};
use super::stack::Stack;
use super::terraform::{Tool, Workspace};
use std::path::Path;

pub const KAFKA: &str = "apache/kafka:3.9.2";
pub const CLUSTER: &str = "kafkastack_cluster.kafka";
pub const ENSEMBLE: &str = "kafkastack_zookeeper_ensemble.zookeeper";

/// One stack in a namespace of its own, and the workspace that it is made from.
pub struct Site {
    /// Where it is.
    pub cluster: &'static Cluster,
    /// The sandbox's folder.
    pub sandbox: &'static Path,
    /// What is in it.
    pub stack: Stack,
    /// What makes it.
    pub workspace: Workspace,
    _namespace: Namespace,
}

impl Site {
    /// One of everything, not yet made.
    pub fn find(tool: Tool, test: &str, hint: &str, protected: bool) -> Option<Self> {
        Self::made_of(tool, test, hint, 1, protected)
    }

    /// That many of everything, unprotected and not yet made.
    pub fn of(tool: Tool, test: &str, hint: &str, size: u32) -> Option<Self> {
        Self::made_of(tool, test, hint, size, false)
    }

    fn made_of(tool: Tool, test: &str, hint: &str, size: u32, protected: bool) -> Option<Self> {
        let (cluster, sandbox) = Cluster::find_sandbox(test)?;
        let namespace = Namespace::new(cluster, hint);
        let stack = Stack { size, protected, ..Stack::new(&namespace.name, KAFKA) };
        let workspace = Workspace::new(tool, &stack.text()).with_cluster(cluster);
        workspace.init();
        Some(Self { cluster, sandbox, stack, workspace, _namespace: namespace })
    }

    /// `kubectl` in its namespace.
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        self.cluster.kubectl(&[&["-n", &self.stack.namespace], arguments].concat())
    }

    /// The uid of each of these objects.
    pub fn uids(&self, objects: &[&str]) -> String {
        self.kubectl(&[&["get", "-o", "jsonpath={..metadata.uid}"], objects].concat())
    }

    /// The names of all objects of a kind.
    pub fn names(&self, what: &str) -> Vec<String> {
        self.kubectl(&["get", "-o", "name", what]).lines().map(str::to_owned).collect()
    }

    /// Writes 100 records named after `tag`.
    pub fn produce(&self, tag: &str) {
        self.stack.produce(self.cluster, tag, 100);
    }

    /// Reads all of them.
    pub fn records_are_there(&self, tag: &str) {
        self.stack.records_are_there(self.cluster, tag, 100);
    }

    /// Where the members are, as text: no reference that orders anything.
    pub fn connection(&self) -> String {
        self.workspace.resource(ENSEMBLE).expect("the ensemble is in the state")["connection"].to_string()
    }

    /// The plan of this configuration is refused in these words; all of them.
    pub fn plan_is_refused(&self, text: &str, words: &str) -> String {
        self.workspace.configure(text);
        let said = self.workspace.plan_expect_error();
        assert!(said.contains(words), "{words:?} is not in {said}");
        said
    }

    /// An apply of this configuration is refused in these words, and has written nothing.
    pub fn apply_is_refused(&self, text: &str, more: &[&str], words: &str) {
        self.workspace.configure(text);
        let (pods, audit) = (self.uids(&["pods"]), Audit::now(self.sandbox));
        let apply = self.workspace.run(&[&["apply", "-input=false", "-auto-approve"], more].concat());
        let said = apply.failure("an apply that is refused");
        assert!(said.contains(words), "{words:?} is not in {said}");
        assert_eq!((self.uids(&["pods"]), audit.writes_in(&self.stack.namespace)), (pods, Vec::new()));
    }
}

/// A text with one part of it changed.
pub fn with(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from:?} is not in {text}");
    text.replacen(from, to, 1)
}

/// The blocks of a stack's configuration: that of the tool, ensemble, cluster, topic; empty where there is none.
pub fn blocks(text: &str) -> [String; 4] {
    let mut parts = text.split("resource \"");
    let terraform = parts.next().unwrap_or_default().to_owned();
    let mut resource = || parts.next().map(|block| format!("resource \"{block}")).unwrap_or_default();
    [terraform, resource(), resource(), resource()]
}

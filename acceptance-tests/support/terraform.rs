//! A folder with a configuration, and OpenTofu or Terraform at work in it. Nothing of the user's own settings is read, and
//! no registry is asked: the provider comes from a mirror that is made once from the binary that Cargo built.

use super::cluster::{Cluster, home, program};
use super::plan::Plan;
use super::running::{Finished, Running};
use serde_json::Value;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// `tofu`.
    OpenTofu,
    /// `terraform`.
    Terraform,
}

/// Whether a plan asks what is really there first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// It does, as a user's plan.
    Yes,
    /// `-refresh=false`: state against configuration alone.
    No,
}

/// A test's own folder, tool and environment.
pub struct Workspace {
    folder: TempDir,
    tool: Tool,
    environment: Vec<(String, String)>,
    commands: AtomicUsize,
}

impl Workspace {
    /// A folder with this configuration, not yet initialised.
    pub fn new(tool: Tool, configuration: &str) -> Self {
        let workspace = Self::empty(tool);
        workspace.configure(configuration);
        workspace
    }

    /// A folder with the files of another one.
    pub fn copy_of(tool: Tool, files: &Path) -> Self {
        let workspace = Self::empty(tool);
        for entry in fs::read_dir(files).unwrap_or_else(|error| panic!("{}: {error}", files.display())) {
            let path = entry.expect("a folder can be listed").path();
            if path.extension().is_some_and(|extension| extension == "tf") {
                fs::copy(&path, workspace.path().join(path.file_name().unwrap())).expect("a file can be copied");
            }
        }
        workspace
    }

    fn empty(tool: Tool) -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        fs::create_dir(folder.path().join("home")).expect("a folder can be made");
        Self { folder, tool, environment: Vec::new(), commands: AtomicUsize::new(0) }
    }

    /// With `KUBECONFIG` set to this cluster.
    pub fn with_cluster(self, cluster: &Cluster) -> Self {
        self.with("KUBECONFIG", &cluster.kubeconfig.display().to_string())
    }

    /// The same from here on, by another way.
    pub fn by_way_of(&mut self, kubeconfig: &Path) {
        self.environment.push(("KUBECONFIG".to_owned(), kubeconfig.display().to_string()));
    }

    /// With an environment variable (`TF_VAR_image`, `TF_LOG`).
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes main.tf.
    pub fn configure(&self, configuration: &str) {
        fs::write(self.path().join("main.tf"), configuration).expect("main.tf can be written");
    }

    /// The log of the tool and the provider, of every command so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.path().join("tool.log")).unwrap_or_default()).into_owned()
    }

    /// `init`.
    pub fn init(&self) -> &Self {
        self.run(&["init", "-input=false"]).success("init");
        self
    }

    /// `plan`, parsed.
    pub fn plan(&self, refresh: Refresh) -> Plan {
        self.plan_with(refresh, &[])
    }

    /// `plan` with more arguments (`-destroy`, `-replace=...`).
    pub fn plan_with(&self, refresh: Refresh, more: &[&str]) -> Plan {
        let refresh = if refresh == Refresh::Yes { "-refresh=true" } else { "-refresh=false" };
        self.run(&[&["plan", "-input=false", "-out=plan.bin", refresh], more].concat()).success("plan");
        Plan::parse(self.json(&["show", "-json", "plan.bin"]))
    }

    /// What a `plan` that is refused says.
    pub fn plan_expect_error(&self) -> String {
        unwrapped(&self.run(&["plan", "-input=false"]).failure("plan"))
    }

    /// `apply`; what it printed.
    pub fn apply(&self) -> String {
        self.run(&["apply", "-input=false", "-auto-approve"]).success("apply")
    }

    /// What an `apply` that fails says.
    pub fn apply_expect_error(&self) -> String {
        unwrapped(&self.run(&["apply", "-input=false", "-auto-approve"]).failure("apply"))
    }

    /// Starts an `apply`, to be disturbed.
    pub fn start_apply(&self) -> Running {
        self.start(&["apply", "-input=false", "-auto-approve"])
    }

    /// `destroy`.
    pub fn destroy(&self) -> String {
        self.run(&["destroy", "-input=false", "-auto-approve"]).success("destroy")
    }

    /// What a `destroy` that is refused says.
    pub fn destroy_expect_error(&self) -> String {
        unwrapped(&self.run(&["destroy", "-input=false", "-auto-approve"]).failure("destroy"))
    }

    /// `import`.
    pub fn import(&self, address: &str, id: &str) {
        self.run(&["import", "-input=false", address, id]).success("import");
    }

    /// One output's value.
    pub fn output(&self, name: &str) -> Value {
        self.json(&["output", "-json", name])
    }

    /// The state, as `show -json` prints it.
    pub fn state(&self) -> Value {
        self.json(&["show", "-json"])
    }

    /// The attributes of one resource in the root module's state; none when it is not there.
    pub fn resource(&self, address: &str) -> Option<Value> {
        let state = self.state();
        let resources = state["values"]["root_module"]["resources"].as_array()?;
        resources.iter().find(|resource| resource["address"] == address).map(|resource| resource["values"].clone())
    }

    /// Applies a configuration, then plans without and with a refresh: both plans have to be empty.
    ///
    /// # Panics
    /// When one is not: names the attributes.
    pub fn step(&self, configuration: &str) {
        self.configure(configuration);
        self.apply();
        self.assert_settled();
    }

    /// # Panics
    /// When a plan, without or with a refresh, is not empty: names the attributes.
    pub fn assert_settled(&self) {
        self.plan(Refresh::No).assert_empty("after apply, without a refresh");
        self.plan(Refresh::Yes).assert_empty("after apply, with a refresh");
    }

    /// Runs the tool to its end.
    pub fn run(&self, arguments: &[&str]) -> Finished {
        self.start(arguments).wait()
    }

    /// Starts the tool.
    pub fn start(&self, arguments: &[&str]) -> Running {
        let number = self.commands.fetch_add(1, Ordering::Relaxed);
        let colour = (arguments[0] != "show" && arguments[0] != "output").then_some("-no-color");
        let output = self.path().join(format!("{number}-{}.txt", arguments[0]));
        Running::start(self.command().args(arguments).args(colour), output)
    }

    /// Runs a script that finds the tool as `$TF`, with these settings and arguments.
    pub fn run_script(&self, script: &Path, settings: &[(&str, &str)], arguments: &[&str]) -> Finished {
        let number = self.commands.fetch_add(1, Ordering::Relaxed);
        let mut command = self.in_environment(script.as_os_str().to_owned());
        command.args(arguments).env("TF", self.program()).envs(settings.iter().copied());
        Running::start(&mut command, self.path().join(format!("{number}-script.txt"))).wait()
    }

    fn program(&self) -> OsString {
        program(if self.tool == Tool::OpenTofu { "tofu" } else { "terraform" }).into()
    }

    fn command(&self) -> Command {
        self.in_environment(self.program())
    }

    /// A command with nothing of the user's own settings.
    fn in_environment(&self, program: OsString) -> Command {
        let mut command = Command::new(program);
        let path = std::env::var("PATH").unwrap_or_default();
        command.current_dir(self.path()).env_clear();
        command.env("PATH", format!("{}:{path}", home().join("bin").display())).env("HOME", self.path().join("home"));
        command.env("TF_CLI_CONFIG_FILE", settings()).env("CHECKPOINT_DISABLE", "1");
        command.env("TF_IN_AUTOMATION", "1").env("TF_LOG_PATH", self.path().join("tool.log"));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let text = self.run(arguments).success(arguments[0]);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{arguments:?} printed no JSON: {error}\n{text}"))
    }
}

/// A message without its frame and line breaks, so that a sentence can be looked for.
pub fn unwrapped(text: &str) -> String {
    text.lines().map(|line| line.trim_start_matches(['│', '╷', '╵', ' '])).collect::<Vec<_>>().join(" ")
}

/// The settings with which a tool finds the provider that Cargo built, and asks no registry. Made once.
fn settings() -> &'static Path {
    static SETTINGS: OnceLock<PathBuf> = OnceLock::new();
    SETTINGS.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let settings = folder.join("cli.tfrc");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("acceptance-tests/support/mirror.sh");
        let mut command = Command::new(script);
        command.arg(env!("CARGO_BIN_EXE_terraform-provider-kafkastack")).arg(folder.join("mirror")).arg(&settings);
        let output = command.output().expect("mirror.sh starts");
        assert!(output.status.success(), "mirror.sh: {}", String::from_utf8_lossy(&output.stderr));
        settings
    })
}

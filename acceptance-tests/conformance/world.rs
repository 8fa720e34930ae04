//! A folder with a configuration and a state, and a core that works on it.

use super::build;
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Instant;

pub(super) fn cores() -> Vec<PathBuf> {
    match std::env::var("KAFKASTACK_CORES") {
        Ok(list) => list.split(':').map(PathBuf::from).collect(),
        Err(_) => {
            let bin = Path::new(&std::env::var("HOME").unwrap()).join(".cache/kafkastack-sandbox/bin");
            vec![bin.join("tofu"), bin.join("terraform")]
        }
    }
}

/// The directory that holds the built provider under the name that cores look for.
fn provider() -> &'static Path {
    static LINKED: OnceLock<PathBuf> = OnceLock::new();
    LINKED.get_or_init(|| {
        let bin = Path::new(env!("CARGO_TARGET_TMPDIR")).join("conformance");
        std::fs::create_dir_all(&bin).unwrap();
        let link = bin.join("terraform-provider-conformance");
        let _ = std::fs::remove_file(&link);
        std::os::unix::fs::symlink(build::provider(), link).unwrap();
        bin
    })
}

pub(super) struct World {
    core: PathBuf,
    home: tempfile::TempDir,
}

struct Ran {
    code: Option<i32>,
    text: String,
}

impl World {
    pub(super) fn new(core: &Path) -> Self {
        let world = Self { core: core.to_owned(), home: tempfile::tempdir().unwrap() };
        for directory in ["objects", "tmp"] {
            std::fs::create_dir(world.at(directory)).unwrap();
        }
        let overrides = format!(
            "provider_installation {{\n dev_overrides {{\n \"registry.terraform.io/test/conformance\" = {0:?}\n \
             \"registry.opentofu.org/test/conformance\" = {0:?}\n }}\n direct {{}}\n}}\n",
            provider()
        );
        std::fs::write(world.at("rc"), overrides).unwrap();
        world
    }

    pub(super) fn at(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// The configuration, after its fixed part.
    pub(super) fn config(&self, resources: &str) -> &Self {
        let head = "terraform {\n required_providers {\n conformance = { source = \"test/conformance\" }\n }\n}\n";
        let provider = format!("provider \"conformance\" {{ directory = {:?} }}\n", self.at("objects"));
        let provider = if resources.contains("provider \"") { String::new() } else { provider };
        std::fs::write(self.at("main.tf"), format!("{head}{provider}{resources}")).unwrap();
        self
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.core);
        command
            .args(arguments)
            .current_dir(self.home.path())
            .env("TF_CLI_CONFIG_FILE", self.at("rc"))
            .env("HOME", self.home.path())
            .env("TMPDIR", self.at("tmp"))
            .env("CHECKPOINT_DISABLE", "1")
            .env("TF_IN_AUTOMATION", "1")
            .env_remove("TF_LOG")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let output = self.command(arguments).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        Ran { code: output.status.code(), text }
    }

    pub(super) fn ok(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, Some(0), "{} {arguments:?}\n{}", self.core.display(), ran.text);
        ran.text
    }

    pub(super) fn fails(&self, arguments: &[&str], with: &str) {
        let ran = self.run(arguments);
        assert_eq!(ran.code, Some(1), "{}", ran.text);
        // Lines are wrapped to the width of a terminal.
        let words = ran.text.replace(['│', '\n'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(with), "{with:?} is not in\n{}", ran.text);
    }

    pub(super) fn apply(&self) {
        self.ok(&["apply", "-auto-approve", "-no-color"]);
    }

    /// Neither the stored nor the real object differs from the configuration.
    pub(super) fn settled(&self) {
        for refresh in ["-refresh=false", "-refresh=true"] {
            let ran = self.run(&["plan", "-detailed-exitcode", "-no-color", refresh]);
            assert_eq!(ran.code, Some(0), "{} {refresh}\n{}", self.core.display(), ran.text);
        }
    }

    /// The one planned change.
    pub(super) fn change(&self) -> Json {
        self.ok(&["plan", "-out=plan", "-no-color"]);
        let shown = self.ok(&["show", "-json", "plan"]);
        let json = shown.lines().find(|line| line.starts_with('{')).unwrap();
        serde_json::from_str::<Json>(json).unwrap()["resource_changes"][0]["change"].take()
    }

    pub(super) fn state(&self) -> Json {
        serde_json::from_slice::<Json>(&std::fs::read(self.at("terraform.tfstate")).unwrap()).unwrap()["resources"].take()
    }

    pub(super) fn object(&self, name: &str) -> PathBuf {
        self.at("objects").join(format!("{name}.json"))
    }

    pub(super) fn drift(&self, name: &str, change: impl Fn(&mut Json)) {
        let mut json: Json = serde_json::from_slice(&std::fs::read(self.object(name)).unwrap()).unwrap();
        change(&mut json);
        std::fs::write(self.object(name), json.to_string()).unwrap();
    }
}

impl Drop for World {
    /// No provider leaves its socket behind.
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let left: Vec<_> = std::fs::read_dir(self.at("tmp")).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert!(!left.iter().any(|n| n.to_string_lossy().starts_with("terraform-provider")), "{left:?}");
    }
}

pub(super) fn everywhere(test: impl Fn(&World)) {
    for core in cores() {
        let started = Instant::now();
        test(&World::new(&core));
        eprintln!("{}: {:?}", core.display(), started.elapsed());
    }
}

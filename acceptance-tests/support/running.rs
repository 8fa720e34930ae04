//! A tool that runs: its output in a file, signals to it and to the provider that it started.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A started `tofu` or `terraform`.
pub struct Running {
    child: Child,
    output: PathBuf,
}

/// One that has ended.
#[derive(Debug)]
pub struct Finished {
    /// How.
    pub status: ExitStatus,
    /// Everything that it printed, stderr and stdout in order.
    pub text: String,
}

impl Running {
    /// Starts a command with both of its outputs going to one file.
    pub fn start(command: &mut Command, output: PathBuf) -> Self {
        let file = File::create(&output).expect("the output file can be made");
        let both = file.try_clone().expect("the output file can be shared");
        let child = command.stdin(Stdio::null()).stdout(file).stderr(both).spawn();
        let child = child.unwrap_or_else(|error| panic!("{:?}: {error}: run `make sandbox` first", command.get_program()));
        Self { child, output }
    }

    /// The tool's process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it printed so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.output).unwrap_or_default()).into_owned()
    }

    /// Waits until `seen` gives something, while the tool runs.
    ///
    /// # Panics
    /// When the tool ends first, or after the limit, with what it printed.
    pub fn until<T>(&mut self, what: &str, limit: Duration, mut seen: impl FnMut(&Self) -> Option<T>) -> T {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(found) = seen(self) {
                return found;
            }
            let ended = self.child.try_wait().expect("the tool can be asked");
            assert!(ended.is_none(), "ended before {what}: {}\n{}", ended.unwrap_or_default(), self.text());
            assert!(Instant::now() < deadline, "no {what} in {limit:?}:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The providers that the tool runs at this moment: one, rarely more, none between two phases.
    pub fn providers(&self) -> Vec<u32> {
        let children =
            fs::read_dir("/proc").expect("/proc is there").filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        children.filter(|pid| is_provider_of(*pid, self.pid())).collect()
    }

    /// `kill -9` for each of them; the number that were there.
    pub fn kill_providers(&self) -> usize {
        let providers = self.providers();
        providers.iter().for_each(|pid| signal("KILL", *pid));
        providers.len()
    }

    /// What Ctrl-C does, to the tool alone.
    pub fn interrupt(&self) {
        signal("INT", self.pid());
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Finished {
        let status = self.child.wait().expect("the tool can be waited for");
        Finished { status, text: self.text() }
    }
}

impl Finished {
    /// The text of one that succeeded.
    ///
    /// # Panics
    /// When it did not, with the text.
    pub fn success(self, what: &str) -> String {
        assert!(self.status.success(), "{what} failed ({}, signal {:?}):\n{}", self.status, self.status.signal(), self.text);
        self.text
    }

    /// The text of one that failed.
    ///
    /// # Panics
    /// When it did not, with the text.
    pub fn failure(self, what: &str) -> String {
        assert!(!self.status.success(), "{what} should have failed:\n{}", self.text);
        self.text
    }
}

fn signal(name: &str, pid: u32) {
    // it may have ended just now: no error
    let _ = Command::new("kill").args([format!("-{name}"), pid.to_string()]).stderr(Stdio::null()).status();
}

fn is_provider_of(pid: u32, parent: u32) -> bool {
    // "pid (comm) state ppid ...": comm is cut to 15 bytes and may hold blanks
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let Some((head, tail)) = stat.rsplit_once(") ") else { return false };
    head.contains("(terraform-provi") && tail.split(' ').nth(1) == Some(parent.to_string().as_str())
}

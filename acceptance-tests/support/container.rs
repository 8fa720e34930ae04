//! A pod's container as its node sees it: killed, frozen and starved from outside. The sandbox's nodes are on this machine, and their
//! cgroups in its tree.

use super::cluster::Cluster;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// The first container of a pod.
pub struct Container<'a> {
    cluster: &'a Cluster,
    namespace: &'a str,
    /// The pod's name.
    pub pod: String,
}

/// The least that the kernel allows: 1 ms of each 100 ms.
const ONE_PERCENT: &str = "1000";

impl<'a> Container<'a> {
    /// The container of this pod.
    pub fn of(cluster: &'a Cluster, namespace: &'a str, pod: &str) -> Self {
        Self { cluster, namespace, pod: pod.to_owned() }
    }

    /// Those of every pod that the provider's StatefulSets made there.
    pub fn all(cluster: &'a Cluster, namespace: &'a str) -> Vec<Self> {
        let pods = cluster.kubectl(&["-n", namespace, "get", "pods", "-l", "app.kubernetes.io/managed-by", "-o", "name"]);
        pods.lines().map(|line| Self::of(cluster, namespace, line.trim_start_matches("pod/"))).collect()
    }

    fn status(&self) -> Value {
        let mut pod = self.cluster.get(&["-n", self.namespace, "pod", &self.pod]);
        pod["status"]["containerStatuses"][0].take()
    }

    /// How often it has been started again.
    pub fn restarts(&self) -> u64 {
        self.status()["restartCount"].as_u64().unwrap_or_else(|| panic!("{} has no container", self.pod))
    }

    /// Whether it has been started again; one that is not there yet has not.
    pub fn has_crashed(&self) -> bool {
        let count = "jsonpath={.status.containerStatuses[0].restartCount}";
        let found = self.cluster.try_kubectl(&["-n", self.namespace, "get", "pod", &self.pod, "-o", count]);
        found.is_ok_and(|count| count.parse::<u64>().is_ok_and(|count| count > 0))
    }

    /// Waits until it has been started anew that often, or more often, is ready, and says this since then.
    ///
    /// # Panics
    /// When it does not come back in time, with what it said.
    pub fn until_back(&self, restarts: u64, says: &str, limit: Duration) {
        let deadline = Instant::now() + limit;
        loop {
            let status = self.status();
            let back = status["restartCount"].as_u64() >= Some(restarts) && status["ready"] == true;
            if back && self.try_logs(&[]).is_ok_and(|logs| logs.contains(says)) {
                return;
            }
            let late = Instant::now() >= deadline;
            assert!(!late, "{} is not back in {limit:?}\n{status:#}\n{}", self.pod, self.last_words());
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    /// Waits until it says this.
    ///
    /// # Panics
    /// When it does not in time, with what it said.
    pub fn until_it_says(&self, words: &str, limit: Duration) {
        let deadline = Instant::now() + limit;
        while !self.try_logs(&[]).is_ok_and(|logs| logs.contains(words)) {
            assert!(Instant::now() < deadline, "{} does not say {words:?} in {limit:?}: {}", self.pod, self.last_words());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Whether it is started anew within a time. A watch.
    pub fn restarts_within(&self, seconds: u32) -> bool {
        let next = format!("--for=jsonpath={{.status.containerStatuses[0].restartCount}}={}", self.restarts() + 1);
        let timeout = format!("--timeout={seconds}s");
        match self.cluster.try_kubectl(&["-n", self.namespace, "wait", "pod", &self.pod, &next, &timeout]) {
            Ok(_) => true,
            Err(why) if why.contains("timed out") => false,
            Err(why) => panic!("watching {}: {why}", self.pod),
        }
    }

    fn try_logs(&self, more: &[&str]) -> Result<String, String> {
        self.cluster.try_kubectl(&[&["-n", self.namespace, "logs", &self.pod], more].concat())
    }

    fn last_words(&self) -> String {
        let [now, before] = [&["--tail=5"][..], &["--tail=5", "--previous"]].map(|more| self.try_logs(more));
        format!("{now:?}\nbefore: {before:?}")
    }

    /// Sends a signal to its process 1, from outside: inside, that process would not take SIGKILL.
    pub fn signal(&self, name: &str) {
        let folder = self.cgroup();
        let processes = fs::read_to_string(folder.join("cgroup.procs")).expect("a cgroup lists its processes");
        let first = |pid: &&str| {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            status.lines().any(|line| line.starts_with("NSpid:") && line.ends_with("\t1"))
        };
        let pid = processes.lines().find(first).unwrap_or_else(|| panic!("{} runs no process 1", self.pod));
        let sent = Command::new("kill").args([&format!("-{name}"), pid]).status().expect("kill starts");
        assert!(sent.success(), "kill -{name} {pid}");
    }

    /// Gives it 1 % of a CPU; what gives it back what it had.
    pub fn starve(&self) -> impl FnOnce() + use<> {
        let folder = self.cgroup();
        let (file, value) = match folder.join("cpu.max").exists() {
            true => (folder.join("cpu.max"), format!("{ONE_PERCENT} 100000")),
            false => (folder.join("cpu.cfs_quota_us"), ONE_PERCENT.to_owned()),
        };
        let had = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        fs::write(&file, value).expect("a quota can be set");
        move || fs::write(&file, had).expect("a quota can be set")
    }

    /// Its folder in the tree of the controller `cpu`, or in the one tree of cgroup v2.
    fn cgroup(&self) -> PathBuf {
        let status = self.status();
        let id = status["containerID"].as_str().and_then(|id| id.rsplit('/').next()).expect("a running container has an id");
        let root = Path::new("/sys/fs/cgroup");
        let root = if root.join("cgroup.controllers").exists() { root.to_owned() } else { root.join("cpu") };
        find(&root, id).unwrap_or_else(|| panic!("no cgroup of {} below {}", self.pod, root.display()))
    }
}

fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?.filter_map(Result::ok);
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path());
    folders.into_iter().find_map(|path| if path.ends_with(name) { Some(path) } else { find(&path, name) })
}

//! The start scripts, run as a node runs them: over folders that outlive the container, from files that may not be written,
//! and killed at any command.

use crate::kubernetes::object::{Kind, Object};
use crate::resources::{cluster, zookeeper_ensemble};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// What stands in for the service: says what it found, and leaves behind what one that is killed leaves.
const SERVICE: &str = r#"#!/bin/bash
set -eu
echo "tmp: $(cd ROOT/tmp && find . -type f | sort | tr '\n' ' ')"
echo "kept: $(cd ROOT/var/lib/kafkastack && grep -r . --exclude-dir=log | sort | tr '\n' ' ')"
cat "${@: -1}"
own=$(dirname "${@: -1}")
touch "$own/service.log" "$own/zoo.cfg.dynamic.next" ROOT/tmp/libzstd-jni-1.5.6-1$$.so ROOT/tmp/liblz4-java-1$$.so{,.lck}
"#;

/// Whom a pod runs as.
const USER: u32 = 1000;

/// A pod's folders.
struct Pod {
    root: TempDir,
}

impl Pod {
    /// With the files of these objects, all of them as a ConfigMap is mounted.
    fn of(objects: &[Object]) -> Self {
        let pod = Self { root: TempDir::new().unwrap() };
        let files = objects.iter().find(|object| object.kind() == Kind::ConfigMap).unwrap().strings("/data");
        for folder in ["tmp", "var/lib/kafkastack", "etc/kafkastack", "etc/kafkastack-pod", "bin", "opt/kafka/bin"] {
            fs::create_dir_all(pod.path(folder)).unwrap();
        }
        for (name, text) in files {
            pod.file(&format!("etc/kafkastack/{name}"), &pod.moved(text), 0o555);
        }
        pod.zone("zone-1");
        let service = SERVICE.replace("ROOT", &pod.root.path().display().to_string());
        pod.file("bin/zkServer.sh", &service, 0o555);
        pod.file("opt/kafka/bin/kafka-server-start.sh", &service, 0o555);
        for folder in ["", "tmp", "var/lib/kafkastack"] {
            pod.own(&pod.path(folder));
        }
        pod
    }

    /// As root, all of it is the pod's user's; otherwise it is already.
    fn own(&self, path: &Path) {
        if self.is_roots() {
            chown(path, Some(USER), Some(USER)).unwrap();
        }
    }

    fn is_roots(&self) -> bool {
        fs::metadata("/proc/self").unwrap().uid() == 0
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    /// A file with these rights; as root, of root's.
    fn file(&self, path: &str, text: &str, mode: u32) {
        let path = self.path(path);
        let _ = fs::remove_file(&path);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn zone(&self, zone: &str) {
        self.file("etc/kafkastack-pod/labels", &format!("topology.kubernetes.io/zone=\"{zone}\"\n"), 0o444);
    }

    /// A script whose places are this pod's.
    fn moved(&self, script: &str) -> String {
        let places = ["/tmp/", "/var/lib/kafkastack", "/etc/kafkastack", "/opt/kafka/bin"];
        // The root is in /tmp too: each place is replaced in what is left between those that were.
        let root = self.root.path().display().to_string();
        places
            .iter()
            .fold(script.to_owned(), |text, place| text.replace(place, &format!("\0{}", &place[1..])))
            .replace('\0', &format!("{root}/"))
    }

    /// Runs the start script under these lines of bash.
    fn run(&self, before: &str) -> Output {
        let script = self.path("etc/kafkastack/start.sh");
        let mut command = Command::new(if self.is_roots() { "setpriv" } else { "env" });
        if self.is_roots() {
            let ids = [format!("--reuid={USER}"), format!("--regid={USER}")];
            command.args(ids).arg("--clear-groups");
        }
        command.args(["bash", "-c", &format!("{before}\n. {}", script.display())]);
        command.env("PATH", format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap()));
        command.env("HOSTNAME", "a-2").env("ADVERTISED", "INTERNAL://a-ORDINAL:9092").env("KAFKASTACK_ZONE_WAIT", "0");
        command.output().unwrap()
    }

    /// Starts the service; what it said, with the places of a real pod.
    fn start(&self) -> String {
        let output = self.run("");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().replace(&self.root.path().display().to_string(), "")
    }

    /// A start that is killed before its command of this number; false when it had no more than that.
    fn killed_at(&self, number: usize) -> bool {
        let kill = format!("n=0; set -T; trap '[ $((n+=1)) -ne {number} ] || kill -9 $$' DEBUG");
        !self.run(&kill).status.success()
    }
}

fn member() -> Pod {
    Pod::of(&zookeeper_ensemble::objects::objects(&zookeeper_ensemble::schema::Ensemble::default()))
}

fn broker() -> Pod {
    Pod::of(&cluster::objects::objects(&cluster::schema::Cluster::default()))
}

#[test]
fn a_container_that_restarts_in_its_pod_starts_as_the_first_time() {
    for pod in [member(), broker()] {
        let first = pod.start();
        assert!(first.contains("kept: data/myid:3 ") || first.contains("kept: rack:zone-1 "), "{first}");
        assert_eq!(pod.start(), first);
        assert_eq!(pod.start(), first);
    }
}

#[test]
fn a_start_that_is_killed_at_any_command_is_no_hindrance_to_the_next() {
    for make in [member, broker] {
        let (pod, whole) = (make(), make().start());
        let commands = (1..).take_while(|number| {
            let killed = pod.killed_at(*number);
            assert_eq!(pod.start(), whole, "killed at command {number}");
            killed
        });
        let commands = commands.count();
        assert!(commands > 6, "{commands}");
    }
}

#[test]
fn what_a_kept_volume_holds_of_another_user_or_half_written_is_put_right() {
    let pod = member();
    let whole = pod.start();
    for half in ["", "7\n"] {
        pod.file("var/lib/kafkastack/data/myid", half, 0o444);
        pod.file("var/lib/kafkastack/data/myid.new", half, 0o444);
        let kept: Vec<_> = pod.start().lines().filter(|line| line.starts_with("kept")).map(str::to_owned).collect();
        assert_eq!(kept, ["kept: data/myid:3 "], "of {half:?}; at first {whole}");
    }
    let pod = broker();
    let whole = pod.start();
    for half in ["", "zone-7\n"] {
        pod.file("var/lib/kafkastack/rack", half, 0o444);
        pod.file("var/lib/kafkastack/rack.new", half, 0o444);
        assert_eq!(pod.start(), whole, "of {half:?}");
    }
    // Without a label it is what it was; what is right already is not written.
    pod.file("etc/kafkastack-pod/labels", "", 0o444);
    let before = fs::metadata(pod.path("var/lib/kafkastack/rack")).unwrap().ino();
    assert!(pod.start().contains("broker.rack=zone-1\n"));
    assert_eq!(fs::metadata(pod.path("var/lib/kafkastack/rack")).unwrap().ino(), before);
}

//! The API server's audit log: which writes the user of the sandbox's kubeconfig made. Reads one file.

use serde_json::Value;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// A place in the audit log.
pub struct Audit {
    file: PathBuf,
    from: u64,
}

/// One write that the API server took and did (or tried): no dry-run, no read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// `create`, `update`, `patch`, `delete` or `deletecollection`.
    pub verb: String,
    /// `configmaps`, `statefulsets`, `pods/exec`, ...
    pub resource: String,
    /// Empty for what has none. A namespace itself is in the one that it is.
    pub namespace: String,
    /// Empty where the server picked it.
    pub name: String,
    /// The HTTP status of the answer.
    pub code: u64,
    /// Who said that it was.
    pub user_agent: String,
}

impl Audit {
    /// From now on. The server writes a line before it answers, so what was answered earlier is not seen.
    pub fn now(sandbox: &Path) -> Self {
        let file = sandbox.join("log/audit");
        let from = file.metadata().unwrap_or_else(|error| panic!("{}: {error}", file.display())).len();
        Self { file, from }
    }

    /// The writes since then, of every test that runs.
    pub fn writes(&self) -> Vec<Write> {
        let mut text = Vec::new();
        let mut file = File::open(&self.file).expect("the audit log opens");
        file.seek(SeekFrom::Start(self.from)).expect("the audit log is seekable");
        file.read_to_end(&mut text).expect("the audit log is readable");
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        text[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).filter_map(parse).collect()
    }

    /// Those in one namespace: what a test that runs beside others looks at. `pods/exec` and `pods/portforward` are `create`
    /// in the log and change nothing: they are left out.
    pub fn writes_in(&self, namespace: &str) -> Vec<Write> {
        let connects = ["pods/exec", "pods/portforward"];
        let ours = |write: &Write| write.namespace == namespace && !connects.contains(&write.resource.as_str());
        self.writes().into_iter().filter(ours).collect()
    }
}

fn parse(line: &[u8]) -> Option<Write> {
    let event: Value = serde_json::from_slice(line).expect("the audit log is JSON lines");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if text(&event["requestURI"]).contains("dryRun=") {
        return None;
    }
    let object = &event["objectRef"];
    let resource = [text(&object["resource"]), text(&object["subresource"])].into_iter().filter(|part| !part.is_empty());
    Some(Write {
        verb: text(&event["verb"]),
        resource: resource.collect::<Vec<_>>().join("/"),
        namespace: text(&object["namespace"]),
        name: text(&object["name"]),
        code: event["responseStatus"]["code"].as_u64().unwrap_or_default(),
        user_agent: text(&event["userAgent"]),
    })
}

//! Dependencies between folders point one way: `resources` knows the others, and none of them knows it. And words for people are
//! made in few places.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What each folder may name of this crate. `model` and `choice` are macros of `plugin`.
const LAYERS: [(&str, &[&str]); 6] = [
    ("plugin", &["choice", "model", "plugin"]),
    ("kubernetes", &["kubernetes", "random", "secret", "testing"]),
    ("kafka", &["dial", "kafka", "secret", "testing"]),
    ("zookeeper", &["dial", "testing", "zookeeper"]),
    ("stack", &["dial", "kafka", "kubernetes", "stack", "zookeeper"]),
    ("drill", &["dial", "drill", "kafka", "kubernetes", "random", "secret", "stack", "testing", "zookeeper"]),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in folder.read_dir().unwrap().map(|entry| entry.unwrap().path()) {
        match entry.is_dir() {
            true => sources(&entry, found),
            false if entry.extension().is_some_and(|e| e == "rs") => found.push(entry),
            false => {}
        }
    }
}

/// The modules of the crate that a text names.
fn named(text: &str) -> BTreeSet<&str> {
    let end = |rest: &str| rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    text.split("crate::").skip(1).map(|rest| &rest[..end(rest)]).collect()
}

#[test]
fn dependencies_between_folders_point_one_way() {
    for (folder, may) in LAYERS {
        let mut files = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder), &mut files);
        assert!(files.len() > 2, "{folder}");
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            // `crate::{...}` would name nothing here, and hides what is used.
            let names = named(&text);
            assert!(names.iter().all(|name| may.contains(name)), "{} uses {names:?}", file.display());
            let foreign = ["kube::", "k8s_openapi", "kafka_protocol", "rdkafka"].iter().find(|name| text.contains(**name));
            assert!(folder != "plugin" || foreign.is_none(), "{} uses {foreign:?}", file.display());
        }
    }
}

/// The code of a file, without its tests.
fn code(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or_default()
}

/// Whether a file may make a message for people: what judges gives values, and words are in one place for each thing.
fn has_words(path: &str) -> bool {
    let own = |folder: &str| path.contains(folder);
    path.ends_with("/words.rs") || own("/diagnostics") || own("/plugin/") || own("/testing/") || path.ends_with("tests.rs")
}

#[test]
fn only_words_make_messages_for_people() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let makes = |text: &str| {
        let makers = ["Diagnostic::error(", "Diagnostic::warning(", ".error_at("];
        makers.into_iter().find(|maker| code(text).contains(maker))
    };
    let mut with_words = 0;
    for file in files {
        let (path, text) = (file.display().to_string(), std::fs::read_to_string(&file).unwrap());
        with_words += usize::from(makes(&text).is_some());
        assert!(has_words(&path) || makes(&text).is_none(), "{path} makes a message: {:?}", makes(&text));
    }
    assert!(with_words > 8, "{with_words} files have words");
}

#[test]
fn what_a_text_names_is_found() {
    let text = "use crate::kafka::Admin;\nuse crate::{a, b};\nlet x: crate::stack::Stack;";
    assert_eq!(named(text), BTreeSet::from(["", "kafka", "stack"]));
}

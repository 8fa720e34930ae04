//! What was found -> JSON for programs, Markdown for people. The same text for the same findings: no time, no order of chance. Pure.

use super::compare::{Field, Import, Managed, Problem, Report, Topic, Unmanaged};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// How many of each the Markdown shows: a job's summary has an end, and so has a reader.
const SHOWN: usize = 100;
/// How much of a value the Markdown shows.
const LONGEST: usize = 120;

/// All of it.
pub fn json(report: &Report) -> String {
    let managed: Vec<Value> = report.managed.iter().map(managed_json).collect();
    let unmanaged = |one: &Unmanaged| match &one.import {
        Some(Import { resource, id, .. }) => {
            json!({"kind": one.kind, "name": one.name, "import": {"resource": resource, "id": id}})
        }
        None => json!({"kind": one.kind, "name": one.name}),
    };
    let unmanaged: Vec<Value> = report.unmanaged.iter().map(unmanaged).collect();
    json!({"drifted": report.drifted(), "managed": managed, "unmanaged": unmanaged}).to_string()
}

fn managed_json(one: &Managed) -> Value {
    let Managed { kind, name, problem } = one;
    match problem {
        Problem::Missing => json!({"kind": kind, "name": name, "problem": "missing"}),
        Problem::Unfinished(phase) => json!({"kind": kind, "name": name, "problem": "unfinished", "phase": phase}),
        Problem::Unreachable(why) => json!({"kind": kind, "name": name, "problem": "unreachable", "why": why}),
        Problem::Differs(fields) => {
            let field = |field: &Field| json!({"field": field.name, "wanted": field.wanted, "found": field.found});
            json!({"kind": kind, "name": name, "problem": "differs", "fields": fields.iter().map(field).collect::<Vec<_>>()})
        }
    }
}

/// The same for people.
pub fn markdown(report: &Report) -> String {
    let Report { managed, unmanaged } = report;
    if !report.drifted() {
        return "No drift: everything is as it was applied, and nothing is unmanaged.\n".to_owned();
    }
    let mut text = String::new();
    if !managed.is_empty() {
        let _ = write!(
            text,
            "### Not as it was applied: {}\n\n| what | field | applied | found |\n| --- | --- | --- | --- |\n",
            managed.len()
        );
        managed.iter().take(SHOWN).for_each(|one| rows(&mut text, one));
        more(&mut text, managed.len());
    }
    if !unmanaged.is_empty() {
        let _ = write!(text, "### Unmanaged: {}\n\n", unmanaged.len());
        for one in unmanaged.iter().take(SHOWN) {
            let _ = writeln!(text, "- {} {}", one.kind, code(&one.name));
        }
        more(&mut text, unmanaged.len());
        imports(&mut text, unmanaged);
    }
    text
}

fn more(text: &mut String, number: usize) {
    if let Some(more) = number.checked_sub(SHOWN).filter(|more| *more > 0) {
        let _ = writeln!(text, "\nAnd {more} more; `summary_json` has all.");
    }
    text.push('\n');
}

fn rows(text: &mut String, one: &Managed) {
    let what = format!("{} {}", one.kind, code(&one.name));
    let _ = match &one.problem {
        Problem::Missing => writeln!(text, "| {what} | | | **is not there** |"),
        Problem::Unfinished(phase) => writeln!(text, "| {what} | | ready | the last apply stopped: **{phase}** |"),
        Problem::Unreachable(why) => writeln!(text, "| {what} | | | **out of reach**: {} |", code(why)),
        Problem::Differs(fields) => {
            for Field { name, wanted, found } in fields {
                let _ = writeln!(text, "| {what} | {} | {} | {} |", code(name), value(wanted), value(found));
            }
            Ok(())
        }
    };
}

fn value(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(value) if value.is_empty() => "nothing".to_owned(),
        Value::String(value) => code(value),
        value => code(&value.to_string()),
    }
}

/// Text that no Markdown in it gets out of, on one line of a table.
fn code(text: &str) -> String {
    let mut shown: String = text.chars().take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    format!("`{}`", shown.trim().replace('`', "'").replace('|', "\\|"))
}

fn imports(text: &mut String, unmanaged: &[Unmanaged]) {
    let mut labels = BTreeSet::new();
    let importable = unmanaged.iter().take(SHOWN).filter_map(|one| Some((one, one.import.as_ref()?)));
    let blocks: Vec<String> = importable.map(|(one, import)| block(one, import, &mut labels)).collect();
    if blocks.is_empty() {
        return;
    }
    let _ = write!(
        text,
        "To manage them, put this into the configuration, and leave out what is not wanted:\n\n```hcl\n{}```\n",
        blocks.join("\n")
    );
    if unmanaged.iter().any(|one| one.import.as_ref().is_some_and(|import| import.topic.is_none())) {
        text.push_str("\n`plan -generate-config-out=imported.tf` writes the resources that are only imported here.\n");
    }
}

fn block(one: &Unmanaged, import: &Import, labels: &mut BTreeSet<String>) -> String {
    let label = label(&one.name, labels);
    let Import { resource, id, topic } = import;
    let mut text = format!("import {{\n  to = {resource}.{label}\n  id = {}\n}}\n", hcl(id));
    if let Some((cluster, topic)) = topic {
        let Topic { name, partitions, replication_factor, config } = topic;
        let _ = write!(
            text,
            "\nresource \"{resource}\" \"{label}\" {{\n  cluster            = {}\n  name               = {}\n  partitions         = {partitions}\n  replication_factor = {replication_factor}\n",
            hcl(cluster),
            hcl(name),
        );
        if !config.is_empty() {
            text.push_str("  config = {\n");
            for (key, value) in config {
                let _ = writeln!(text, "    {} = {}", hcl(key), hcl(value));
            }
            text.push_str("  }\n");
        }
        text.push_str("}\n");
    }
    text
}

/// A name that HCL takes, and that no other block has.
fn label(name: &str, taken: &mut BTreeSet<String>) -> String {
    let legal: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' }).collect();
    let legal = if legal.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') { legal } else { format!("_{legal}") };
    let mut label = legal.clone();
    let mut number = 1;
    while !taken.insert(label.clone()) {
        number += 1;
        label = format!("{legal}_{number}");
    }
    label
}

/// A string of HCL: no template in it.
fn hcl(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted.replace("${", "$${").replace("%{", "%%{")
}

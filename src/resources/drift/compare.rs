//! What is seen of a stack -> what differs from what was applied, and what nobody manages. Pure.

use super::schema::{ExpectedTopic, StackDrift};
use crate::drill::run::TOPIC_PREFIX;
use crate::kubernetes::difference::{Difference, compared};
use crate::kubernetes::object::{Key, Kind, Object};
use crate::resources::owned::converge::{Live, covers};
use crate::resources::owned::is_ours;
use crate::resources::owned::phase::Phase;
use crate::resources::topic::setting;
use crate::resources::workload::role::{Role, Templates};
use crate::resources::workload::template;
use crate::stack::names::{self, is_configuration};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that is seen.
pub struct Seen {
    /// The cluster, and the ensemble where it is asked for.
    pub workloads: Vec<Looked>,
    /// Every object with the provider's label or that of one of the workloads.
    pub objects: Vec<Object>,
    /// Every topic, or why the brokers do not tell; none where they were not asked.
    pub topics: Option<Result<Vec<Topic>, String>>,
}

/// A cluster or an ensemble.
pub struct Looked {
    /// The resource's type without the provider's name.
    pub resource: &'static str,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What was applied and what is there; none without an anchor.
    pub applied: Option<Applied>,
}

/// What was applied and what is there.
pub struct Applied {
    /// How far the last apply came.
    pub phase: Phase,
    /// The objects that it wanted.
    pub wanted: Vec<Object>,
    /// What is there of them.
    pub live: Live,
    /// Its sets of pods.
    pub roles: Vec<Role>,
    /// The pods' templates as the last apply left them.
    pub templates: Templates,
}

/// A topic as the brokers have it.
#[derive(Clone, Debug)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// How many partitions.
    pub partitions: i64,
    /// How many replicas each has.
    pub replication_factor: i64,
    /// What is set on the topic itself.
    pub config: BTreeMap<String, String>,
}

/// Everything that was found.
#[derive(Debug, Default)]
pub struct Report {
    /// What is managed, and not as it was applied.
    pub managed: Vec<Managed>,
    /// What nobody manages.
    pub unmanaged: Vec<Unmanaged>,
}

impl Report {
    /// Whether there is anything.
    pub fn drifted(&self) -> bool {
        !(self.managed.is_empty() && self.unmanaged.is_empty())
    }
}

/// Something that is managed, and not as it was applied.
#[derive(Debug)]
pub struct Managed {
    /// What it is: a Kubernetes kind, `topic`, `brokers`, or a resource's type.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with something that is managed.
#[derive(Debug)]
pub enum Problem {
    /// It is not there.
    Missing,
    /// The last apply did not come to its end, and stopped in this phase.
    Unfinished(&'static str),
    /// It cannot be looked at, and why.
    Unreachable(String),
    /// These fields differ.
    Differs(Vec<Field>),
}

/// A field that differs.
#[derive(Debug, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What was applied.
    pub wanted: Value,
    /// What is there; null: nothing.
    pub found: Value,
}

/// Something that nobody manages.
#[derive(Debug)]
pub struct Unmanaged {
    /// What it is.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// How it can be taken over.
    pub import: Option<Import>,
}

/// What an `import` block needs.
#[derive(Debug)]
pub struct Import {
    /// The type of the resource, with the provider's name.
    pub resource: String,
    /// The import id.
    pub id: String,
    /// The topic, where it is one: what its resource has to say.
    pub topic: Option<(String, Topic)>,
}

/// Everything that differs or is unmanaged.
pub fn report(asked: &StackDrift, seen: &Seen) -> Report {
    let mut report = Report::default();
    for workload in &seen.workloads {
        workload_drift(workload, &mut report.managed);
    }
    if let (Some(expected), Some(found)) = (asked.topics.known(), &seen.topics) {
        match found {
            Err(why) => report.managed.push(Managed {
                kind: "brokers".to_owned(),
                name: asked.cluster.text().to_owned(),
                problem: Problem::Unreachable(why.clone()),
            }),
            Ok(topics) => topic_drift(asked, expected, topics, &mut report),
        }
    }
    objects(asked, seen, &mut report.unmanaged);
    report
}

fn workload_drift(workload: &Looked, found: &mut Vec<Managed>) {
    let mut push = |kind: String, name: String, problem| found.push(Managed { kind, name, problem });
    let whole = (format!("kafkastack_{}", workload.resource), format!("{}/{}", workload.namespace, workload.name));
    let Some(applied) = &workload.applied else { return push(whole.0, whole.1, Problem::Missing) };
    if applied.phase != Phase::Ready {
        push(whole.0, whole.1, Problem::Unfinished(applied.phase.name()));
    }
    for wanted in &applied.wanted {
        let name = wanted.namespace().map_or_else(String::new, |namespace| format!("{namespace}/")) + wanted.name();
        let kind = wanted.kind().to_string();
        match applied.live.get(&wanted.key()).and_then(Option::as_ref) {
            None => push(kind, name, Problem::Missing),
            Some(live) => {
                let mut fields: Vec<Field> = compared(wanted.json(), live.json()).into_iter().map(Field::from).collect();
                fields.extend(foreign(applied, live, &fields));
                if !fields.is_empty() {
                    push(kind, name, Problem::Differs(fields));
                }
            }
        }
    }
}

/// What somebody did to the pods' template beside what the provider sets.
fn foreign(applied: &Applied, live: &Object, known: &[Field]) -> Vec<Field> {
    let left = applied.templates.get(live.name()).filter(|_| live.kind() == Kind::StatefulSet);
    let Some(left) = left else { return Vec::new() };
    let known: Vec<String> = known.iter().map(|field| field.name.clone()).collect();
    let foreign = template::foreign(left, template::of(live)).into_iter();
    foreign
        .filter(|one| !covers(&known, &one.field))
        .map(|one| Field { name: one.field, wanted: one.left, found: one.found })
        .collect()
}

impl From<Difference<'_>> for Field {
    /// Of a file only the lines that differ.
    fn from(difference: Difference<'_>) -> Self {
        let Difference { field: name, desired, live } = difference;
        match (desired.as_str(), live.as_str()) {
            (Some(desired), Some(live)) if desired.contains('\n') => {
                Self { name, wanted: only_in(desired, live).into(), found: only_in(live, desired).into() }
            }
            _ => Self { name, wanted: desired.clone(), found: live.clone() },
        }
    }
}

fn only_in(one: &str, other: &str) -> String {
    let other: BTreeSet<&str> = other.lines().collect();
    one.lines().filter(|line| !other.contains(line)).collect::<Vec<_>>().join("\n")
}

fn topic_drift(asked: &StackDrift, expected: &BTreeMap<String, ExpectedTopic>, topics: &[Topic], report: &mut Report) {
    let by_name: BTreeMap<&str, &Topic> = topics.iter().map(|topic| (topic.name.as_str(), topic)).collect();
    for (name, wanted) in expected {
        let problem = match by_name.get(name.as_str()) {
            None => Problem::Missing,
            Some(found) => match topic_fields(wanted, found) {
                fields if fields.is_empty() => continue,
                fields => Problem::Differs(fields),
            },
        };
        report.managed.push(Managed { kind: "topic".to_owned(), name: name.clone(), problem });
    }
    let ignored = asked.ignore_topics.unwrap_or_default();
    for topic in by_name.values() {
        let own = topic.name.starts_with("__") || topic.name.starts_with(TOPIC_PREFIX);
        if own || expected.contains_key(&topic.name) || ignored.iter().any(|pattern| matches(pattern, &topic.name)) {
            continue;
        }
        let cluster = asked.cluster.text();
        report.unmanaged.push(Unmanaged {
            kind: "topic".to_owned(),
            name: topic.name.clone(),
            import: Some(Import {
                resource: "kafkastack_topic".to_owned(),
                id: format!("{cluster}/{}", topic.name),
                topic: Some((cluster.to_owned(), (*topic).clone())),
            }),
        });
    }
}

fn topic_fields(wanted: &ExpectedTopic, found: &Topic) -> Vec<Field> {
    let mut fields = Vec::new();
    let mut compare = |name: String, wanted: Value, found: Value| {
        if wanted != found {
            fields.push(Field { name, wanted, found });
        }
    };
    if let Some(partitions) = wanted.partitions.known() {
        compare("partitions".to_owned(), (*partitions).into(), found.partitions.into());
    }
    if let Some(factor) = wanted.replication_factor.known() {
        compare("replication_factor".to_owned(), (*factor).into(), found.replication_factor.into());
    }
    for (key, value) in wanted.config.known().into_iter().flatten() {
        let found = found.config.get(key);
        if !found.is_some_and(|found| setting::same(key, value, found)) {
            let found = found.map_or(Value::Null, |found| found.trim().into());
            compare(format!("config[{key:?}]"), value.trim().into(), found);
        }
    }
    fields
}

/// Objects that carry a label of the stack, and belong to none of its workloads.
fn objects(asked: &StackDrift, seen: &Seen, found: &mut Vec<Unmanaged>) {
    let ignored = asked.ignore_objects.unwrap_or_default();
    let wanted = wanted(seen);
    let anchored: BTreeSet<&str> = seen.objects.iter().filter_map(|object| anchor_of(object)).map(|(_, name)| name).collect();
    for object in &seen.objects {
        if wanted.contains(&object.key()) || belongs_to_another(object, seen, &anchored) {
            continue;
        }
        let unmanaged = match anchor_of(object) {
            Some((resource, name)) => {
                // One of a kind that was not named may well be managed: it is not spoken of.
                if !seen.workloads.iter().any(|workload| workload.resource == resource) {
                    continue;
                }
                let id = format!("{}/{name}", object.namespace().unwrap_or_default());
                let resource = format!("kafkastack_{resource}");
                Unmanaged { kind: resource.clone(), name: name.to_owned(), import: Some(Import { resource, id, topic: None }) }
            }
            None => Unmanaged { kind: object.kind().to_string(), name: object.name().to_owned(), import: None },
        };
        let label = format!("{}/{}", unmanaged.kind, unmanaged.name);
        if !ignored.iter().any(|pattern| matches(pattern, &label)) {
            found.push(unmanaged);
        }
    }
}

/// The objects of the workloads, with their anchors and claims.
fn wanted(seen: &Seen) -> BTreeSet<Key> {
    let mut keys = BTreeSet::new();
    for Looked { namespace, name, applied, .. } in &seen.workloads {
        keys.insert(names::anchor(namespace, name));
        let Some(applied) = applied else { continue };
        keys.extend(applied.wanted.iter().map(Object::key));
        let claim = |name| Key::new(Kind::PersistentVolumeClaim, &**namespace, name);
        keys.extend(applied.roles.iter().flat_map(Role::claims).map(claim));
    }
    keys
}

/// The resource and the name that an anchor is of.
fn anchor_of(object: &Object) -> Option<(&str, &str)> {
    let name = names::anchored_by(object.name())?;
    let resource = object.text("/data/resource");
    (object.kind() == Kind::ConfigMap && is_ours(object) && !resource.is_empty()).then_some((resource, name))
}

/// Whether something else answers for it: its owner, another workload with its own anchor, a drill that runs, or a workload
/// that is reported as missing anyway.
fn belongs_to_another(object: &Object, seen: &Seen, anchored: &BTreeSet<&str>) -> bool {
    let instance = object.labels().get("app.kubernetes.io/instance").copied().unwrap_or_default();
    let named = || seen.workloads.iter().filter(|workload| workload.name == instance);
    let (ours, missing) = (named().any(|one| one.applied.is_some()), named().any(|one| one.applied.is_none()));
    let mut roles = named().filter_map(|one| one.applied.as_ref()).flat_map(|applied| &applied.roles);
    !object.list("/metadata/ownerReferences").is_empty()
        || object.name().ends_with("-kafkastack-drill")
        // That of an earlier apply, which pods may use still.
        || (is_ours(object) && object.kind() == Kind::ConfigMap && roles.any(|role| is_configuration(object.name(), &role.names.set)))
        || missing
        || (!ours && anchor_of(object).is_none() && anchored.contains(instance))
}

/// Whether a text is as the pattern, in which `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(first) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return left.ends_with(part);
        }
        match left.split_once(part) {
            Some((_, after)) => left = after,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;

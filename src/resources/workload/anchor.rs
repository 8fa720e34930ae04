//! The anchor: the ConfigMap `<name>-kafkastack`, written before anything else and removed last. It says whose the
//! objects of that name are and how far the provider came, so that a run that was killed is taken up again and nothing
//! of somebody else is ever adopted. It also holds the specification, from which an import makes state, and what is to be
//! remembered of the workload's life, whoever writes into it later. Pure.

use super::Spec;
use crate::kubernetes::object::Object;
use crate::resources::owned::MANAGED_BY;
use crate::resources::owned::applied::{decode, encode};
use crate::resources::owned::phase::Phase;
use crate::stack::cluster::cluster_id;
use crate::stack::names;
use crate::stack::profile;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// What an anchor says.
#[derive(Clone, Debug, PartialEq)]
pub struct Anchor<M> {
    /// How far the provider came.
    pub phase: Phase,
    /// What was wanted when it was written.
    pub spec: M,
    /// When its create came to its end; none after the first change.
    pub created: Option<Timestamp>,
    /// What is remembered of its life.
    pub record: Record,
}

/// What is remembered of a workload's life. Nothing of it is ever forgotten by a later write, but a user that went.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// Whether it has ever served, so that there are records to lose. Anchors of the first version do not say.
    pub served: Option<bool>,
    /// Whether its claims were there before its create: they hold what an earlier life left.
    pub kept_claims: bool,
    /// Kafka's own id of the cluster, as its brokers said when it served.
    pub cluster_id: Option<String>,
    /// The clusters that keep their metadata in an ensemble, as `<namespace>/<name>`.
    pub users: BTreeSet<String>,
    /// The pods' template, as the server's answer to our last write had it.
    pub template: Option<Value>,
}

impl Record {
    /// Both together. What was learnt last counts where only one can hold.
    #[must_use]
    pub fn and(self, learnt: &Self) -> Self {
        Self {
            served: learnt.served.filter(|served| *served).or(self.served).or(learnt.served),
            kept_claims: self.kept_claims || learnt.kept_claims,
            cluster_id: learnt.cluster_id.clone().or(self.cluster_id),
            users: self.users.into_iter().chain(learnt.users.iter().cloned()).collect(),
            template: self.template,
        }
    }

    fn read(object: &Object) -> Self {
        let users = object.text("/data/users").split(',').filter(|user| !user.is_empty());
        Self {
            served: object.text("/data/served").parse().ok(),
            kept_claims: object.text("/data/kept_claims") == "true",
            cluster_id: cluster_id(object),
            users: users.map(str::to_owned).collect(),
            template: serde_json::from_str(object.text("/data/template")).ok(),
        }
    }

    fn write(&self, data: &mut Map<String, Value>) {
        let served = self.served.map(|served| served.to_string());
        let users = self.users.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        let entries = [
            ("served", served),
            ("kept_claims", self.kept_claims.then(|| "true".to_owned())),
            ("cluster_id", self.cluster_id.clone()),
            ("users", Some(users).filter(|users| !users.is_empty())),
            ("template", self.template.as_ref().map(Value::to_string)),
        ];
        data.extend(entries.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.into()))));
    }
}

/// How long after its create an anchor that no state knows is taken for the trace of a run that was killed between its last
/// write and the answer to core.
const JUST_NOW: SignedDuration = SignedDuration::from_mins(10);

impl<M: Spec> Anchor<M> {
    /// The anchor as an object.
    pub fn object(&self) -> Object {
        let labels = json!({MANAGED_BY.0: MANAGED_BY.1, "app.kubernetes.io/instance": self.spec.name()});
        let mut data = json!({
            "resource": M::RESOURCE, "phase": self.phase.name(), "spec": encode(&self.spec),
            profile::FIELD: self.spec.profile().text(),
        });
        if let Some(data) = data.as_object_mut() {
            data.extend(self.created.map(|created| ("created".to_owned(), created.to_string().into())));
            self.record.write(data);
        }
        Object::of(&names::anchor(self.spec.namespace(), self.spec.name()), json!({"metadata": {"labels": labels}, "data": data}))
    }

    /// What the object says, if it is an anchor of this kind of resource.
    pub fn read(object: &Object) -> Option<Self> {
        if object.text("/data/resource") != M::RESOURCE {
            return None;
        }
        let phase = Phase::named(object.text("/data/phase"))?;
        let (spec, created) = (decode(object.text("/data/spec"))?, object.text("/data/created").parse().ok());
        Some(Self { phase, spec, created, record: Record::read(object) })
    }

    /// Whether it has ever served. An anchor of the first version tells it by its phase: a create that came to its end.
    pub fn has_served(&self) -> bool {
        self.record.served.unwrap_or(self.phase != Phase::Creating)
    }

    /// The record, with what the phase alone tells made lasting.
    pub fn history(&self) -> Record {
        Record { served: Some(self.has_served()), ..self.record.clone() }
    }

    /// Whether the run that made it may have been killed before core heard of it: it wanted the very same, just now.
    pub fn may_be_unheard_of(&self, wanted: &M, now: Timestamp) -> bool {
        let just_now = self.created.is_some_and(|created| now.duration_since(created) < JUST_NOW);
        just_now && encode(&self.spec) == encode(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::cluster::schema::Cluster;

    fn anchor(phase: Phase, record: Record) -> Anchor<Cluster> {
        Anchor { phase, spec: Cluster::default(), created: None, record }
    }

    #[test]
    fn what_an_anchor_remembers_is_read_as_it_was_written() {
        let users = ["prod/kafka", "prod/other"].map(str::to_owned).into();
        for record in [
            Record::default(),
            Record { served: Some(false), kept_claims: true, ..Record::default() },
            Record {
                served: Some(true),
                cluster_id: Some("x".to_owned()),
                users,
                template: Some(json!({"a": 1})),
                ..Record::default()
            },
        ] {
            let anchor = anchor(Phase::Updating, record);
            assert_eq!(Anchor::<Cluster>::read(&anchor.object()), Some(anchor));
        }
    }

    #[test]
    fn a_mark_that_it_has_served_never_goes() {
        let served = |served| Record { served, ..Record::default() };
        for later in [None, Some(false), Some(true)] {
            assert_eq!(served(Some(true)).and(&served(later)).served, Some(true));
        }
        assert_eq!(served(None).and(&served(Some(false))).served, Some(false));
        // The first version had no such mark.
        assert!(anchor(Phase::Ready, served(None)).has_served());
        assert!(!anchor(Phase::Creating, served(None)).has_served());
        assert_eq!(anchor(Phase::Deleting, served(None)).history().served, Some(true));
    }
}

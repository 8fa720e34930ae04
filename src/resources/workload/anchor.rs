//! The anchor: the ConfigMap `<name>-kafkastack`, written before anything else and removed last. It says whose the
//! objects of that name are and how far the provider came, so that a run that was killed is taken up again and nothing
//! of somebody else is ever adopted. It also holds the specification, from which an import makes state, and what is to be
//! remembered of the workload's life, whoever writes into it later. Pure.

use super::record::Record;
use super::spec::Spec;
use crate::kubernetes::object::Object;
use crate::resources::owned::MANAGED_BY;
use crate::resources::owned::applied::{decode, encode};
use crate::resources::owned::phase::Phase;
use crate::stack::names;
use crate::stack::profile;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

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
    /// The run that is at work on it.
    pub run: Option<String>,
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
            data.extend(self.run.clone().map(|run| ("run".to_owned(), run.into())));
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
        let (spec, created): (M, _) = (decode(object.text("/data/spec"))?, object.text("/data/created").parse().ok());
        let record = Record::read(object, spec.roles().first().map_or("", |role| &role.names.set));
        let run = Some(object.text("/data/run")).filter(|run| !run.is_empty()).map(str::to_owned);
        Some(Self { phase, spec, created, record, run })
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
        // A clock that was ahead then says nothing: no state would ever be told from one that was lost.
        let just_now = self.created.is_some_and(|created| now.duration_since(created).abs() < JUST_NOW);
        just_now && encode(&self.spec) == encode(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::cluster::schema::Cluster;

    fn anchor(phase: Phase, record: Record) -> Anchor<Cluster> {
        Anchor { phase, spec: Cluster::default(), created: None, record, run: Some("a".to_owned()) }
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
                templates: [(String::new(), json!({"a": 1}))].into(),
                ..Record::default()
            },
            Record {
                templates: ["kafka", "kafka-controller"].map(|set| (set.to_owned(), json!({"a": set}))).into(),
                ..Record::default()
            },
        ] {
            let anchor = anchor(Phase::Updating, record);
            assert_eq!(Anchor::<Cluster>::read(&anchor.object()), Some(anchor));
        }
    }

    #[test]
    fn a_create_is_unheard_of_for_some_minutes_by_whatever_clock() {
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        for (minutes, unheard) in [(-20, false), (-9, true), (0, true), (9, true), (20, false)] {
            let created = now.checked_add(SignedDuration::from_mins(minutes)).unwrap();
            let anchor = Anchor { created: Some(created), ..anchor(Phase::Ready, Record::default()) };
            assert_eq!(anchor.may_be_unheard_of(&Cluster::default(), now), unheard, "{minutes}");
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

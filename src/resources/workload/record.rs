//! What an anchor remembers of a workload's life, whoever writes into it later. Pure.

use super::role::Templates;
use crate::kubernetes::object::Object;
use crate::resources::owned::which::SUCCEEDS;
use crate::stack::cluster::cluster_id;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

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
    /// The uid of the anchor whose place this one took: somebody deleted it.
    pub succeeds: Option<String>,
    /// The pods' templates, as the server's answers to our last writes had them.
    pub templates: Templates,
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
            succeeds: learnt.succeeds.clone().or(self.succeeds),
            templates: self.templates,
        }
    }

    /// What an anchor says. `set`: the first StatefulSet of its workload, whose template stands alone where there is no other.
    pub(super) fn read(object: &Object, set: &str) -> Self {
        let read = |field: &str| serde_json::from_str(object.text(field)).ok();
        let only = |template: Value| [(set.to_owned(), template)].into();
        let several = || serde_json::from_str(object.text("/data/templates")).ok();
        let users = object.text("/data/users").split(',').filter(|user| !user.is_empty());
        Self {
            served: object.text("/data/served").parse().ok(),
            kept_claims: object.text("/data/kept_claims") == "true",
            cluster_id: cluster_id(object),
            users: users.map(str::to_owned).collect(),
            succeeds: Some(object.text(&format!("/data/{SUCCEEDS}"))).filter(|uid| !uid.is_empty()).map(str::to_owned),
            templates: read("/data/template").map(only).or_else(several).unwrap_or_default(),
        }
    }

    pub(super) fn write(&self, data: &mut Map<String, Value>) {
        let served = self.served.map(|served| served.to_string());
        let users = self.users.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        let (template, templates) = match self.templates.len() {
            0 => (None, None),
            1 => (self.templates.values().next().map(Value::to_string), None),
            _ => (None, serde_json::to_string(&self.templates).ok()),
        };
        let entries = [
            ("served", served),
            ("kept_claims", self.kept_claims.then(|| "true".to_owned())),
            ("cluster_id", self.cluster_id.clone()),
            ("users", Some(users).filter(|users| !users.is_empty())),
            (SUCCEEDS, self.succeeds.clone()),
            ("template", template),
            ("templates", templates),
        ];
        data.extend(entries.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.into()))));
    }
}

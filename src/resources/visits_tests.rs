//! What happens in a life beside its own applies: neighbours, another one of its name, credentials that end, pods and brokers that
//! blink, values that are known only at apply, another run at the same moment, and claims that are kept for a next life.

use super::{Life, Tally};
use crate::kubernetes::object::{Key, Kind, Object};
use crate::plugin::diagnostic::Diagnostics;
use crate::plugin::value::Value;
use crate::testing::core::{Core, held, resource};
use crate::testing::fake_kafka::Down;
use serde_json::json;
use std::time::Duration;
use tokio::time::sleep;

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Visit {
    /// Pods and claims of others have the labels that ours have.
    Neighbours,
    /// Somebody made another one of the same name.
    Another,
    /// The credentials end in the middle of an apply.
    Expired,
    /// A pod goes, and a broker does not answer for some seconds, while an apply runs.
    Blink,
    /// A value is known only at apply.
    Unknown,
    /// Another run applies the same at the same moment.
    Beside,
}

impl Visit {
    pub(super) const ALL: [Self; 6] = [Self::Neighbours, Self::Another, Self::Expired, Self::Blink, Self::Unknown, Self::Beside];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Neighbours => "neighbours",
            Self::Another => "another",
            Self::Expired => "expired",
            Self::Blink => "blink",
            Self::Unknown => "unknown",
            Self::Beside => "beside",
        }
    }
}

impl Life<'_> {
    /// Has it happen, and holds what has to be true of it. Whether it could.
    pub(super) async fn visited(&mut self, visit: Visit, config: &Value) -> bool {
        self.follow(config);
        match visit {
            Visit::Neighbours => self.neighbours(),
            Visit::Another => self.another(config).await,
            Visit::Expired => self.expired(config).await,
            Visit::Blink => self.blink(config).await,
            Visit::Unknown => self.unknown(config).await,
            Visit::Beside => self.beside(config).await,
        }
    }

    fn set(&self) -> Option<Object> {
        let ours = |set: &Object| set.labels().get("app.kubernetes.io/managed-by") == Some(&"terraform-provider-kafkastack");
        self.kubernetes.all(Kind::StatefulSet).into_iter().find(ours)
    }

    fn neighbours(&mut self) -> bool {
        let Some(set) = self.set() else { return false };
        let namespace = set.key().namespace.unwrap_or_default();
        let mut labels = set.at("/spec/selector/matchLabels").clone();
        labels["app.kubernetes.io/managed-by"] = "Helm".into();
        let running = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "False"}]});
        let pod = json!({"metadata": {"labels": labels}, "spec": {"containers": [{"name": "x"}]}, "status": running});
        self.kubernetes.put("helm", Object::of(&Key::new(Kind::Pod, &namespace, "exporter"), pod));
        let claim = Key::new(Kind::PersistentVolumeClaim, &namespace, "data-exporter-0");
        self.kubernetes.put("helm", Object::of(&claim, json!({"metadata": {"labels": labels}, "spec": {}})));
        self.foreign = self.strangers();
        true
    }

    /// Those of others that are there: nothing ever happens to them.
    pub(super) fn strangers(&self) -> Vec<(Key, String)> {
        let all = [Kind::Pod, Kind::PersistentVolumeClaim].into_iter().flat_map(|kind| self.kubernetes.all(kind));
        let foreign = all.filter(|object| object.name().contains("exporter"));
        foreign.map(|object| (object.key(), object.uid().to_owned())).collect()
    }

    async fn another(&mut self, config: &Value) -> bool {
        let Some(stored) = self.core.state.clone().filter(|stored| stored.private.contains_key("anchor_uid")) else {
            return false;
        };
        let anchors = self.kubernetes.all(Kind::ConfigMap).into_iter();
        let Some(anchor) = anchors.into_iter().find(|found| found.uid() == stored.private["anchor_uid"]) else { return false };
        let mut twin = anchor.clone();
        twin.set_metadata("uid", json!(null));
        self.kubernetes.remove(&anchor.key());
        self.kubernetes.put("another", twin);
        let (written, met) = (self.written(), self.met());
        for refused in [self.core.refresh().await, self.core.apply(config).await, self.core.destroy().await] {
            assert!(refused.has_errors(), "another one of the same name is taken for it: {refused:?}");
        }
        assert!(self.written() == written || self.met() > met, "another one was written: {:?}", self.kubernetes.writes());
        assert_eq!(self.core.state.as_ref().map(|now| &now.value), Some(&stored.value));
        self.kubernetes.remove(&anchor.key());
        self.kubernetes.put("kube", anchor);
        true
    }

    async fn expired(&mut self, config: &Value) -> bool {
        let requests = self.random.below(40);
        self.faults.expire_after(requests);
        let said = self.core.apply(config).await;
        self.faults.renew();
        said.has_errors()
    }

    async fn blink(&mut self, config: &Value) -> bool {
        let pods: Vec<Key> =
            self.kubernetes.all(Kind::Pod).iter().map(Object::key).filter(|key| key.name != "exporter").collect();
        if pods.is_empty() {
            return false;
        }
        let pod = pods[self.random.below(pods.len())].clone();
        let broker = i32::try_from(self.random.below(3)).unwrap_or_default();
        let down = self.random.one_of(&[Down::Refused, Down::Dead, Down::Silent]);
        let (early, late) = (self.random.below(3_000) as u64, self.random.below(9_000) as u64);
        let (kubernetes, kafka) = (self.kubernetes.clone(), self.kafka.clone());
        let meanwhile = async {
            sleep(Duration::from_millis(early)).await;
            kafka.set_down(broker, Some(down));
            kubernetes.remove(&pod);
            sleep(Duration::from_millis(late)).await;
            kafka.set_down(broker, None);
        };
        let (_, ()) = tokio::join!(self.core.apply(config), meanwhile);
        true
    }

    async fn unknown(&mut self, config: &Value) -> bool {
        let Value::Map(entries) = config else { return false };
        let set: Vec<&String> = entries.iter().filter(|(_, value)| **value != Value::Null).map(|(name, _)| name).collect();
        let name = set[self.random.below(set.len())].clone();
        let mut unknown = entries.clone();
        unknown.insert(name, Value::Unknown);
        let first = self.core.plan(&Value::Map(unknown)).await;
        let second = self.core.plan(config).await;
        if first.diagnostics.has_errors() || second.diagnostics.has_errors() || first.replace || second.replace {
            return false;
        }
        held(self.core.oracle.second_plan(&first.value, &second.value));
        true
    }

    async fn beside(&mut self, config: &Value) -> bool {
        let mut other = Core { limit: self.core.limit, ..Core::new(resource(self.core.resource.name()), self.core.stack) };
        other.state = self.core.state.clone();
        let before = self.met();
        let (one, two) = tokio::join!(self.core.apply(config), other.apply(config));
        let neither = one.has_errors() && two.has_errors();
        let at_work = |said: &Diagnostics| said.iter().any(|said| said.summary.contains("Another run is at work"));
        assert!(!(at_work(&one) && at_work(&two)) || self.met() > before, "each was refused for the other: {one:?} {two:?}");
        // Whoever was refused has a state that is behind, and a refresh puts it right.
        if self.core.state.is_none() || (one.has_errors() && !two.has_errors()) {
            self.core.state = other.state;
        }
        !neither
    }

    /// The same configuration after the destroy, over what was kept: just those claims are taken up, or none is touched.
    pub(super) async fn comes_back(&mut self, config: &Value, tally: &mut Tally) {
        let claims = |life: &Self| -> Vec<(Key, String)> {
            let all = life.kubernetes.all(Kind::PersistentVolumeClaim);
            all.iter().map(|claim| (claim.key(), claim.uid().to_owned())).collect()
        };
        let kept = claims(self);
        if kept.is_empty() {
            return;
        }
        tally.cases += 1;
        *tally.visits.entry("kept claims").or_default() += 1;
        let (written, met, there) = (self.written(), self.met(), claims(self));
        let said = self.core.apply(config).await;
        let differ = said.iter().any(|said| said.summary == "Kept data is of another number of pods");
        assert!(!differ || self.written() == written || self.met() > met, "refused, and written: {:?}", self.kubernetes.writes());
        assert!(there.iter().all(|claim| claims(self).contains(claim)), "a kept claim went");
    }
}

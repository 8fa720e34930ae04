//! What brokers say of themselves -> whether the cluster serves. Network; the judgement is `stack::ailments`'s.

use super::schema::Cluster;
use crate::kafka::{ClusterView, Error, Topic};
use crate::kubernetes::object::Object;
use crate::resources::workload::roll::{Health, is_ready};
use crate::stack::Stack;
use crate::stack::ailments::{Ailment, of_brokers};
use std::time::Duration;

/// How long the brokers may take to answer: they are asked again anyway.
const ANSWER: Duration = Duration::from_secs(5);

/// Asks the brokers who is registered and what is in sync.
pub async fn check(cluster: &Cluster, stack: &Stack, pods: &[Object]) -> Health {
    // The Service of `bootstrap_servers` leads to pods that the kubelet found ready, and otherwise nowhere.
    if !pods.iter().any(is_ready) {
        return Health::Waiting("no broker's pod is ready".to_owned());
    }
    // Pods are restarted on what is said here, so it has to be these pods that say it.
    let target = match cluster.proved_target(stack).await {
        Ok(target) => target,
        Err(failure) => return Health::Waiting(failure.to_string()),
    };
    let admin = stack.admin(&target).until(tokio::time::Instant::now() + ANSWER);
    let (brokers, name) = (cluster.size(), cluster.common.name.text());
    let asked = async {
        let view = admin.cluster().await?;
        // Who is not all there has nothing to say about the rest yet.
        Ok(match of_brokers(brokers, &view, &[], None).into_iter().find(|ailment| matches!(ailment, Ailment::Unregistered(_))) {
            Some(missing) => Health::Waiting(missing.to_string()),
            None => judge(name, brokers, &view, &admin.topics(None).await?),
        })
    };
    asked.await.unwrap_or_else(|error: Error| Health::Waiting(error.to_string()))
}

/// A cluster serves when every broker is registered and every replica in sync. The controller's pod restarts last.
fn judge(name: &str, brokers: i64, view: &ClusterView, topics: &[Topic]) -> Health {
    match of_brokers(brokers, view, topics, None).first() {
        Some(ailment) => Health::Waiting(ailment.to_string()),
        None => Health::Healthy { leaders: view.controller.map(|id| format!("{name}-{id}")).into_iter().collect() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::{Broker, Partition};

    fn view(ids: &[i32]) -> ClusterView {
        let broker = |id: &i32| Broker { id: *id, host: String::new(), port: 9092, rack: None };
        ClusterView { cluster_id: None, controller: ids.first().copied(), brokers: ids.iter().map(broker).collect() }
    }

    fn topic(isr: &[i32]) -> Topic {
        let partition =
            Partition { index: 0, leader: isr.first().copied(), replicas: vec![0, 1, 2], isr: isr.to_vec(), offline: vec![] };
        Topic { name: "orders".into(), id: None, internal: false, partitions: vec![partition] }
    }

    #[test]
    fn a_cluster_serves_when_all_are_registered_and_in_sync() {
        assert_eq!(
            judge("kafka", 3, &view(&[1, 0, 2]), &[topic(&[0, 1, 2])]),
            Health::Healthy { leaders: vec!["kafka-1".into()] }
        );
        assert_eq!(judge("kafka", 3, &view(&[0, 2]), &[]), Health::Waiting("not registered: broker 1".into()));
        assert_eq!(
            judge("kafka", 3, &view(&[0, 1, 2]), &[topic(&[0, 2])]),
            Health::Waiting("1 partition(s) not in sync: orders-0 (replicas [0, 1, 2], in sync [0, 2])".into())
        );
        assert!(matches!(judge("kafka", 3, &view(&[0, 1, 2]), &[topic(&[])]), Health::Waiting(_)));
    }

    #[test]
    fn a_broker_that_went_is_waited_for_until_nothing_can_be_placed_on_it() {
        let said = judge("kafka", 2, &view(&[0, 1, 2]), &[]);
        assert!(matches!(&said, Health::Waiting(why) if why.contains("broker 2")), "{said:?}");
    }
}

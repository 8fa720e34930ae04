//! What is said where brokers are not reached, or are not those that are meant.

use super::*;
use crate::kafka::{Address, Identity};

fn hint(error: &KafkaError) -> String {
    let said = kafka("look at topic \"a\"", error);
    said.hint.expect("there is a way out")
}

fn unresolved(host: &str) -> KafkaError {
    let why = ConnectError::Dial(DialError::Unresolved(host.to_owned()));
    KafkaError::Unreachable { tried: vec![(Address { host: host.to_owned(), port: 9092 }, why)] }
}

#[test]
fn where_pods_names_do_not_resolve_the_way_out_is_the_tunnel() {
    let names = hint(&unresolved("kafka-0.kafka-headless.prod.svc"));
    assert!(names.contains("kafka.access = \"port_forward\"") && !names.contains("pods/portforward"), "{names}");
    // The brokers of the provider's own block are always reached directly.
    assert!(!hint(&unresolved("broker.example.com")).contains("kafka.access"));
}

#[test]
fn another_kafka_is_named_with_both_ids_its_address_and_the_ways_out() {
    let other = |direct| OtherCluster {
        expected: Identity { name: "prod/kafka".to_owned(), id: "A".to_owned() },
        found: "B".to_owned(),
        broker: Address { host: "kafka-0.kafka-headless.prod.svc".to_owned(), port: 9092 },
        direct,
    };
    let said = kafka("create topic \"a\"", &KafkaError::OtherCluster(Box::new(other(true))));
    assert_eq!(said.summary, "Could not create topic \"a\": another Kafka cluster answers");
    let named = "kafka-0.kafka-headless.prod.svc:9092 belongs to the Kafka cluster B, and the id of prod/kafka is A";
    assert!(said.detail.starts_with(named), "{}", said.detail);
    let forget = "kubectl -n prod patch configmap kafka-kafkastack --type merge -p '{\"data\":{\"cluster_id\":null}}'";
    for (direct, way) in [(true, "kafka.access = \"port_forward\""), (false, "check the Kubernetes context")] {
        let hint = hint(&KafkaError::OtherCluster(Box::new(other(direct))));
        assert!(hint.contains(way) && hint.ends_with(forget), "{hint}");
    }
}

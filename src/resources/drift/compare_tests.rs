use super::super::tell;
use super::*;
use crate::plugin::model::Attr;
use crate::resources::owned::MANAGED_BY;
use crate::stack::names::Names;
use serde_json::json;

fn object(kind: Kind, name: &str, content: Value) -> Object {
    let mut object = Object::of(&Key::new(kind, "prod", name), content);
    object.set_metadata("labels", json!({MANAGED_BY.0: MANAGED_BY.1, "app.kubernetes.io/instance": "kafka"}));
    object
}

fn set(replicas: i64) -> Object {
    object(Kind::StatefulSet, "kafka", json!({"spec": {"replicas": replicas}}))
}

fn files(text: &str) -> Object {
    object(Kind::ConfigMap, "kafka-config", json!({"data": {"server.properties": text}}))
}

fn anchor_of_kind(name: &str, resource: &str) -> Object {
    object(Kind::ConfigMap, &format!("{name}-kafkastack"), json!({"data": {"resource": resource}}))
}

fn topic(name: &str) -> Topic {
    let config = [("retention.ms".to_owned(), "1000".to_owned())].into();
    Topic { name: name.to_owned(), partitions: 3, replication_factor: 2, config }
}

fn live(objects: [Object; 2]) -> Live {
    objects.into_iter().map(|object| (object.key(), Some(object))).collect()
}

/// A stack on which nothing was changed, with one topic that is managed.
fn whole() -> (StackDrift, Seen) {
    let wanted = [files("a=1\nb=2\n"), set(3)];
    let roles = vec![Role { names: Names::of("kafka", "kafka"), container: "kafka", file: "server.properties", replicas: 3 }];
    let (live, wanted) = (live(wanted.clone()), wanted.to_vec());
    let applied = Applied { phase: Phase::Ready, live, wanted: wanted.clone(), roles, templates: Templates::new() };
    let workload = Looked { resource: "cluster", namespace: "prod".into(), name: "kafka".into(), applied: Some(applied) };
    let claim = |i| object(Kind::PersistentVolumeClaim, &format!("data-kafka-{i}"), json!({}));
    let mut pod = object(Kind::Pod, "kafka-0", json!({}));
    pod.set_metadata("ownerReferences", json!([{"kind": "StatefulSet"}]));
    let mut objects: Vec<Object> = (0..3).map(claim).collect();
    objects.extend(wanted);
    objects.extend([pod, anchor_of_kind("kafka", "cluster")]);
    let topics = vec![topic("orders"), topic("__consumer_offsets"), topic("kafkastack-drill-1")];
    let asked = StackDrift {
        cluster: Attr::Known("prod/kafka".into()),
        topics: Attr::Known([("orders".to_owned(), ExpectedTopic::default())].into()),
        ..StackDrift::default()
    };
    (asked, Seen { workloads: vec![workload], objects, topics: Some(Ok(topics)) })
}

/// What is found on a stack that is whole but for this.
fn found(change: impl FnOnce(&mut StackDrift, &mut Seen)) -> Value {
    let (mut asked, mut seen) = whole();
    change(&mut asked, &mut seen);
    serde_json::from_str(&tell::json(&report(&asked, &seen))).unwrap()
}

fn applied(seen: &mut Seen) -> &mut Applied {
    seen.workloads[0].applied.as_mut().unwrap()
}

#[test]
fn a_stack_that_nobody_touched_is_silent() {
    assert_eq!(found(|_, _| {}), json!({"drifted": false, "managed": [], "unmanaged": []}));
}

#[test]
fn a_scaled_stateful_set_is_named_with_both_numbers() {
    let fields = json!([{"field": ".spec.replicas", "wanted": 3, "found": 5}]);
    assert_eq!(
        found(|_, seen| applied(seen).live = live([files("a=1\nb=2\n"), set(5)]))["managed"],
        json!([{"kind": "StatefulSet", "name": "prod/kafka", "problem": "differs", "fields": fields}])
    );
}

#[test]
fn of_a_changed_file_only_the_lines_that_differ_are_told() {
    let fields = json!([{"field": ".data.server.properties", "wanted": "b=2", "found": "b=9\nc=3"}]);
    let found = found(|_, seen| applied(seen).live = live([files("a=1\nb=9\nc=3\n"), set(3)]));
    assert_eq!(found["managed"][0]["fields"], fields);
}

#[test]
fn what_is_gone_and_what_was_left_unfinished_is_drift() {
    let gone = found(|_, seen| drop(applied(seen).live.insert(set(3).key(), None)));
    assert_eq!(gone["managed"], json!([{"kind": "StatefulSet", "name": "prod/kafka", "problem": "missing"}]));
    let unfinished = found(|_, seen| applied(seen).phase = Phase::Updating);
    assert_eq!(unfinished["managed"][0]["phase"], "updating");
    let all_gone = found(|_, seen| seen.workloads[0].applied = None);
    assert_eq!(
        all_gone,
        json!({"drifted": true, "managed": [{"kind": "kafkastack_cluster", "name": "prod/kafka", "problem": "missing"}], "unmanaged": []})
    );
}

#[test]
fn a_topic_made_by_hand_is_unmanaged_and_can_be_imported() {
    let made = |_: &mut StackDrift, seen: &mut Seen| seen.topics = Some(Ok(vec![topic("orders"), topic("by-hand")]));
    let import = json!({"resource": "kafkastack_topic", "id": "prod/kafka/by-hand"});
    assert_eq!(found(made)["unmanaged"], json!([{"kind": "topic", "name": "by-hand", "import": import}]));
    let ignored = found(|asked, seen| {
        made(asked, seen);
        asked.ignore_topics = Attr::Known(vec!["by-*".to_owned()]);
    });
    assert_eq!(ignored["drifted"], false);
}

#[test]
fn a_topic_that_was_deleted_or_changed_is_named() {
    let deleted = found(|_, seen| seen.topics = Some(Ok(vec![])));
    assert_eq!(deleted["managed"], json!([{"kind": "topic", "name": "orders", "problem": "missing"}]));
    let changed = found(|asked, _| {
        let config = [("retention.ms".to_owned(), "9".to_owned()), ("segment.ms".to_owned(), "1".to_owned())];
        let expected =
            ExpectedTopic { partitions: Attr::Known(6), config: Attr::Known(config.into()), ..ExpectedTopic::default() };
        asked.topics = Attr::Known([("orders".to_owned(), expected)].into());
    });
    assert_eq!(
        changed["managed"][0]["fields"],
        json!([
            {"field": "partitions", "wanted": 6, "found": 3},
            {"field": "config[\"retention.ms\"]", "wanted": "9", "found": "1000"},
            {"field": "config[\"segment.ms\"]", "wanted": "1", "found": null},
        ])
    );
}

#[test]
fn a_setting_in_another_spelling_is_no_drift() {
    let spelled = found(|asked, seen| {
        let mut there = topic("orders");
        there.config.insert("cleanup.policy".to_owned(), "compact,delete".to_owned());
        seen.topics = Some(Ok(vec![there]));
        let config = [("retention.ms", "+1000"), ("cleanup.policy", "compact, delete")];
        let config = config.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let expected = ExpectedTopic { config: Attr::Known(config.into()), ..ExpectedTopic::default() };
        asked.topics = Attr::Known([("orders".to_owned(), expected)].into());
    });
    assert_eq!(spelled["drifted"], false, "{spelled}");
}

#[test]
fn brokers_that_do_not_answer_are_drift_and_topics_that_nobody_asks_for_are_not() {
    let away = found(|_, seen| seen.topics = Some(Err("no route".into())));
    assert_eq!(away["managed"], json!([{"kind": "brokers", "name": "prod/kafka", "problem": "unreachable", "why": "no route"}]));
    let unasked = found(|asked, seen| (asked.topics, seen.topics) = (Attr::Null, None));
    assert_eq!(unasked["drifted"], false);
}

#[test]
fn objects_that_belong_to_nothing_are_unmanaged() {
    let names = |change: fn(&mut StackDrift, &mut Seen)| {
        let found = found(change);
        let unmanaged = found["unmanaged"].as_array().unwrap().clone();
        unmanaged.iter().map(|one| format!("{} {}", one["kind"], one["name"]).replace('"', "")).collect::<Vec<_>>()
    };
    let leftovers = names(|_, seen| {
        seen.objects.push(object(Kind::PersistentVolumeClaim, "data-kafka-3", json!({})));
        seen.objects.push(object(Kind::Pod, "kafka-debug", json!({})));
        seen.objects.push(object(Kind::ConfigMap, "kafka-kafkastack-drill", json!({})));
    });
    assert_eq!(leftovers, ["PersistentVolumeClaim data-kafka-3", "Pod kafka-debug"]);
    // Another cluster is one thing with one import, and its objects are its own; an ensemble was not asked about.
    let another = names(|_, seen| {
        seen.objects.extend([anchor_of_kind("other", "cluster"), anchor_of_kind("zk", "zookeeper_ensemble")]);
        let mut service = object(Kind::Service, "other-headless", json!({}));
        service.set_metadata("labels", json!({MANAGED_BY.0: MANAGED_BY.1, "app.kubernetes.io/instance": "other"}));
        seen.objects.push(service);
    });
    assert_eq!(another, ["kafkastack_cluster other"]);
    let ignored = names(|asked, seen| {
        seen.objects.push(anchor_of_kind("other", "cluster"));
        asked.ignore_objects = Attr::Known(vec!["kafkastack_cluster/*".to_owned()]);
    });
    assert_eq!(ignored, Vec::<String>::new());
}

#[test]
fn a_star_stands_for_anything() {
    for (pattern, text, fits) in [
        ("orders", "orders", true),
        ("orders", "orders2", false),
        ("*", "", true),
        ("connect-*", "connect-a", true),
        ("connect-*", "a-connect-a", false),
        ("*-dlq", "a-dlq", true),
        ("*-dlq", "a-dlq-b", false),
        ("a*b*c", "a-b-b-c", true),
        ("a*b*c", "a-c", false),
        ("a*a", "a", false),
    ] {
        assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
    }
}

#[test]
fn the_markdown_can_be_pasted() {
    let (asked, mut seen) = whole();
    let mut odd = topic("a.b");
    odd.config.insert("x".into(), "${y} \"|`".into());
    seen.topics = Some(Ok(vec![topic("orders"), odd, topic("a_b")]));
    applied(&mut seen).live = live([files("a=1\nb=|`2\n"), set(5)]);
    let told = tell::markdown(&report(&asked, &seen));
    assert!(told.contains("| StatefulSet `prod/kafka` | `.spec.replicas` | `3` | `5` |\n"), "{told}");
    assert!(told.contains("| `b=2` | `b=\\|'2` |\n"), "{told}");
    assert!(told.contains("import {\n  to = kafkastack_topic.a_b\n  id = \"prod/kafka/a.b\"\n}\n"), "{told}");
    assert!(told.contains("import {\n  to = kafkastack_topic.a_b_2\n  id = \"prod/kafka/a_b\"\n}\n"), "{told}");
    assert!(told.contains("    \"x\" = \"$${y} \\\"|`\"\n"), "{told}");
    assert!(tell::markdown(&Report::default()).starts_with("No drift"));
}

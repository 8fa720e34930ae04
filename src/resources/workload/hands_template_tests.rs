//! What hands do to the pods' template and to the files that pods read: over servers in this process.

use super::hands_tests::{key, summaries, with};
use crate::kubernetes::object::{Kind, Object};
use crate::testing::core::config;
use crate::testing::fake_kubernetes::Script;
use crate::testing::faults::Faults;
use crate::testing::world::{World, cluster, ensemble, made, settles, world};
use serde_json::json;

fn configurations(world: &World) -> Vec<Object> {
    let all = world.kubernetes.all(Kind::ConfigMap).into_iter();
    all.filter(|object| object.name().contains("-config-")).collect()
}

#[tokio::test(start_paused = true)]
async fn a_stopped_roll_leaves_the_others_the_configuration_that_they_had() {
    for (subject, name) in [(ensemble as fn() -> _, "zk"), (cluster, "kafka")] {
        let world = world(Faults::none());
        let (mut core, wanted) = made(&world, subject()).await;
        let old = configurations(&world);
        assert_eq!((old.len(), old[0].at("/immutable")), (1, &json!(true)));
        world.kubernetes.script(name, Script::ImagePull("nowhere".to_owned()));
        let bad = config(&*core.resource, with(subject(), &json!({"config": {"tickTime": "abc"}})).1);
        assert!(core.apply(&bad).await.has_errors());
        let now = configurations(&world);
        assert_eq!(now.len(), 2);
        assert!(now.contains(&old[0]), "it is as it was");
        // Each pod mounts the one that it was made with.
        let mounts =
            |name: &str| world.kubernetes.all(Kind::Pod).iter().filter(|pod| pod.json().to_string().contains(name)).count();
        assert!(mounts(old[0].name()) >= 2);
        world.kubernetes.script(name, Script::Ready);
        world.kubernetes.settle();
        settles(&mut core, &wanted).await;
        assert_eq!(configurations(&world), old, "what no pod uses goes");
    }
}

#[tokio::test(start_paused = true)]
async fn a_configuration_that_a_hand_made_anew_is_put_right() {
    let world = world(Faults::none());
    let (mut core, wanted) = made(&world, cluster()).await;
    let mut other = configurations(&world).remove(0);
    other.json_mut()["data"]["server.properties"] = "log.retention.hours=1\n".into();
    world.kubernetes.remove(&other.key());
    world.kubernetes.put("kubectl", other.clone());
    core.refresh().await;
    assert!(!core.is_settled(&wanted).await);
    settles(&mut core, &wanted).await;
    assert_ne!(world.kubernetes.get(&other.key()).unwrap().at("/data"), other.at("/data"));
}

/// What a hand does to the pods' template, and the field that it shows as.
fn hands() -> Vec<(&'static str, serde_json::Value, &'static str)> {
    let sidecar = json!([{"name": "sidecar", "image": "x"}]);
    vec![
        ("/spec/template/metadata/annotations", json!({"kubectl.kubernetes.io/restartedAt": "now"}), "restartedAt"),
        ("/spec/template/spec/initContainers", sidecar, ".spec.template.spec.initContainers"),
        ("/spec/template/spec/tolerations", json!([{"operator": "Exists"}]), ".spec.template.spec.tolerations"),
        ("/spec/template/spec/dnsPolicy", json!("Default"), ".spec.template.spec.dnsPolicy"),
    ]
}

fn pods(world: &World) -> Vec<String> {
    world.kubernetes.all(Kind::Pod).iter().map(|pod| pod.uid().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn what_a_hand_did_to_the_template_is_in_the_plan_and_never_delivered() {
    for (subject, name) in [(ensemble as fn() -> _, "zk"), (cluster, "kafka")] {
        for (pointer, value, shown) in hands() {
            let world = world(Faults::none());
            let (mut core, wanted) = made(&world, subject()).await;
            let before = pods(&world);
            world.kubernetes.edit("kubectl", &key(Kind::StatefulSet, name), pointer, value);
            core.refresh().await;
            let stored = core.state.clone().unwrap();
            let text = stored.value.get("objects").get(&format!("StatefulSet/{name}")).clone();
            assert!(text.as_str().unwrap().contains(shown), "{text:?}");
            assert_ne!(core.plan(&wanted).await.value, stored.value);
            assert!(!core.apply(&wanted).await.has_errors());
            assert_eq!(pods(&world), before, "it is taken back, and so nothing restarts");
            assert!(core.is_settled(&wanted).await);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_came_back_on_somebody_elses_template_is_in_the_plan() {
    let world = world(Faults::none());
    let (mut core, wanted) = made(&world, cluster()).await;
    let before = pods(&world);
    world.kubernetes.edit("kubectl", &key(Kind::StatefulSet, "kafka"), "/spec/template/spec/dnsPolicy", json!("Default"));
    world.kubernetes.remove(&key(Kind::Pod, "kafka-1"));
    core.refresh().await;
    let said = core.plan(&wanted).await.diagnostics;
    assert!(said.iter().any(|d| d.summary.starts_with("This change restarts") && d.text().contains("kafka-1")), "{said:?}");
    assert!(!core.apply(&wanted).await.has_errors());
    assert!(core.is_settled(&wanted).await);
    assert_eq!(pods(&world).iter().filter(|uid| before.contains(uid)).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_outdated_pod_is_in_every_plan_that_would_restart_it() {
    let world = world(Faults::none());
    let (mut core, _) = made(&world, cluster()).await;
    world.kubernetes.script("kafka", Script::NotReady);
    let changed = config(&*core.resource, with(cluster(), &json!({"heap": "300m"})).1);
    core.limit = std::time::Duration::from_secs(5);
    assert!(core.apply(&changed).await.has_errors());
    core.limit = std::time::Duration::from_secs(600);
    world.kubernetes.script("kafka", Script::Ready);
    world.kubernetes.settle();
    core.refresh().await;
    // The template is as wanted by now; pods of the old one are left.
    let said = core.plan(&changed).await.diagnostics;
    assert!(said.iter().any(|d| d.text().contains("still run an earlier specification")), "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn a_hand_on_the_template_after_the_plan_stops_the_apply_before_its_first_write() {
    for (subject, name) in [(ensemble as fn() -> _, "zk"), (cluster, "kafka")] {
        let world = world(Faults::none());
        let (mut core, _) = made(&world, subject()).await;
        let changed = config(&*core.resource, with(subject(), &json!({"labels": {"team": "b"}})).1);
        let planned = core.plan(&changed).await;
        world.kubernetes.edit("kubectl", &key(Kind::StatefulSet, name), "/spec/template/spec/dnsPolicy", json!("Default"));
        let (before, writes) = (pods(&world), world.kubernetes.writes());
        let said = core.apply_planned(&changed, planned).await;
        assert!(summaries(&said).contains(&"Somebody else changed the pods' template meanwhile"), "{said:?}");
        assert_eq!((pods(&world), world.kubernetes.writes()), (before, writes));
        settles(&mut core, &changed).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_hand_on_the_template_in_the_middle_of_a_roll_ends_it() {
    let world = world(Faults::none());
    let (mut core, _) = made(&world, cluster()).await;
    let changed = config(&*core.resource, with(cluster(), &json!({"heap": "300m"})).1);
    // It happens while the first pod restarts.
    world.kubernetes.script("kafka", Script::NotReady);
    let kubernetes = world.kubernetes.clone();
    let hand = tokio::spawn(async move {
        while !kubernetes.writes().iter().any(|write| write.contains("delete Pod")) {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        kubernetes.edit("kubectl", &key(Kind::StatefulSet, "kafka"), "/spec/template/spec/dnsPolicy", json!("Default"));
        kubernetes.script("kafka", Script::Ready);
        kubernetes.settle();
    });
    let said = core.apply(&changed).await;
    hand.await.unwrap();
    assert!(summaries(&said).iter().any(|summary| summary.contains("somebody else changed the pods' template")), "{said:?}");
    let restarts = world.kubernetes.writes().iter().filter(|write| write.contains("delete Pod")).count();
    assert_eq!(restarts, 1);
    settles(&mut core, &changed).await;
}

#[tokio::test(start_paused = true)]
async fn a_release_of_the_provider_that_makes_another_template_says_what_it_restarts() {
    for (subject, name) in [(ensemble as fn() -> _, "zk"), (cluster, "kafka")] {
        let world = world(Faults::none());
        let (mut core, wanted) = made(&world, subject()).await;
        // An earlier one made this of the same specification, noted no template, and all pods run it.
        let field = "/spec/template/spec/enableServiceLinks";
        world.kubernetes.edit("kubectl", &key(Kind::StatefulSet, name), field, json!(true));
        for pod in world.kubernetes.all(Kind::Pod) {
            world.kubernetes.remove(&pod.key());
        }
        world.kubernetes.edit("kubectl", &key(Kind::ConfigMap, &format!("{name}-kafkastack")), "/data/template", json!(null));
        core.refresh().await;
        let said = core.plan(&wanted).await.diagnostics;
        assert!(said.iter().any(|d| d.summary.starts_with("This change restarts 3")), "{said:?}");
        settles(&mut core, &wanted).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_webhook_makes_of_our_fields_is_said_and_breaks_neither_a_create_nor_a_change() {
    for (subject, name) in [(ensemble as fn() -> _, "zk"), (cluster, "kafka")] {
        let world = world(Faults::none());
        world.kubernetes.mutate(|object| {
            let fields = [("/spec/replicas", json!(2)), ("/spec/template/spec/containers/0/image", json!("mirror/of-all"))];
            if object.kind() == Kind::StatefulSet {
                fields.into_iter().for_each(|(field, value)| *object.json_mut().pointer_mut(field).unwrap() = value);
            }
        });
        let (mut core, wanted) = made(&world, subject()).await;
        let state = core.state.clone().unwrap();
        assert!(!state.tainted);
        let replicas = if name == "zk" { "members" } else { "brokers" };
        assert_ne!(state.value.get(replicas), &2i64.into(), "a create ends with what its plan said");
        // From then on it is drift, on the attributes that it is about; a webhook cannot be talked out of it.
        core.refresh().await;
        let state = core.state.clone().unwrap();
        assert_eq!((state.value.get(replicas), state.value.get("image")), (&2i64.into(), &"mirror/of-all".into()));
        let said = core.apply(&wanted).await;
        assert!(!summaries(&said).iter().any(|s| s.contains("inconsistent")), "{said:?}");
        assert!(summaries(&said).contains(&"The cluster changes what was applied"), "{said:?}");
    }
}

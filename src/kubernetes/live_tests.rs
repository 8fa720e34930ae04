//! The client against a real cluster, and the fake against the real server. Network.
//!
//! `KAFKASTACK_KUBECONFIG=... cargo test --lib live_tests -- --include-ignored`; everything happens in the namespace
//! `try-kubernetes` and its like, which are deleted at the end.

use super::*;
use crate::testing::{fake_kubernetes::FakeKubernetes, faults::Faults};
use futures::StreamExt;
use http::Request;
use serde_json::{Value, json};
use std::{fmt::Debug, time::Duration};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn cluster() -> Kubernetes {
    let file = std::env::var("KAFKASTACK_KUBECONFIG").expect("KAFKASTACK_KUBECONFIG must name a kubeconfig");
    let settings = Settings { config_paths: vec![file], ..Settings::default() };
    Kubernetes::connect(&settings).await.unwrap().0
}

/// Another person applies, with force.
async fn apply_as(kubernetes: &Kubernetes, manager: &str, object: &Object) {
    let path = client::path(&object.key());
    let request = Request::patch(format!("{path}?fieldManager={manager}&force=true"))
        .header("content-type", "application/apply-patch+yaml")
        .body(object.json().to_string().into_bytes());
    kubernetes.client().request_text(request.unwrap()).await.unwrap();
}

/// What was answered, without what differs between any two servers.
fn seen<T: Debug>(answers: &mut Vec<String>, name: &str, result: Result<T, Failure>) {
    let text = match result {
        Ok(_) => "done".to_owned(),
        Err(failure) => format!("{:?} {}", failure.class, failure.message),
    };
    // A uid is only ever in the words about preconditions, a diff only after those about claims.
    let text = ["in record (", "for bound claims"].iter().fold(text.as_str(), |text, end| text.split(end).next().unwrap_or(text));
    answers.push(format!("{name}: {text}"));
}

/// The calls whose answers are compared. `namespace` does not exist before.
async fn calls(kubernetes: &Kubernetes, namespace: &str) -> Vec<String> {
    let mut answers = Vec::new();
    let mut see = |name: &str, result: Result<Option<Object>, Failure>| seen(&mut answers, name, result);
    let apply = Apply::default();
    let config = |name: &str, content: Value| Object::of(&Key::new(Kind::ConfigMap, namespace, name), content);
    see("apply, no namespace", kubernetes.apply(&config("a", json!({})), apply).await.map(Some));
    see("create, no namespace", kubernetes.create(&config("a", json!({}))).await.map(Some));
    assert_eq!(kubernetes.get(&config("a", json!({})).key()).await.unwrap(), None);
    let home = Object::of(&Key::cluster_scoped(Kind::Namespace, namespace), json!({}));
    kubernetes.apply(&home, apply).await.unwrap();

    let first = kubernetes.create(&config("a", json!({"data": {"x": "1"}}))).await.unwrap();
    see("create twice", kubernetes.create(&config("a", json!({"data": {"x": "1"}}))).await.map(Some));
    see("apply what was created", kubernetes.apply(&config("a", json!({"data": {"x": "2"}})), apply).await.map(Some));
    see("apply as created", kubernetes.apply(&config("a", json!({"data": {"x": "1"}})), apply).await.map(Some));
    let mut next = kubernetes.get(&first.key()).await.unwrap().unwrap();
    next.json_mut()["data"]["x"] = "3".into();
    see("replace", kubernetes.replace(&next).await.map(Some));
    see("replace twice", kubernetes.replace(&next.clone()).await.map(Some));
    next.json_mut()["data"]["x"] = "4".into();
    see("replace a stale one", kubernetes.replace(&next).await.map(Some));
    let mut absent = config("absent", json!({}));
    absent.set_metadata("resourceVersion", "1".into());
    see("replace what is not there", kubernetes.replace(&absent).await.map(Some));
    let by_uid = |uid: &str| Delete { uid: Some(uid.to_owned()), ..Delete::default() };
    see("delete another uid", kubernetes.delete(&first.key(), by_uid("other")).await.map(|_| None));
    assert_eq!(kubernetes.delete(&first.key(), by_uid(first.uid())).await, Ok(true));
    assert_eq!(kubernetes.delete(&first.key(), by_uid(first.uid())).await, Ok(false));

    stateful_set_calls(kubernetes, namespace, &mut see).await;
    storage_calls(kubernetes, namespace, &mut see).await;
    ending_calls(kubernetes, namespace, &mut see).await;
    answers
}

async fn stateful_set_calls(
    kubernetes: &Kubernetes,
    namespace: &str,
    see: &mut impl FnMut(&str, Result<Option<Object>, Failure>),
) {
    let apply = Apply::default();
    let labels = json!({"app": "s"});
    let set = |replicas: i64, service: &str, image: &str| {
        let container = json!({
            "name": "c", "image": image, "ports": [{"containerPort": 9092}],
            "resources": {"requests": {"memory": "2048Mi", "cpu": "0.5"}},
        });
        Object::of(
            &Key::new(Kind::StatefulSet, namespace, "s"),
            json!({"spec": {
                "replicas": replicas, "serviceName": service, "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            }}),
        )
    };
    let made = kubernetes.apply(&set(0, "s", "one"), apply).await.unwrap();
    assert_eq!(differences(set(0, "s", "one").json(), made.json()), Vec::<String>::new());
    let settled = kubernetes.get(&made.key()).await.unwrap().unwrap();
    let again = kubernetes.apply(&set(0, "s", "one"), apply).await.unwrap();
    assert_eq!(again.int("/metadata/generation"), settled.int("/metadata/generation"));
    let service = kubernetes.apply(&set(0, "t", "one"), Apply { dry_run: true, ..apply }).await;
    see("another service name", service.map(Some));
    // Only a field that someone else took is a conflict; the error names both.
    let other = json!({"spec": {"replicas": 1, "template": {"spec": {"containers": [{"name": "c", "image": "two"}]}}}});
    let mut foreign = Object::of(&made.key(), other);
    foreign.json_mut()["spec"]["replicas"] = 0.into();
    apply_as(kubernetes, "kubectl-edit", &foreign).await;
    see("one conflict", kubernetes.apply(&set(0, "s", "one"), apply).await.map(Some));
    see("taken over", kubernetes.apply(&set(0, "s", "one"), Apply { force: true, ..apply }).await.map(Some));
    assert_eq!(kubernetes.delete(&made.key(), Delete { orphan: false, ..Delete::default() }).await, Ok(true));
}

async fn storage_calls(kubernetes: &Kubernetes, namespace: &str, see: &mut impl FnMut(&str, Result<Option<Object>, Failure>)) {
    let apply = Apply::default();
    let class = |provisioner: &str| {
        let key = Key::cluster_scoped(Kind::StorageClass, format!("{namespace}-class"));
        Object::of(&key, json!({"provisioner": provisioner}))
    };
    kubernetes.apply(&class("example.com/a"), apply).await.unwrap();
    see("another provisioner", kubernetes.apply(&class("example.com/b"), apply).await.map(Some));
    kubernetes.delete(&class("").key(), Delete::default()).await.unwrap();
    let claim = |class: &str, size: &str| {
        Object::of(
            &Key::new(Kind::PersistentVolumeClaim, namespace, "p"),
            json!({"spec": {
                "storageClassName": class, "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}},
            }}),
        )
    };
    kubernetes.apply(&claim("none", "1Gi"), apply).await.unwrap();
    see("an unbound claim's size", kubernetes.apply(&claim("none", "2Gi"), apply).await.map(Some));
    see("a claim's class", kubernetes.apply(&claim("other", "1Gi"), apply).await.map(Some));
}

async fn ending_calls(kubernetes: &Kubernetes, namespace: &str, see: &mut impl FnMut(&str, Result<Option<Object>, Failure>)) {
    let key = Key::new(Kind::ConfigMap, namespace, "held");
    let held = Object::of(&key, json!({"metadata": {"finalizers": ["example.com/hold"]}}));
    kubernetes.create(&held).await.unwrap();
    kubernetes.delete(&key, Delete::default()).await.unwrap();
    see("create what is being deleted", kubernetes.create(&Object::of(&key, json!({}))).await.map(Some));
    kubernetes.delete(&Key::cluster_scoped(Kind::Namespace, namespace), Delete::default()).await.unwrap();
    let late = Object::of(&Key::new(Kind::ConfigMap, namespace, "late"), json!({}));
    see("apply in an ending namespace", kubernetes.apply(&late, Apply::default()).await.map(Some));
    let mut free = kubernetes.get(&key).await.unwrap().unwrap();
    free.set_metadata("finalizers", json!([]));
    kubernetes.replace(&free).await.unwrap();
}

#[tokio::test]
#[ignore = "needs a cluster: set KAFKASTACK_KUBECONFIG, run with --include-ignored"]
async fn the_fake_server_answers_as_the_real_one() {
    let real = calls(&cluster().await, "try-kubernetes").await;
    let fake = calls(&FakeKubernetes::new(Faults::none()).impatient(), "try-kubernetes").await;
    assert_eq!(fake, real);
}

const NAMESPACE: &str = "try-kubernetes-live";

fn zookeeper() -> Object {
    let labels = json!({"app": "zk"});
    let container = json!({
        "name": "zk", "image": "docker.io/library/zookeeper:3.9.5", "env": [{"name": "JVMFLAGS", "value": "-Xmx64m"}],
        "resources": {"requests": {"memory": "96Mi", "cpu": "50m"}},
    });
    Object::of(
        &Key::new(Kind::StatefulSet, NAMESPACE, "zk"),
        json!({"spec": {
            "replicas": 1, "serviceName": "zk", "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]}},
        }}),
    )
}

/// Looks whenever there is reason to, for a minute at most.
async fn until<T>(kubernetes: &Kubernetes, kind: Kind, look: impl AsyncFn() -> Option<T>) -> T {
    let mut changes = kubernetes.watch(kind, NAMESPACE, "");
    let found = async {
        loop {
            changes.next().await;
            if let Some(found) = look().await {
                return found;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), found).await.expect("not within a minute")
}

/// The answer to `srvr`, or why there is none.
async fn srvr(kubernetes: &Kubernetes, port: u16) -> Result<String, Option<String>> {
    let mut tunnel = kubernetes.dial(NAMESPACE, "zk-0", port).await.map_err(|failure| Some(failure.to_string()))?;
    let mut answer = Vec::new();
    let asked = tunnel.io.write_all(b"srvr").await;
    let read = tokio::time::timeout(Duration::from_secs(5), tunnel.io.read_to_end(&mut answer)).await;
    if asked.is_err() || !matches!(read, Ok(Ok(_))) || answer.is_empty() {
        return Err(tokio::time::timeout(Duration::from_millis(500), tunnel.why).await.ok().flatten());
    }
    Ok(String::from_utf8(answer).unwrap())
}

#[tokio::test]
#[ignore = "needs a cluster: set KAFKASTACK_KUBECONFIG, run with --include-ignored"]
async fn a_pod_is_waited_for_explained_and_reached_through_the_api_server() {
    let kubernetes = cluster().await;
    let home = Key::cluster_scoped(Kind::Namespace, NAMESPACE);
    kubernetes.apply(&Object::of(&home, json!({})), Apply::default()).await.unwrap();

    let mut stuck = zookeeper();
    stuck.json_mut()["metadata"]["name"] = "stuck".into();
    stuck.json_mut()["spec"]["volumeClaimTemplates"] = json!([{"metadata": {"name": "data"}, "spec": {
        "storageClassName": "absent", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
    }}]);
    kubernetes.apply(&stuck, Apply::default()).await.unwrap();
    let because = until(&kubernetes, Kind::PersistentVolumeClaim, async || {
        kubernetes.why_not_ready(&stuck.key()).await.unwrap().into_iter().find(|reason| reason.outlook == explain::Outlook::Stuck)
    });
    let because = because.await.to_string();
    assert!(because.contains("StorageClass \"absent\" does not exist; there are: "), "{because}");
    kubernetes.delete(&stuck.key(), Delete::default()).await.unwrap();

    kubernetes.apply(&zookeeper(), Apply::default()).await.unwrap();
    until(&kubernetes, Kind::StatefulSet, async || {
        let live = kubernetes.get(&zookeeper().key()).await.unwrap()?;
        (live.int("/status/readyReplicas") == Some(1)).then_some(())
    })
    .await;
    assert_eq!(kubernetes.why_not_ready(&zookeeper().key()).await.unwrap(), []);
    let mut answer = srvr(&kubernetes, 2181).await;
    for _ in 0..60 {
        if answer.as_ref().is_ok_and(|answer| answer.contains("Mode: ")) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        answer = srvr(&kubernetes, 2181).await;
    }
    assert!(answer.as_ref().is_ok_and(|answer| answer.contains("Mode: standalone")), "{answer:?}");
    let refused = srvr(&kubernetes, 9).await.unwrap_err().unwrap();
    assert!(refused.contains("connection refused"), "{refused}");
    let nobody = kubernetes.dial(NAMESPACE, "nobody", 1).await.unwrap_err();
    assert_eq!(nobody.class, Class::NotFound, "{nobody}");
    let log = kubernetes.log_tail(NAMESPACE, "zk-0", "zk", 3, false).await.unwrap();
    assert!((1..=3).contains(&log.lines().count()), "{log}");
    assert!(!kubernetes.events(NAMESPACE, "zk-0").await.unwrap().is_empty());

    scaled_by_hand(&kubernetes).await;
    kubernetes.delete(&home, Delete::default()).await.unwrap();
}

async fn scale(kubernetes: &Kubernetes, replicas: i64) -> Result<Object, Failure> {
    let scale = format!("{}/scale?fieldManager=kubectl", client::path(&zookeeper().key()));
    let request = Request::patch(scale).header("content-type", "application/merge-patch+json");
    let body = json!({"spec": {"replicas": replicas}}).to_string().into_bytes();
    kubernetes.client().request_text(request.body(body).unwrap()).await.unwrap();
    let live = kubernetes.get(&zookeeper().key()).await.unwrap().unwrap();
    assert_eq!(differences(zookeeper().json(), live.json()), [".spec.replicas"]);
    kubernetes.apply(&zookeeper(), Apply::default()).await
}

/// `kubectl scale`, and what the next apply says.
async fn scaled_by_hand(kubernetes: &Kubernetes) {
    let failure = scale(kubernetes, 2).await.unwrap_err();
    let field = failure::FieldConflict { field: ".spec.replicas".into(), manager: "kubectl".into() };
    assert_eq!(failure.class, Class::Conflict(vec![field]), "{failure}");
    let force = Apply { force: true, ..Apply::default() };
    kubernetes.apply(&zookeeper(), force).await.unwrap();
    // The server leaves a zero out when it notes who scaled, so nobody owns the field then and there is no conflict.
    scale(kubernetes, 0).await.unwrap();
}

#[tokio::test]
#[ignore = "needs a cluster: set KAFKASTACK_KUBECONFIG, run with --include-ignored"]
async fn a_server_that_is_not_there_or_not_trusted_is_named_as_such() {
    let settings =
        |host: &str| Settings { host: Some(host.to_owned()), token: Some("t".to_owned().into()), ..Settings::default() };
    let key = Key::cluster_scoped(Kind::Namespace, "default");
    let patience = retry::Patience { attempts: 1, ..retry::Patience::default() };
    let failure = async |host: &str| {
        let client = Kubernetes::connect(&settings(host)).await.unwrap().0.client();
        Kubernetes::patient(client, patience).get(&key).await.unwrap_err().to_string()
    };
    let nobody = failure("https://127.0.0.1:1").await;
    assert!(nobody.contains("cannot be reached: Connection refused"), "{nobody}");
    let file = std::env::var("KAFKASTACK_KUBECONFIG").unwrap();
    let server = kube::config::Kubeconfig::read_from(file).unwrap().clusters[0].cluster.clone().unwrap().server.unwrap();
    let untrusted = failure(&server).await;
    assert!(untrusted.contains("cannot be reached") && untrusted.contains("certificate"), "{untrusted}");
}

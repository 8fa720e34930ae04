//! One more thing inside a cluster, through all that core asks. Simulated time.

use crate::plugin::identity::Identity;
use crate::plugin::provider::{Offers, Provider};
use crate::plugin::value::Value;
use crate::testing::core::{Core, config};
use crate::testing::extended::Extended;
use crate::testing::fake_kafka::{FakeTopic, Fault, When};
use crate::testing::faults::Faults;
use crate::testing::world::{self, World};
use serde_json::json;
use std::time::Duration;

/// The provider with one thing more: this is the line.
const WITH_ONE_MORE: Extended = Extended(super::offers);

/// The cluster `prod/kafka` with a topic `orders`.
async fn world() -> World {
    let world = world::world(Faults::none());
    world::made(&world, world::cluster()).await;
    let orders = FakeTopic { id: [1; 16], partitions: vec![vec![0, 1, 2]], configs: [].into() };
    world.kafka.edit("orders", |topic| *topic = Some(orders));
    world
}

fn core(world: &World) -> Core<'_> {
    let found = WITH_ONE_MORE.offers().resources.into_iter().find(|resource| resource.name() == super::resource::NAME);
    Core::new(found.expect("it is offered"), &world.stack)
}

fn wanted(core: &Core<'_>, value: &str) -> Value {
    config(&*core.resource, json!({"cluster": "prod/kafka", "topic": "orders", "key": "retention.ms", "value": value}))
}

fn on_the_topic(world: &World) -> Option<String> {
    world.kafka.topic("orders").unwrap().configs.get("retention.ms").cloned()
}

#[tokio::test(start_paused = true)]
async fn it_is_made_read_changed_and_deleted() {
    let world = world().await;
    let mut core = core(&world);
    for value in ["5", "6"] {
        let config = wanted(&core, value);
        let said = core.apply(&config).await;
        assert!(!said.has_errors(), "{said:?}");
        assert_eq!((on_the_topic(&world).as_deref(), core.unsettled(&config).await), (Some(value), None));
    }
    world.kafka.edit("orders", |topic| drop(topic.as_mut().unwrap().configs.insert("retention.ms".into(), "7".into())));
    core.refresh().await;
    assert_eq!(core.state.as_ref().unwrap().value.get("value"), &Value::from("7"), "drift is on the attribute");
    assert!(!core.destroy().await.has_errors());
    assert_eq!(on_the_topic(&world), None);
}

#[tokio::test(start_paused = true)]
async fn it_is_imported_by_its_identity_listed_and_asked_for() {
    let world = world().await;
    world.kafka.edit("orders", |topic| drop(topic.as_mut().unwrap().configs.insert("retention.ms".into(), "9".into())));
    let cx = crate::testing::context(&world.stack, Duration::from_secs(60));
    let core = core(&world);
    let identity = Identity::of(&core.schema.attributes).unwrap();
    let named = identity.parse("prod/kafka/orders/retention.ms").unwrap();
    let imported = core.resource.import(&cx, identity.complete(&named)).await.unwrap().expect("it is there");
    assert_eq!(imported.state.get("value"), &Value::from("9"));

    let Offers { data_sources, lists, .. } = WITH_ONE_MORE.offers();
    let source = data_sources.iter().find(|source| source.name() == super::resource::NAME).unwrap();
    let map = |entries: &[(&str, &str)]| entries.iter().map(|(k, v)| ((*k).to_owned(), Value::from(*v))).collect::<Value>();
    let asked = map(&[("cluster", "prod/kafka"), ("topic", "orders"), ("key", "retention.ms"), ("value", "")]);
    assert_eq!(source.read(&cx, asked).await.unwrap().state.get("value"), &Value::from("9"));
    let list = lists.iter().find(|list| list.name() == super::resource::NAME).unwrap();
    let search = map(&[("cluster", "prod/kafka"), ("topic", "orders")]);
    let found = list.list(&cx, search, crate::plugin::list::Wanted { limit: 9, whole: true }).await.unwrap();
    let names: Vec<_> = found.objects.iter().map(|listed| listed.display_name.as_str()).collect();
    assert_eq!(names, ["prod/kafka/orders/retention.ms"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_there_already_is_not_taken_over_and_a_brokers_refusal_is_said() {
    let world = world().await;
    let mut core = core(&world);
    world.kafka.fault(When::Next(44), Fault::Code(40));
    let config = wanted(&core, "5");
    let said = core.apply(&config).await;
    let text = said.iter().map(|one| one.text()).collect::<String>();
    assert!(said.has_errors() && text.contains("40"), "{said:?}");
    world.kafka.edit("orders", |topic| drop(topic.as_mut().unwrap().configs.insert("retention.ms".into(), "9".into())));
    let said = core.apply(&config).await;
    let kinds: Vec<_> = said.iter().map(|one| one.kind).collect();
    assert_eq!(kinds, ["topic_setting.set_already"]);
}

#[tokio::test(start_paused = true)]
async fn while_its_cluster_is_away_it_stays_in_the_state() {
    let world = world().await;
    let mut core = core(&world);
    let config = wanted(&core, "5");
    core.apply(&config).await;
    let mut set = world.kubernetes.get(&crate::stack::names::Id::new("prod", "kafka").set()).unwrap();
    set.json_mut()["spec"]["replicas"] = 0.into();
    world.kubernetes.put("kube", set);
    let said = core.refresh().await;
    let kinds: Vec<_> = said.iter().map(|one| one.kind).collect();
    assert_eq!((kinds, core.state.is_some()), (vec!["inside.away"], true));
}

#[tokio::test(start_paused = true)]
async fn what_nobody_could_look_at_is_not_imported() {
    let world = world().await;
    let cx = crate::testing::context(&world.stack, Duration::from_secs(60));
    let core = core(&world);
    let identity = Identity::of(&core.schema.attributes).unwrap();
    let import = async |id: &str| core.resource.import(&cx, identity.complete(&identity.parse(id).unwrap())).await;
    assert!(import("prod/nowhere/orders/retention.ms").await.is_err(), "there is no such cluster");
    assert!(import("prod/kafka/orders/retention.ms").await.unwrap().is_none(), "nobody set it");
    world.kafka.edit("orders", |topic| *topic = None);
    assert!(import("prod/kafka/orders/retention.ms").await.unwrap().is_none(), "there is no such topic");
}

#[tokio::test(start_paused = true)]
async fn a_create_whose_answer_was_lost_is_a_create() {
    let world = world().await;
    let mut core = core(&world);
    world.kafka.fault(When::Every(44), Fault::DropAfter);
    let config = wanted(&core, "5");
    let said = core.apply(&config).await;
    assert!(!said.has_errors(), "{said:?}");
    assert_eq!((on_the_topic(&world).as_deref(), core.unsettled(&config).await), (Some("5"), None));
}

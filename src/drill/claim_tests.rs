use super::*;
use crate::stack::names;
use crate::testing::fake_kubernetes::FakeKubernetes;
use crate::testing::faults::Faults;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

fn traces(name: &str) -> Traces {
    Traces { topic: name.to_owned(), znode: format!("/{name}") }
}

fn limits() -> Limits {
    Limits::new(CancellationToken::new(), Instant::now() + Duration::from_secs(60))
}

fn cluster() -> Key {
    names::drill("default", "kafka")
}

async fn take(fake: &FakeKubernetes, name: &str) -> Result<Claim, Unclaimed> {
    Claim::take(&fake.impatient(), cluster(), &traces(name), &limits()).await
}

#[tokio::test(start_paused = true)]
async fn a_claim_names_what_is_made_and_goes_last() {
    let fake = FakeKubernetes::new(Faults::none());
    let claim = take(&fake, "first").await.unwrap();
    assert_eq!(claim.earlier, None);
    let kept = claim.keep(traces("first"), &limits());
    tokio::time::sleep(BEAT * 3).await;
    let live = fake.get(&cluster()).unwrap();
    assert_eq!((live.text("/data/topic"), live.text("/data/znode")), ("first", "/first"));
    assert!(live.text("/data/beat").parse::<u64>().unwrap() >= 2);
    kept.release().await.unwrap();
    assert_eq!(fake.get(&cluster()), None);
}

#[tokio::test(start_paused = true)]
async fn a_second_drill_is_refused_while_the_first_runs() {
    let fake = FakeKubernetes::new(Faults::none());
    let kept = take(&fake, "first").await.unwrap().keep(traces("first"), &limits());
    let second = take(&fake, "second").await;
    assert!(matches!(second, Err(Unclaimed::Busy(topic)) if topic == "first"));
    kept.release().await.unwrap();
    assert!(take(&fake, "second").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_a_killed_drill_left_is_named_until_it_is_removed() {
    let fake = FakeKubernetes::new(Faults::none());
    take(&fake, "killed").await.unwrap().keep(traces("killed"), &limits()).abandon();
    let begun = Instant::now();
    let mut claim = take(&fake, "next").await.unwrap();
    assert!(begun.elapsed() < DEAD + BEAT);
    assert_eq!(claim.earlier, Some(traces("killed")));
    assert_eq!(fake.get(&cluster()).unwrap().text("/data/topic"), "killed", "killed again now, it is still named");
    claim.name(&traces("next")).await.unwrap();
    assert_eq!(fake.get(&cluster()).unwrap().text("/data/topic"), "next");
}

#[tokio::test(start_paused = true)]
async fn a_drill_whose_config_map_is_taken_away_ends() {
    let fake = FakeKubernetes::new(Faults::none());
    let limits = limits();
    let kept = take(&fake, "first").await.unwrap().keep(traces("first"), &limits);
    fake.remove(&cluster());
    assert_eq!(limits.pause(BEAT * 3).await, Err(Halt::Displaced));
    kept.release().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_object_of_somebody_else_is_not_touched() {
    let fake = FakeKubernetes::new(Faults::none());
    fake.put("kubectl", Object::of(&cluster(), json!({"data": {"a": "b"}})));
    assert!(matches!(take(&fake, "first").await, Err(Unclaimed::Taken(_))));
    assert_eq!(fake.get(&cluster()).unwrap().text("/data/a"), "b");
}

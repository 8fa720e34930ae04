//! What brokers say of themselves -> how the cluster is, broker by broker. Network; [`judge`] is pure, and its judgements are those of
//! `stack::ailments` and `stack::losses`.

use super::ensemble;
use super::objects;
use super::schema::Cluster;
use crate::kafka::{Admin, ClusterView, Error, Topic};
use crate::kubernetes::object::Object;
use crate::resources::workload::health::{Duty, Health};
use crate::resources::workload::pod::{Stage, is_ready};
use crate::stack::Stack;
use crate::stack::ailments::{Ailment, MinInSync, of_brokers, some};
use crate::stack::losses;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// How long each broker may take to say who is registered: it is asked again anyway. One that takes connections and never answers uses
/// it up.
const ANSWER: Duration = Duration::from_secs(2);
/// How long they may take to say what is in sync.
const TELL: Duration = Duration::from_secs(5);

/// What each broker says of the cluster, in the order of their ids.
type Views = [Result<ClusterView, Error>];

/// What only brokers that are all there can say.
struct Told {
    topics: Vec<Topic>,
    /// None: it was not asked, or not told.
    min_insync: Option<BTreeMap<String, usize>>,
}

/// Asks each broker who is registered, and one of them what is in sync. `restarts`: whether one is to be restarted.
pub async fn check(cluster: &Cluster, stack: &Stack, pods: &[Object], restarts: bool) -> Health {
    let brokers = objects::brokers(cluster);
    if !pods.iter().any(|pod| Stage::of(pod, brokers.container).listens()) {
        return Health::Unknown("no broker listens".to_owned());
    }
    // Pods are restarted on what is said here, so it has to be these pods that say it.
    let target = match cluster.proved_target(stack).await {
        Ok(target) => target,
        Err(failure) => return Health::Unknown(failure.to_string()),
    };
    let asked = stack.admin(&target).until(Instant::now() + ANSWER);
    let held = async {
        match restarts {
            true => ensemble::lost_quorum(stack, cluster).await,
            false => None,
        }
    };
    let (views, held) = tokio::join!(asked.views(), held);
    let admin = stack.admin(&target).until(Instant::now() + TELL);
    // Who is not all there has nothing to say about the rest yet.
    let told = match missing(&views).is_empty() {
        true => match ask(&admin, restarts && views.iter().filter(|view| view.is_err()).count() < 2).await {
            Ok(told) => Some(told),
            Err(error) => return Health::Unknown(error.to_string()),
        },
        false => None,
    };
    let said = judge(&brokers.pods(), &views, told.as_ref(), held.as_deref());
    match said {
        // The Service of `bootstrap_servers` leads to pods that the kubelet found ready, and otherwise nowhere.
        Health::Known { waits: None, duties } if !pods.iter().any(is_ready) => {
            Health::Known { waits: Some("no broker's pod is ready".to_owned()), duties }
        }
        said => said,
    }
}

async fn ask(admin: &Admin, restarts: bool) -> Result<Told, Error> {
    let topics = admin.topics(None).await?;
    let min_insync = if restarts { admin.min_insync(&topics).await.ok() } else { None };
    Ok(Told { topics, min_insync })
}

/// The brokers that are not registered, as most of those say who answer: one that got another listener sees only itself.
fn missing(views: &Views) -> Vec<i64> {
    let answers: Vec<&ClusterView> = views.iter().flatten().collect();
    let lists = |view: &&&ClusterView, id: i64| view.brokers.iter().any(|broker| i64::from(broker.id) == id);
    let registered = |id: &i64| answers.iter().filter(|view| lists(view, *id)).count() * 2 > answers.len();
    let all = 0..i64::try_from(views.len()).unwrap_or(i64::MAX);
    all.filter(|id| !registered(id)).collect()
}

/// `pods`: the name of each broker's, in the order of their ids. `held`: why no broker may go, whatever else there is.
fn judge(pods: &[String], views: &Views, told: Option<&Told>, held: Option<&str>) -> Health {
    if let Some(error @ Error::OtherCluster(_)) = views.iter().find_map(|view| view.as_ref().err()) {
        return Health::Unknown(error.to_string());
    }
    let missing = missing(views);
    let ids = || (0..).zip(views);
    let serves = |id: i64, view: &Result<ClusterView, Error>| view.is_ok() && !missing.contains(&id);
    let Some(view) = ids().find(|(id, view)| serves(*id, view)).and_then(|(_, view)| view.as_ref().ok()) else {
        let why = views.iter().find_map(|view| view.as_ref().err()).map_or_else(String::new, Error::to_string);
        return Health::Unknown(if why.is_empty() { Ailment::Unregistered(missing).to_string() } else { why });
    };
    let topics = told.map_or(&[][..], |told| &told.topics);
    let min_insync = told.and_then(|told| told.min_insync.as_ref());
    let mute: Vec<_> = ids().filter_map(|(id, view)| Some((id, view.as_ref().err()?.to_string()))).collect();
    let brokers = i64::try_from(views.len()).unwrap_or(i64::MAX);
    let waits = match missing.is_empty() {
        false => Some(Ailment::Unregistered(missing.clone())),
        true => of_brokers(brokers, view, topics, None).into_iter().next(),
    };
    let waits = waits.or_else(|| (!mute.is_empty()).then_some(Ailment::Mute(mute)));
    let duties = ids().zip(pods).map(|((id, answer), pod)| {
        let duty = Duty {
            serves: serves(id, answer),
            behind: is_behind(id, topics),
            leads: view.controller.map(i64::from) == Some(id),
            loss: held.map(str::to_owned).or_else(|| loss(id, view, topics, min_insync)),
            always: losses::always(id, topics, min_insync),
        };
        (pod.clone(), duty)
    });
    Health::Known { waits: waits.map(|ailment| ailment.to_string()), duties: duties.collect() }
}

/// Whether a broker has a replica that is not in sync.
fn is_behind(broker: i64, topics: &[Topic]) -> bool {
    let has = |ids: &[i32]| ids.iter().any(|id| i64::from(*id) == broker);
    topics.iter().flat_map(|topic| &topic.partitions).any(|partition| has(&partition.replicas) && !has(&partition.isr))
}

/// What would end with a broker, and would not if it was waited.
fn loss(broker: i64, view: &ClusterView, topics: &[Topic], min_insync: MinInSync<'_>) -> Option<String> {
    if view.controller.is_none() {
        return Some("there is no controller, so nobody would take over what a broker leads".to_owned());
    }
    let falling = losses::of_broker(broker, topics, min_insync);
    (!falling.is_empty()).then(|| format!("without broker {broker}, too few replicas would be in sync: {}", some(&falling)))
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

    fn mute() -> Result<ClusterView, Error> {
        Err(Error::Unreachable { tried: Vec::new() })
    }

    /// What waits, and of each broker whether it serves, is behind, leads, and whether something would be lost with it.
    fn judged(views: &Views, topics: &[Topic], min: usize) -> (Option<String>, Vec<[bool; 4]>) {
        let pods: Vec<String> = (0..views.len()).map(|i| format!("kafka-{i}")).collect();
        let told = Told { topics: topics.to_vec(), min_insync: Some([("orders".to_owned(), min)].into()) };
        match judge(&pods, views, Some(&told), None) {
            Health::Known { waits, duties } => {
                let of = |duty: Duty| [duty.serves, duty.behind, duty.leads, duty.loss.is_some()];
                (waits, duties.into_values().map(of).collect())
            }
            Health::Unknown(why) => (Some(why), Vec::new()),
        }
    }

    const SERVES: [bool; 4] = [true, false, false, false];
    const LEADS: [bool; 4] = [true, false, true, false];

    #[test]
    fn a_cluster_is_whole_when_all_answer_are_registered_and_in_sync() {
        let well = [0, 1, 2].map(|_| Ok(view(&[1, 0, 2])));
        assert_eq!(judged(&well, &[topic(&[0, 1, 2])], 2), (None, vec![SERVES, LEADS, SERVES]));
        let (waits, duties) = judged(&well, &[topic(&[0, 2])], 2);
        assert_eq!(waits.unwrap(), "1 partition(s) not in sync: orders-0 (replicas [0, 1, 2], in sync [0, 2])");
        // The one that is behind may go; without one of the others writes would end.
        assert_eq!(duties, [[true, false, false, true], [true, true, true, false], [true, false, false, true]]);
        assert!(judged(&well, &[topic(&[])], 2).0.unwrap().contains("no leader"));
    }

    #[test]
    fn who_is_registered_is_what_most_say() {
        // Broker 0 came back with another listener: it sees itself, and the others do not see it.
        let other = [Ok(view(&[0])), Ok(view(&[2, 1])), Ok(view(&[2, 1]))];
        let (waits, duties) = judged(&other, &[], 2);
        assert_eq!((waits.as_deref(), duties[0][0]), (Some("not registered: broker 0"), false));
        assert_eq!(duties[1..], [SERVES, LEADS]);
    }

    #[test]
    fn a_broker_that_is_registered_and_does_not_answer_does_not_serve() {
        let frozen = [mute(), Ok(view(&[1, 0, 2])), Ok(view(&[1, 0, 2]))];
        let (waits, duties) = judged(&frozen, &[topic(&[0, 1, 2])], 2);
        assert!(waits.unwrap().starts_with("broker 0 does not answer: "));
        assert_eq!(duties, [[false, false, false, false], LEADS, SERVES]);
        let (why, duties) = judged(&[mute(), mute()], &[], 2);
        assert!(why.is_some() && duties.is_empty());
    }

    #[test]
    fn a_broker_that_went_is_waited_for_until_nothing_can_be_placed_on_it() {
        let (waits, _) = judged(&[0, 1].map(|_| Ok(view(&[0, 1, 2]))), &[], 2);
        assert!(waits.unwrap().contains("broker 2"));
    }

    #[test]
    fn nobody_goes_while_nobody_could_come_back() {
        let views = [Ok(view(&[0]))];
        let Health::Known { duties, .. } = judge(&["kafka-0".to_owned()], &views, None, Some("no quorum")) else { panic!() };
        assert_eq!(duties["kafka-0"].loss.as_deref(), Some("no quorum"));
    }
}

//! A model of rolls: every state of three and of five pods, through the real `next`. What is seen may be from before a pod blinked,
//! and one answer may be lost; what is done goes by the preconditions and the budget that the API server checks.
//!
//! The pods are members of an ensemble, where the majority has to serve, or brokers, each with a replica of one partition with
//! `min.insync.replicas` = 2, or 3 of five. Pods are alike, so states that differ in the order of pods count once.

use super::health::{Duty, Health};
use super::pod::Stage;
use super::roll::{Pod, Set, Step, next};
use crate::kafka::Partition;
use crate::stack::losses::{Fall, fall, takes_quorum};
use std::collections::{BTreeMap, BTreeSet};

/// How a pod is in truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Truth {
    outdated: bool,
    stage: Stage,
    serves: bool,
    /// Of brokers: whether its replica is in sync.
    in_sync: bool,
    /// Whether its claim is being deleted.
    going: bool,
    /// How often it changed since it was looked at.
    version: u8,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Service {
    Members,
    Brokers,
}

impl Service {
    /// What writers and readers have.
    fn level(self, pods: &[Truth]) -> usize {
        let count = |test: fn(&Truth) -> bool| pods.iter().filter(|pod| test(pod)).count();
        match self {
            Self::Members => usize::from(count(|pod| pod.serves) > pods.len() / 2),
            Self::Brokers => match count(|pod| pod.serves && pod.in_sync) {
                0 => 0,
                in_sync => 1 + usize::from(in_sync >= needed(pods.len())),
            },
        }
    }

    /// What the service would say of itself. `lost`: the answer of this pod does not come.
    fn health(self, pods: &[Truth], lost: Option<usize>, leader: usize) -> Health {
        let answers = |i: usize| pods[i].serves && lost != Some(i);
        let serving = (0..pods.len()).filter(|i| answers(*i)).count();
        let (isr, replicas) = (ids(pods, |pod| pod.serves && pod.in_sync), ids(pods, |_| true));
        let partition = Partition { index: 0, leader: isr.first().copied(), isr: isr.clone(), replicas, offline: vec![] };
        let loss = |i: usize| match self {
            Self::Members => takes_quorum(pods.len(), serving, answers(i)),
            Self::Brokers => fall(i as i64, &partition, Some(needed(pods.len()))) == Fall::Avoidable,
        };
        let behind = |i: usize| self == Self::Brokers && !isr.contains(&(i as i32));
        let duty = |i: usize| Duty {
            serves: answers(i),
            behind: behind(i),
            leads: i == leader,
            loss: loss(i).then(|| "it would fall".to_owned()),
            always: Vec::new(),
        };
        let duties: BTreeMap<_, _> = (0..pods.len()).map(|i| (name(i), duty(i))).collect();
        let waits = duties.values().any(Duty::ails).then(|| "not whole".to_owned());
        Health::Known { waits, duties }
    }
}

fn needed(pods: usize) -> usize {
    pods / 2 + 1
}

fn name(i: usize) -> String {
    format!("pod-{i}")
}

fn ids(pods: &[Truth], test: fn(&Truth) -> bool) -> Vec<i32> {
    (0..).zip(pods).filter(|(_, pod)| test(pod)).map(|(i, _)| i).collect()
}

fn seen(pods: &[Truth]) -> Vec<Set> {
    let pod = |(i, truth): (usize, &Truth)| Pod {
        name: name(i),
        uid: name(i),
        version: truth.version.to_string(),
        outdated: truth.outdated,
        stage: truth.stage,
    };
    vec![Set { pods: pods.iter().enumerate().map(pod).collect(), unsettled: None }]
}

fn going(pods: &[Truth]) -> BTreeMap<String, String> {
    let of = |(i, truth): (usize, &Truth)| truth.going.then(|| (name(i), format!("data-{i}")));
    pods.iter().enumerate().filter_map(of).collect()
}

/// What the API server lets happen: a pod that is not as it was seen stays, and the budget of one pod counts who is not ready now.
fn may_go(service: Service, pods: &[Truth], step: &Step) -> Option<usize> {
    let Step::Restart { pod, serves } = step else { return None };
    let i: usize = pod.name.trim_start_matches("pod-").parse().unwrap();
    let spare = if service == Service::Members { (pods.len() - 1) / 2 } else { 1 };
    let away = pods.iter().filter(|pod| pod.stage != Stage::Ready).count();
    // One that is ready may go while that many are; one that runs and is not ready, while no more than that are missing
    // (`unhealthyPodEvictionPolicy: IfHealthyBudget`, the default).
    let within = !serves || if pods[i].stage == Stage::Ready { away < spare } else { away <= spare };
    (pods[i].version.to_string() == pod.version && within).then_some(i)
}

/// The same after the budget held a pod for long that the kubelet does not call ready: then it is not asked any more.
fn may_go_at_last(service: Service, pods: &[Truth], step: &Step) -> Option<usize> {
    let unready = |step: &Step| matches!(step, Step::Restart { pod, serves: true } if pod.stage != Stage::Ready);
    let unasked = |step: &Step| match step.clone() {
        Step::Restart { pod, .. } => Step::Restart { pod, serves: false },
        step => step,
    };
    may_go(service, pods, step).or_else(|| may_go(service, pods, &unasked(step)).filter(|_| unready(step)))
}

fn taken(pods: &[Truth], i: usize) -> Vec<Truth> {
    let mut after = pods.to_vec();
    after[i] = Truth { outdated: false, stage: Stage::Pending, serves: false, in_sync: false, ..after[i] };
    after
}

/// Every way that a pod can be: who serves listens, or the kubelet calls it broken, and who is in sync serves.
fn ways(service: Service) -> Vec<Truth> {
    let mut all = Vec::new();
    for outdated in [true, false] {
        for stage in [Stage::Broken, Stage::Pending, Stage::Starting, Stage::Up, Stage::Ready] {
            for (serves, in_sync) in [(false, false), (true, false), (true, true)] {
                for going in [false, true] {
                    let possible = (!serves || stage.listens() || stage == Stage::Broken)
                        && (service == Service::Brokers || serves == in_sync)
                        // Only of what has to be restarted does it matter.
                        && (outdated || !going);
                    if possible {
                        all.push(Truth { outdated, stage, serves, in_sync, going, version: 0 });
                    }
                }
            }
        }
    }
    all
}

/// Every state of that many pods, but for their order.
fn each_state(service: Service, size: usize, visit: &mut dyn FnMut(&[Truth])) {
    fn go(ways: &[Truth], from: usize, left: usize, state: &mut Vec<Truth>, visit: &mut dyn FnMut(&[Truth])) {
        if left == 0 {
            return visit(state);
        }
        for i in from..ways.len() {
            state.push(ways[i]);
            go(ways, i, left - 1, state, visit);
            state.pop();
        }
    }
    go(&ways(service), 0, size, &mut Vec::new(), visit);
}

/// The pods when one of them has blinked: it serves and is ready no more, and the server has noted that.
fn blinked(pods: &[Truth], i: usize) -> Vec<Truth> {
    let mut after = pods.to_vec();
    let stage = after[i].stage.min(Stage::Up);
    after[i] = Truth { stage, serves: false, in_sync: false, version: 1, ..after[i] };
    after
}

/// Takes nothing away that was there.
fn takes_nothing(service: Service, before: &[Truth], step: &Step, how: &str) {
    // The instant between the last look and the deed is the budget's to guard, as long as it is asked.
    let goes = if how.contains("before the deed") { may_go } else { may_go_at_last };
    let Some(i) = goes(service, before, step) else { return };
    assert!(before[i].outdated && !before[i].going, "{how}: {i} of {before:?}");
    let level = service.level(before);
    assert!(service.level(&taken(before, i)) >= level, "{how}: {i} of {before:?} takes {service:?} from level {level}");
    let others = || before.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, pod)| pod);
    let serves = before[i].serves && before[i].stage == Stage::Ready;
    let other_away = others().find(|pod| !pod.stage.runs() || pod.stage == Stage::Ready && !pod.serves && how == "as it is");
    assert!(!serves || other_away.is_none(), "{how}: {i} goes from {before:?} while another is away");
}

fn never_takes_anything(service: Service, size: usize) -> u64 {
    let mut states = 0;
    each_state(service, size, &mut |pods| {
        states += 1;
        let leader = pods.iter().position(|pod| pod.serves).unwrap_or(size);
        let (sets, gone) = (seen(pods), going(pods));
        let step = next(&sets, &service.health(pods, None, leader), &gone);
        takes_nothing(service, pods, &step, "as it is");
        for i in 0..size {
            let lost = next(&sets, &service.health(pods, Some(i), leader), &gone);
            takes_nothing(service, pods, &lost, "with one answer lost");
            // It blinked after it was looked at, or between the look at the pods and the question to the service.
            if pods[i].stage == Stage::Ready {
                let now = blinked(pods, i);
                takes_nothing(service, &now, &step, "a pod blinked before the deed");
                let mixed = next(&sets, &service.health(&now, None, leader), &gone);
                takes_nothing(service, &now, &mixed, "a pod blinked before the question");
            }
        }
    });
    states
}

/// What becomes of a state when nobody meddles: what was restarted comes, and catches up; what is broken, or hangs, stays so.
fn ends(service: Service, pods: &[Truth]) -> (Vec<Truth>, Step, usize) {
    let (mut pods, mut steps) = (pods.to_vec(), 0);
    loop {
        let leader = pods.iter().position(|pod| pod.serves).unwrap_or(pods.len());
        let step = next(&seen(&pods), &service.health(&pods, None, leader), &going(&pods));
        let Some(i) = may_go_at_last(service, &pods, &step) else { return (pods, step, steps) };
        pods[i] = Truth { outdated: false, stage: Stage::Ready, serves: true, in_sync: true, going: false, version: 0 };
        steps += 1;
        assert!(steps <= pods.len(), "no pod goes twice: {pods:?}");
    }
}

fn comes_to_an_end(service: Service, size: usize) {
    let mut last = BTreeSet::new();
    each_state(service, size, &mut |pods| {
        let (after, step, _) = ends(service, pods);
        let said = match &step {
            Step::Wait(why) => {
                assert!(!why.is_empty(), "it waits without a reason: {after:?}");
                "waits"
            }
            Step::Restart { .. } => "held",
            Step::Refuse { .. } => {
                assert!(after.iter().any(|pod| pod.going && pod.outdated));
                "refused"
            }
            Step::Done => "done",
        };
        last.insert(said);
        let whole = |pod: &Truth| pod.serves && pod.in_sync && pod.stage == Stage::Ready;
        if said == "done" {
            assert!(after.iter().all(|pod| !pod.outdated && pod.serves && pod.in_sync), "{pods:?} ends at {after:?}");
        }
        // What alone is not whole never holds a roll, whatever the kubelet says of it; nor does what is all whole.
        let ailing: Vec<&Truth> = pods.iter().filter(|pod| !whole(pod)).collect();
        let mendable = ailing.iter().all(|pod| pod.outdated) && ailing.len() < 2 && !pods.iter().any(|pod| pod.going);
        assert!(!mendable || said == "done", "{pods:?} could be mended, and ends at {after:?} with {step:?}");
    });
    assert!(["waits", "refused", "done"].iter().all(|said| last.contains(said)), "{last:?}");
}

#[test]
fn no_step_of_a_roll_takes_anything_from_the_service() {
    let (members, brokers) = (never_takes_anything(Service::Members, 3), never_takes_anything(Service::Brokers, 3));
    assert!(members > 500 && brokers > 2_000, "{members} {brokers}");
    std::thread::scope(|scope| {
        for service in [Service::Members, Service::Brokers] {
            scope.spawn(move || assert!(never_takes_anything(service, 5) > 10_000));
        }
    });
}

#[test]
fn every_roll_ends_whole_or_stops_with_a_reason() {
    std::thread::scope(|scope| {
        for service in [Service::Members, Service::Brokers] {
            scope.spawn(move || [3, 5].map(|size| comes_to_an_end(service, size)));
        }
    });
}

use super::*;
use crate::kubernetes::object::{Kind, Object};
use Stage::{Broken, Pending, Ready, Starting, Up};
use serde_json::json;

type Like = (&'static str, Stage);

fn pods(names: &[&str], states: [Like; 3]) -> Set {
    let pod = |(name, (revision, stage)): (&&str, Like)| Pod {
        name: (*name).to_owned(),
        uid: format!("uid-{name}"),
        version: "1".to_owned(),
        outdated: revision == "old",
        stage,
    };
    Set { pods: names.iter().zip(states).map(pod).collect(), unsettled: None }
}

fn three(states: [Like; 3]) -> Vec<Set> {
    vec![pods(&["a", "b", "c"], states)]
}

/// Pods `a`, `b`, `c` of one set, and `d`, `e`, `f` of the next.
fn six(first: [Like; 3], second: [Like; 3]) -> Vec<Set> {
    vec![pods(&["a", "b", "c"], first), pods(&["d", "e", "f"], second)]
}

/// A service in which these do not serve, and this one leads.
fn health(out: &[&str], leader: &str) -> Health {
    let duty = |name: &str| Duty { serves: !out.contains(&name), leads: name == leader, ..Duty::default() };
    let duties = ["a", "b", "c", "d", "e", "f"].map(|name| (name.to_owned(), duty(name))).into();
    Health::Known { waits: (!out.is_empty()).then(|| format!("out: {}", out.join(", "))), duties }
}

fn healthy(leader: &str) -> Health {
    health(&[], leader)
}

fn unknown() -> Health {
    Health::Unknown("nobody answers".to_owned())
}

fn decide(sets: &[Set], health: &Health) -> Step {
    next(sets, health, &BTreeMap::new())
}

fn step(states: [Like; 3], health: &Health) -> Step {
    decide(&three(states), health)
}

/// The pod that goes; its name ends with `!` when it is taken without asking anybody.
fn restarted(step: &Step) -> String {
    match step {
        Step::Restart { pod, serves } => format!("{}{}", pod.name, if *serves { "" } else { "!" }),
        _ => String::new(),
    }
}

fn wait(why: &str) -> Step {
    Step::Wait(why.to_owned())
}

#[test]
fn the_leader_restarts_last() {
    let mut sets = three([("old", Ready); 3]);
    let mut order = vec![];
    while let Step::Restart { pod, .. } = decide(&sets, &healthy("a")) {
        sets[0].pods.iter_mut().find(|one| one.name == pod.name).unwrap().outdated = false;
        order.push(pod.name);
    }
    assert_eq!(order, ["b", "c", "a"]);
    assert_eq!(decide(&sets, &healthy("a")), Step::Done);
}

#[test]
fn a_set_is_begun_when_those_before_it_have_ended() {
    let (old, new) = ([("old", Ready); 3], [("new", Ready); 3]);
    assert_eq!(restarted(&decide(&six(old, old), &healthy("c"))), "a");
    assert_eq!(restarted(&decide(&six(new, old), &healthy("d"))), "e");
    assert_eq!(decide(&six(new, new), &healthy("a")), Step::Done);
    assert_eq!(decide(&six(new, new), &Health::Unknown(String::new())), wait(""), "the service has to be asked");
    let begun = [("new", Starting), ("old", Ready), ("old", Ready)];
    assert_eq!(decide(&six(begun, old), &healthy("c")), wait("not ready: a"));
    // Pods of the second that wait for those of the first.
    assert_eq!(decide(&six(begun, [("old", Up); 3]), &unknown()), wait("not ready: a"));
}

#[test]
fn a_pod_of_another_set_that_is_down_by_our_hand_stops_a_roll() {
    let old = [("old", Ready); 3];
    for stage in [Up, Starting, Pending, Broken] {
        let begun = [("new", stage), ("new", Ready), ("new", Ready)];
        assert_eq!(decide(&six(old, begun), &healthy("c")), wait("not ready: d"), "{stage:?}");
        assert_eq!(decide(&six(begun, old), &healthy("c")), wait("not ready: a"), "{stage:?}");
    }
}

#[test]
fn what_is_down_is_put_right_first_whichever_set_it_is_of() {
    let old = [("old", Ready); 3];
    for stage in [Up, Starting, Pending, Broken] {
        let states = six(old, [("old", Ready), ("old", stage), ("old", Ready)]);
        assert_eq!(restarted(&decide(&states, &health(&["e"], "a"))), "e!", "{stage:?}");
    }
    // A restarted one may wait for those of another set that crash.
    let waits = [("new", Up), ("old", Ready), ("old", Ready)];
    assert_eq!(restarted(&decide(&six(waits, [("old", Broken); 3]), &unknown())), "d!");
    // Two that are down are nobody's only ailment.
    let two = [("old", Up), ("old", Up), ("old", Ready)];
    assert_eq!(decide(&six(old, two), &health(&["d", "e"], "a")), wait("out: d, e"));
    assert_eq!(decide(&six(old, two), &unknown()), wait("nobody answers"));
}

#[test]
fn nothing_restarts_while_one_is_not_ready_or_another_is_out() {
    let new_down = [("old", Ready), ("new", Starting), ("old", Ready)];
    assert_eq!(step(new_down, &healthy("c")), wait("not ready: b"));
    assert_eq!(step([("old", Ready), ("new", Ready), ("old", Ready)], &health(&["b"], "c")), wait("out: b"));
    // In another set, too.
    let old = [("old", Ready); 3];
    assert_eq!(decide(&six(old, [("new", Ready); 3]), &health(&["f"], "c")), wait("out: f"));
}

#[test]
fn while_a_new_pod_does_not_come_no_other_goes_whatever_its_state() {
    for old in [Ready, Up, Starting, Pending, Broken] {
        for new in [Starting, Pending, Broken] {
            for health in [healthy("c"), health(&["a", "b"], "c"), unknown()] {
                let said = step([("new", new), ("old", old), ("old", Ready)], &health);
                assert_eq!(said, wait("not ready: a"), "{new:?} {old:?}");
            }
        }
        // One that listens may still be no member: what blinks then is waited for.
        let said = step([("new", Up), ("old", old), ("old", Ready)], &health(&["a", "b"], "c"));
        let broken = old == Broken;
        assert_eq!(restarted(&said), if broken { "b!" } else { "" }, "{old:?}");
    }
}

#[test]
fn the_only_ailment_is_repaired_whatever_the_kubelet_says_of_it() {
    for (stage, first) in [Ready, Up, Starting, Pending].into_iter().flat_map(|stage| [(stage, "old"), (stage, "new")]) {
        let said = step([(first, Ready), ("old", stage), ("old", Ready)], &health(&["b"], "c"));
        assert_eq!(restarted(&said), "b!", "{stage:?} {first}");
    }
    // One that is as wanted is not made better by a restart.
    assert_eq!(step([("old", Ready), ("new", Ready), ("old", Ready)], &health(&["b"], "c")), wait("out: b"));
    // The kubelet does not see it, but the service says that it serves.
    assert_eq!(restarted(&step([("new", Ready), ("old", Up), ("old", Ready)], &healthy("c"))), "b");
}

#[test]
fn a_broken_pod_of_the_old_revision_goes_first() {
    assert_eq!(restarted(&step([("old", Ready), ("old", Broken), ("old", Ready)], &unknown())), "b!");
    assert_eq!(restarted(&step([("new", Ready), ("old", Ready), ("old", Broken)], &unknown())), "c!");
}

#[test]
fn a_broken_pod_that_serves_goes_as_any_other_that_serves() {
    let broken = [("old", Broken), ("old", Ready), ("old", Ready)];
    assert_eq!(step(broken, &Health::Unknown(String::new())), wait(""), "the service has to be asked");
    assert_eq!(restarted(&step(broken, &healthy("c"))), "a");
    let with = |duty: Duty| {
        let Health::Known { mut duties, .. } = healthy("c") else { panic!() };
        duties.insert("a".to_owned(), duty);
        Health::Known { waits: None, duties }
    };
    let loss = Some("orders-0".to_owned());
    assert_eq!(step(broken, &with(Duty { loss: loss.clone(), ..Duty::served() })), wait("orders-0"));
    // It may serve, and its answer was lost.
    assert_eq!(step(broken, &with(Duty { loss, ..Duty::default() })), wait("orders-0"));
    // Two at once never go, whatever the kubelet says of them.
    assert_eq!(step([("old", Broken), ("old", Broken), ("old", Ready)], &healthy("c")), wait("not ready: a, b"));
    assert_eq!(step([("new", Up), ("old", Broken), ("old", Ready)], &healthy("c")), wait("not ready: a"));
}

#[test]
fn members_that_listen_and_make_no_quorum_come_one_after_another() {
    let out = health(&["a", "b", "c", "d", "e", "f"], "");
    assert_eq!(restarted(&step([("new", Up), ("old", Up), ("old", Up)], &out)), "b!");
    assert_eq!(restarted(&step([("new", Up), ("new", Up), ("old", Up)], &out)), "c!");
    assert_eq!(step([("new", Up); 3], &out), wait("out: a, b, c, d, e, f"));
    // One that was restarted has to listen first, and where somebody serves it has to serve.
    assert_eq!(step([("new", Starting), ("old", Up), ("old", Up)], &out), wait("not ready: a"));
    assert_eq!(step([("new", Up), ("old", Up), ("old", Up)], &health(&["a", "b"], "c")), wait("not ready: a"));
}

#[test]
fn an_ensemble_whose_members_all_crash_is_put_right_by_a_good_configuration() {
    let out = health(&["a", "b", "c"], "");
    // The first one is right again, and waits for a quorum with the others.
    assert_eq!(restarted(&step([("old", Broken); 3], &out)), "a!");
    assert_eq!(restarted(&step([("new", Up), ("old", Broken), ("old", Broken)], &out)), "b!");
    assert_eq!(restarted(&step([("new", Up), ("new", Up), ("old", Broken)], &out)), "c!");
    // With probes that nobody passes, too. But an election is waited for: the kubelet has not seen it.
    assert_eq!(restarted(&decide(&three([("old", Up); 3])[..], &health(&["a", "b", "c", "d", "e", "f"], ""))), "a!");
    assert_eq!(step([("old", Ready); 3], &out), wait("out: a, b, c"));
}

#[test]
fn one_that_is_missed_by_the_service_or_that_is_behind_goes_only_when_nothing_falls() {
    let with = |name: &str, duty: Duty| {
        let Health::Known { mut duties, .. } = healthy("c") else { panic!() };
        duties.insert(name.to_owned(), duty);
        Health::Known { waits: Some("not whole".to_owned()), duties }
    };
    let old = [("old", Ready); 3];
    let loss = Some("orders-0".to_owned());
    assert_eq!(restarted(&step(old, &with("b", Duty { behind: true, ..Duty::served() }))), "b");
    assert_eq!(step(old, &with("b", Duty { behind: true, loss: loss.clone(), ..Duty::served() })), wait("orders-0"));
    assert_eq!(step(old, &with("b", Duty { loss: loss.clone(), ..Duty::default() })), wait("orders-0"));
    assert_eq!(restarted(&step(old, &with("a", Duty { loss, ..Duty::served() }))), "b", "another one may go");
    // What is not whole, and is no pod's, holds nobody back: but it is no end.
    assert_eq!(restarted(&step(old, &with("b", Duty::served()))), "a");
    assert_eq!(step([("new", Ready); 3], &with("b", Duty::served())), wait("not whole"));
}

#[test]
fn a_pod_whose_claim_is_being_deleted_is_not_restarted() {
    let going = [("b".to_owned(), "data-b".to_owned())].into();
    let old = three([("old", Ready), ("old", Ready), ("old", Ready)]);
    assert_eq!(next(&old, &healthy("c"), &going), Step::Refuse { pod: "b".to_owned(), claim: "data-b".to_owned() });
    // One that stays as it is keeps its data until its next end.
    let new = three([("old", Ready), ("new", Ready), ("old", Ready)]);
    assert_eq!(restarted(&next(&new, &healthy("c"), &going)), "a");
}

#[test]
fn without_restarts_the_service_is_believed_before_the_kubelet() {
    let states = [("new", Up), ("new", Ready), ("new", Up)];
    assert_eq!(step(states, &healthy("a")), Step::Done);
    assert_eq!(step(states, &health(&["c"], "a")), wait("out: c"));
    // Nobody has to be asked while a pod does not run.
    for stage in [Pending, Broken] {
        assert_eq!(step([("new", Up), ("new", Ready), ("new", stage)], &healthy("a")), wait("not ready: a, c"));
    }
}

#[test]
fn an_old_status_is_no_basis_for_a_restart() {
    let set = |observed: i64| {
        let status = json!({"observedGeneration": observed, "updateRevision": "new"});
        Object::new(Kind::StatefulSet, json!({"metadata": {"generation": 3}, "spec": {"replicas": 2}, "status": status}))
    };
    let pod = |name: &str, going: bool| {
        let stamp = going.then_some("2026-01-01T00:00:00Z");
        let labels = json!({"controller-revision-hash": "old"});
        Object::new(Kind::Pod, json!({"metadata": {"name": name, "labels": labels, "deletionTimestamp": stamp}}))
    };
    let why = |observed: i64, pods: &[Object]| match decide(&[Set::of(&set(observed), pods, "main")], &healthy("a")) {
        Step::Wait(why) => why,
        other => panic!("{other:?}"),
    };
    assert!(why(2, &[pod("a", false), pod("b", false)]).contains("not taken up"));
    assert_eq!(why(3, &[pod("a", false)]), "1 of 2 pods are there");
    assert_eq!(why(3, &[pod("a", false), pod("b", true)]), "pod b is stopping");
    assert!(Set::of(&set(3), &[pod("a", false)], "main").is_outdated());
}

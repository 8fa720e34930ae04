use super::*;
use crate::kafka::Broker;
use crate::stack::facts::tests::well;

fn topics(facts: &mut Facts) -> &mut Vec<Topic> {
    &mut facts.kafka.as_mut().unwrap().1
}

fn said(facts: &Facts) -> Vec<String> {
    ailments(facts).iter().map(ToString::to_string).collect()
}

#[test]
fn a_whole_stack_has_no_ailments_and_each_lack_is_named() {
    assert_eq!(ailments(&well()), []);
    type Harm = fn(&mut Facts);
    let harms: [(Harm, &str); 9] = [
        (|facts| facts.pods[0].ready = false, "not ready: kafka-0"),
        (|facts| drop(facts.pods.remove(1)), "2 of 3 ZooKeeper pods are there"),
        (
            |facts| facts.kafka = Err(Error::Unreachable { tried: vec![] }),
            "the brokers do not answer: no broker answers: no address is known",
        ),
        (|facts| drop(facts.kafka.as_mut().unwrap().0.brokers.remove(1)), "not registered: broker 1"),
        (
            |facts| {
                let brokers = &mut facts.kafka.as_mut().unwrap().0.brokers;
                brokers.push(Broker { id: 3, ..brokers[0].clone() });
            },
            "registered, but not wanted: broker 3 (one that went is forgotten when its session ends; one that stays was started by other hands, or is of another cluster in the same chroot)",
        ),
        (|facts| facts.kafka.as_mut().unwrap().0.controller = None, "there is no controller"),
        (
            |facts| topics(facts)[0].partitions[0].isr = vec![2, 0],
            "1 partition(s) not in sync: orders-0 (replicas [2, 0, 1], in sync [2, 0])",
        ),
        (|facts| facts.modes[0].1 = Err("it serves no requests".into()), "not in the quorum: zk-0: it serves no requests"),
        (|facts| facts.modes[1].1 = Ok(Mode::Follower), "no ZooKeeper member leads"),
    ];
    for (harm, said) in harms {
        let mut facts = well();
        harm(&mut facts);
        assert_eq!(self::said(&facts), [said]);
    }
}

#[test]
fn what_nobody_reads_or_writes_comes_first() {
    let mut facts = well();
    topics(&mut facts)[0].partitions[0].isr = vec![];
    topics(&mut facts)[0].partitions[0].leader = None;
    facts.modes[0].1 = Err("down".into());
    facts.modes[1].1 = Err("down".into());
    let said = said(&facts);
    assert_eq!(said[0], "no leader, so neither writes nor reads: orders-0");
    assert_eq!(
        said[2..],
        [
            "ZooKeeper has no quorum: 1 of 3 members serve",
            "not in the quorum: zk-0: down, zk-1: down",
            "no ZooKeeper member leads"
        ]
    );
}

#[test]
fn an_ensemble_serves_when_one_leads_and_the_others_follow() {
    let members = |answers: [Result<Mode, &str>; 3]| -> Vec<(String, Result<Mode, String>)> {
        answers.into_iter().enumerate().map(|(i, a)| (format!("zk-{i}"), a.map_err(str::to_owned))).collect()
    };
    assert_eq!(of_members(&members([Ok(Mode::Follower), Ok(Mode::Leader), Ok(Mode::Follower)])), []);
    for waiting in [
        members([Ok(Mode::Follower), Ok(Mode::Leader), Err("connection refused")]),
        members([Ok(Mode::Follower), Ok(Mode::Follower), Ok(Mode::Follower)]),
        members([Ok(Mode::Leader), Ok(Mode::Leader), Ok(Mode::Follower)]),
    ] {
        assert_ne!(of_members(&waiting), [], "{waiting:?}");
    }
}

#[test]
fn replicas_that_a_write_needs_are_missed_only_where_it_is_known_how_many() {
    let mut facts = well();
    topics(&mut facts)[0].partitions[0].isr = vec![2];
    let needs = BTreeMap::from([("orders".to_owned(), 2)]);
    assert!(of_stack(&facts, Some(&needs)).contains(&Ailment::UnderMinInSync(vec!["orders-0".to_owned()])));
    assert_eq!(ailments(&facts).len(), 1);
}

#[test]
fn many_names_are_cut_short() {
    let names: Vec<String> = (0..8).map(|i| i.to_string()).collect();
    assert_eq!(some(&names), "0, 1, 2, 3, 4 and 3 more");
}

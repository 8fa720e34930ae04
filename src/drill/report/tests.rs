use super::*;
use crate::drill::recording::{MemberSample, Outcome, PartitionSample, Read, Recording, Sample, Settings, StepRun, Write};
use crate::drill::verdict::Bounds;

/// A made-up drill, which says so: two brokers and the ZooKeeper leader are killed, and everything comes back.
pub(crate) fn sample() -> Recording {
    let kills = [(20_000u64, Some(0)), (70_000, Some(1)), (120_000, None)];
    let step = |kind: &str, target: &str, how: &str, killed: u64| StepRun {
        kind: kind.into(),
        target: target.into(),
        how: how.into(),
        began: killed - 300,
        killed: Some(killed),
        ready: Some(killed + 17_000),
        ended: killed + 30_000,
        ..StepRun::default()
    };
    let broker = |step: StepRun| {
        let killed = step.killed.unwrap_or(0);
        StepRun { new_leader: Some(killed + 900), full_isr: Some(killed + 18_500), ..step }
    };
    let steps = vec![
        broker(step("kill_broker", "kafka-0", "delete", 20_000)),
        broker(step("kill_leader_of_topic", "kafka-1", "kill", 70_000)),
        StepRun { quorum: Some(121_200), ..step("kill_zookeeper_leader", "zookeeper-2", "kill", 120_000) },
    ];
    let mut recording = Recording {
        settings: Settings {
            topic: "kafkastack-drill-sample".into(),
            partitions: 3,
            replication_factor: 3,
            min_insync_replicas: 2,
            acks: "all".into(),
            rate: 100,
        },
        began_unix_ms: 1_790_000_000_000,
        ended: 158_000,
        steps,
        samples: (0..300).map(|n| stack(n * 500, &kills)).collect(),
        ..Recording::default()
    };
    for n in 0..15_000u64 {
        let (partition, sequence, sent) = ((n % 3) as i32, n / 3, n * 10);
        let back = kills.iter().find_map(|(killed, broker)| {
            (*broker == Some(partition) && (*killed..killed + 1_100).contains(&sent)).then_some(killed + 1_100)
        });
        let at = back.unwrap_or(sent) + 4 + n * 7919 % 13;
        let offset = sequence as i64;
        recording.writes.push(Write { partition, sequence, sent, outcome: Outcome::Acknowledged { at, offset } });
        recording.reads.push(Read { partition, offset, sequence, at: at + 3 });
    }
    recording.reads.sort_by_key(|read| read.at);
    recording.found = Some(recording.reads.clone());
    recording
}

/// The stack at one moment: a broker that is killed leaves the in-sync replicas, and its partition goes to the next one.
fn stack(at: u64, kills: &[(u64, Option<i32>)]) -> Sample {
    let away =
        |broker: i32| kills.iter().any(|(killed, one)| *one == Some(broker) && (killed + 400..killed + 17_000).contains(&at));
    let partition = |index: i32| {
        let isr: Vec<i32> = (0..3).map(|n| (index + n) % 3).filter(|broker| !away(*broker)).collect();
        let electing = kills.iter().any(|(killed, one)| *one == Some(index) && (killed + 400..killed + 900).contains(&at));
        PartitionSample { index, leader: isr.first().copied().filter(|_| !electing), isr, replicas: vec![0, 1, 2] }
    };
    let member = |n: i32| {
        let role = match n {
            2 if (120_000..121_000).contains(&at) || (121_000..135_000).contains(&at) => "down",
            2 if at < 120_000 => "leader",
            1 if at >= 121_000 => "leader",
            _ => "follower",
        };
        MemberSample { pod: format!("zookeeper-{n}"), role: role.into() }
    };
    let mut not_ready: Vec<String> = (0..3).filter(|broker| away(*broker)).map(|broker| format!("kafka-{broker}")).collect();
    if (120_000..137_000).contains(&at) {
        not_ready.push("zookeeper-2".into());
    }
    Sample {
        at,
        partitions: (0..3).map(partition).collect(),
        controller: Some(2),
        zookeeper: (0..3).map(member).collect(),
        not_ready,
    }
}

fn report(recording: &Recording) -> Report {
    Report::new("kafka/kafka", recording, &Bounds { max_unavailable_ms: Some(15_000), max_recovery_ms: None })
}

#[test]
fn a_report_says_first_what_counts() {
    let report = report(&sample());
    assert!(report.verdict.passed, "{:?}", report.verdict.reasons);
    let html = report.html();
    let first = html.find("0 of 15,000 acknowledged records lost; longest write gap 1.2 s").expect("the summary");
    assert!(first < html.find("<svg").expect("a chart"), "words come before the picture");
    assert!(html.contains(">Passed<") && !html.contains(">Failed<"));
}

#[test]
fn a_report_is_the_same_from_its_own_json() {
    let report = report(&sample());
    let again = Report::parse(&report.json()).expect("JSON");
    assert_eq!(again, report);
    assert_eq!(again.html(), report.html());
    let later = report.json().replace("\"schema_version\":1", "\"schema_version\":2");
    assert_eq!(Report::parse(&later), Err("its schema_version is 2; this version of the provider draws 1".to_owned()));
    assert!(Report::parse("{}").is_err());
}

#[test]
fn a_failed_drill_says_so_with_its_reasons() {
    let mut recording = sample();
    recording.found.as_mut().expect("found").retain(|read| read.partition != 1 || !(700..720).contains(&read.sequence));
    let html = report(&recording).html();
    assert!(html.contains(">Failed<") && html.contains("20 records acknowledged and lost: partition 1: 700 to 719"), "{html}");
}

#[test]
fn nothing_that_comes_from_elsewhere_is_markup() {
    let evil = "</style><script>alert(1)</script>\" onload='x' & \u{0}";
    let mut recording = sample();
    recording.settings.topic = evil.into();
    recording.settings.acks = evil.into();
    for step in &mut recording.steps {
        (step.kind, step.target, step.how, step.error) = (evil.into(), evil.into(), evil.into(), Some(evil.into()));
    }
    for sample in &mut recording.samples {
        sample.not_ready = vec![evil.into()];
        sample.zookeeper = vec![MemberSample { pod: evil.into(), role: evil.into() }];
    }
    let html = Report::new(evil, &recording, &Bounds::default()).html();
    assert!(!html.contains("<script") && !html.contains("onload='") && !html.contains("\" onload") && !html.contains('\u{0}'));
    assert_eq!(html.matches("</style>").count(), 1);
}

#[test]
fn a_page_needs_nothing_else() {
    let html = report(&sample()).html();
    for outside in ["http:", "https:", "<script", "<link", "<img", "@import", "url(", "src="] {
        assert!(!html.contains(outside), "{outside}");
    }
}

#[test]
fn a_report_is_small_however_long_the_drill_and_however_many_partitions() {
    let mut recording = sample();
    for n in 0..2_000u64 {
        let partition = |index| PartitionSample {
            index,
            leader: Some((n % 3) as i32),
            isr: vec![0; (n % 4) as usize],
            replicas: vec![0, 1, 2],
        };
        let zookeeper =
            vec![MemberSample { pod: "zookeeper-0".into(), role: if n % 2 == 0 { "leader" } else { "follower" }.into() }];
        recording.samples.push(Sample {
            at: 150_000 + n * 2_000,
            partitions: (0..40).map(partition).collect(),
            zookeeper,
            ..Sample::default()
        });
    }
    recording.steps[2].ended = 150_000 + 2_000 * 2_000;
    let report = report(&recording);
    let (json, html) = (report.json().len(), report.html().len());
    assert!(report.timeline.buckets.len() <= 301 && report.timeline.leaders.iter().all(|lane| lane.spans.len() <= 300));
    assert!(json < 3_000_000 && html < 2_000_000, "{json} {html}");
    assert!(self::report(&sample()).html().len() < 150_000);
}

#[test]
fn an_empty_recording_is_a_page_too() {
    let report = report(&Recording::default());
    assert!(!report.verdict.passed);
    assert!(report.html().contains("no record was acknowledged"));
}

#[test]
fn buckets_add_up_to_what_was_acknowledged_and_read() {
    let (recording, report) = (sample(), report(&sample()));
    let sum = |of: fn(&Bucket) -> u64| report.timeline.buckets.iter().map(of).sum::<u64>();
    assert_eq!((sum(|bucket| bucket.acknowledged), sum(|bucket| bucket.read)), (15_000, recording.reads.len() as u64));
    let lost_leader = report.timeline.leaders[0].spans.iter().map(|span| span.value.as_str()).collect::<Vec<_>>();
    assert_eq!(lost_leader, ["0", "none", "1", "0", "0"][..4].to_vec());
}

//! What a service would lose if one of its pods went now: the question before each restart. Pure.
//!
//! A partition is written with acks=all while `min.insync.replicas` of its replicas are in sync, and read while one is
//! (<https://kafka.apache.org/39/documentation.html#topicconfigs_min.insync.replicas>); an ensemble serves while more than half of
//! its members do.

use super::ailments::MinInSync;
use crate::kafka::{Partition, Topic};
use crate::zookeeper::quorum;

/// What becomes of a partition when a broker goes that has a replica of it in sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fall {
    /// It goes on as before.
    None,
    /// Writes with acks=all, or reads, end that would go on if its other replicas were in sync first.
    Avoidable,
    /// They end whenever one of its brokers is away: it has no more replicas than it needs.
    Always,
}

/// What the loss of `broker` does to a partition. `needed`: its `min.insync.replicas`; none where that is not known, and then as many
/// as can be had while one is away.
pub fn fall(broker: i64, partition: &Partition, needed: Option<usize>) -> Fall {
    let Partition { leader, isr, replicas, .. } = partition;
    // Without a leader nothing is served that could be lost.
    if leader.is_none() || !isr.iter().any(|id| i64::from(*id) == broker) {
        return Fall::None;
    }
    let (now, left) = (isr.len(), isr.len() - 1);
    let needed = needed.unwrap_or(replicas.len().saturating_sub(1));
    let ends = left == 0 || (now >= needed && left < needed);
    match ends {
        false => Fall::None,
        true if now >= replicas.len() => Fall::Always,
        true => Fall::Avoidable,
    }
}

/// The partitions that would fall when `broker` goes, as `<topic>-<partition>`, where waiting helps.
pub fn of_broker(broker: i64, topics: &[Topic], min_insync: MinInSync<'_>) -> Vec<String> {
    let each = topics.iter().flat_map(|topic| topic.partitions.iter().map(move |partition| (topic, partition)));
    each.filter(|(topic, partition)| {
        let needed = min_insync.and_then(|known| known.get(&topic.name).copied());
        fall(broker, partition, needed) == Fall::Avoidable
    })
    .map(|(topic, partition)| format!("{}-{}", topic.name, partition.index))
    .collect()
}

/// The topics that are not served as before whenever `broker` is away: they have no more replicas than they need.
pub fn always(broker: i64, topics: &[Topic], min_insync: MinInSync<'_>) -> Vec<String> {
    let falls = |topic: &&Topic| {
        let needed = min_insync.and_then(|known| known.get(&topic.name).copied());
        topic.partitions.iter().any(|partition| fall(broker, partition, needed) == Fall::Always)
    };
    topics.iter().filter(falls).map(|topic| topic.name.clone()).collect()
}

/// Whether an ensemble of `members`, of which `serving` were seen to serve, would lose its quorum without this one. One that was not
/// seen to serve may do so all the same: an answer may be lost on the way.
pub fn takes_quorum(members: usize, serving: usize, serves: bool) -> bool {
    let needed = quorum(members);
    match serves {
        // Where one may never be away, waiting does not help.
        true => serving == needed && serving < members,
        false => serving + 1 == needed && members > 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(replicas: i32, isr: &[i32]) -> Partition {
        Partition {
            index: 0,
            leader: isr.first().copied(),
            replicas: (0..replicas).collect(),
            isr: isr.to_vec(),
            offline: vec![],
        }
    }

    #[test]
    fn a_partition_falls_when_too_few_are_left_in_sync() {
        let of = |replicas, isr: &[i32], needed| fall(0, &partition(replicas, isr), Some(needed));
        assert_eq!(of(3, &[0, 1, 2], 2), Fall::None);
        assert_eq!(of(3, &[0, 1], 2), Fall::Avoidable);
        assert_eq!(of(3, &[1, 2], 2), Fall::None, "it has none in sync there");
        assert_eq!(of(3, &[0, 1], 3), Fall::None, "writes have ended already");
        assert_eq!(of(3, &[0], 2), Fall::Avoidable, "reads would end");
        assert_eq!(of(3, &[0], 1), Fall::Avoidable);
        assert_eq!(of(3, &[], 2), Fall::None);
        // Whenever one is away.
        assert_eq!(of(3, &[0, 1, 2], 3), Fall::Always);
        assert_eq!(of(2, &[0, 1], 2), Fall::Always);
        assert_eq!(of(1, &[0], 1), Fall::Always);
        assert_eq!(of(1, &[0], 2), Fall::Always);
        // Nobody said what is needed: all others.
        assert_eq!(fall(0, &partition(3, &[0, 1, 2]), None), Fall::None);
        assert_eq!(fall(0, &partition(3, &[0, 1]), None), Fall::Avoidable);
    }

    #[test]
    fn a_quorum_is_lost_by_one_of_just_enough() {
        let of = |members, serving| takes_quorum(members, serving, true);
        assert!(of(3, 2) && of(5, 3) && !of(3, 3) && !of(5, 4) && !of(5, 5) && !of(1, 1) && !of(2, 2));
        // One that was not seen may be the one that makes it.
        let unseen = |members, serving| takes_quorum(members, serving, false);
        assert!(unseen(3, 1) && unseen(5, 2) && !unseen(3, 2) && !unseen(3, 0) && !unseen(1, 0) && !unseen(5, 4));
    }
}

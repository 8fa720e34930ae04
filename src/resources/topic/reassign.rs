//! How many replicas each partition should have -> which ones. Pure, and the same for the same input.
//!
//! As little moves as can be: what a partition has stays, in its order, and its leader with it. New replicas go to racks that
//! the partition is not in, then to the brokers with the fewest replicas; those that go are first the ones out of sync, then
//! those that share a rack, then those on the fullest brokers.

use crate::kafka::{Broker, Partition, Topic};
use std::collections::BTreeMap;

/// Replicas on each broker, those of all topics: what a new one adds to.
pub fn load(topics: &[Topic]) -> BTreeMap<i32, usize> {
    let mut load = BTreeMap::new();
    for id in topics.iter().flat_map(|topic| &topic.partitions).flat_map(|partition| &partition.replicas) {
        *load.entry(*id).or_default() += 1;
    }
    load
}

/// The partitions that have to change, with their new replicas, preferred leader first.
///
/// Fewer than `factor` replicas come out where there are fewer brokers: the caller has refused that before.
pub fn moves(
    partitions: &[Partition],
    factor: usize,
    brokers: &[Broker],
    mut load: BTreeMap<i32, usize>,
) -> Vec<(i32, Vec<i32>)> {
    let mut moves = Vec::new();
    for partition in partitions.iter().filter(|partition| partition.replicas.len() != factor) {
        let mut replicas = partition.replicas.clone();
        while replicas.len() > factor.max(1) {
            let Some(gone) = to_drop(partition, &replicas, brokers, &load) else { break };
            replicas.retain(|id| *id != gone);
            if let Some(count) = load.get_mut(&gone) {
                *count = count.saturating_sub(1);
            }
        }
        while replicas.len() < factor {
            let Some(new) = to_add(&replicas, brokers, &load) else { break };
            replicas.push(new);
            *load.entry(new).or_default() += 1;
        }
        if replicas != partition.replicas {
            moves.push((partition.index, replicas));
        }
    }
    moves
}

fn rack(brokers: &[Broker], id: i32) -> Option<&str> {
    brokers.iter().find(|broker| broker.id == id)?.rack.as_deref()
}

/// How many of `replicas` are in the rack of `id`; one without a rack is in nobody's.
fn neighbours(brokers: &[Broker], replicas: &[i32], id: i32) -> usize {
    let Some(here) = rack(brokers, id) else { return 0 };
    replicas.iter().filter(|other| **other != id && rack(brokers, **other) == Some(here)).count()
}

fn count(load: &BTreeMap<i32, usize>, id: i32) -> usize {
    load.get(&id).copied().unwrap_or_default()
}

fn to_add(replicas: &[i32], brokers: &[Broker], load: &BTreeMap<i32, usize>) -> Option<i32> {
    let free = brokers.iter().map(|broker| broker.id).filter(|id| !replicas.contains(id));
    free.min_by_key(|id| (neighbours(brokers, replicas, *id), count(load, *id), *id))
}

fn to_drop(partition: &Partition, replicas: &[i32], brokers: &[Broker], load: &BTreeMap<i32, usize>) -> Option<i32> {
    let leader = partition.leader.or_else(|| partition.isr.first().copied());
    let may_go = replicas.iter().enumerate().filter(|(_, id)| Some(**id) != leader);
    may_go
        .max_by_key(|(place, id)| {
            let in_sync = partition.isr.contains(id);
            (!in_sync, *place > 0, neighbours(brokers, replicas, **id), count(load, **id), *place)
        })
        .map(|(_, id)| *id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn brokers(racks: &[Option<u8>]) -> Vec<Broker> {
        let broker = |(id, rack): (usize, &Option<u8>)| Broker {
            id: id as i32,
            host: String::new(),
            port: 9092,
            rack: rack.map(|rack| format!("zone-{rack}")),
        };
        racks.iter().enumerate().map(broker).collect()
    }

    fn partition(index: i32, replicas: &[i32], leader: Option<i32>) -> Partition {
        Partition { index, leader, replicas: replicas.to_vec(), isr: replicas.to_vec(), offline: vec![] }
    }

    #[test]
    fn new_replicas_go_to_other_racks_and_to_the_emptiest_brokers() {
        let brokers = brokers(&[Some(0), Some(0), Some(1), Some(1), Some(2)]);
        let load = BTreeMap::from([(2, 5), (3, 1), (4, 9)]);
        assert_eq!(moves(&[partition(0, &[0], Some(0))], 3, &brokers, load), [(0, vec![0, 3, 4])]);
    }

    #[test]
    fn what_goes_is_out_of_sync_or_shares_a_rack_and_never_leads() {
        let brokers = brokers(&[Some(0), Some(0), Some(1), Some(2)]);
        let shared = partition(0, &[0, 1, 2], Some(0));
        assert_eq!(moves(&[shared], 2, &brokers, BTreeMap::new()), [(0, vec![0, 2])]);
        let behind = Partition { isr: vec![0, 1], ..partition(0, &[0, 1, 2], Some(0)) };
        assert_eq!(moves(&[behind], 2, &brokers, BTreeMap::new()), [(0, vec![0, 1])]);
        assert_eq!(moves(&[partition(0, &[1, 2, 3], Some(3))], 1, &brokers, BTreeMap::new()), [(0, vec![3])]);
    }

    prop_compose! {
        fn world()(racks in prop::collection::vec(prop::option::of(0..3u8), 1..7))(
            picks in prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 1..7), 1..12),
            factor in 1..=racks.len(),
            racks in Just(racks),
        ) -> (Vec<Broker>, Vec<Partition>, usize) {
            let partitions = picks.iter().enumerate().map(|(index, picks)| {
                let mut replicas: Vec<i32> = Vec::new();
                for pick in picks {
                    let id = pick.index(racks.len()) as i32;
                    if !replicas.contains(&id) { replicas.push(id); }
                }
                let leader = replicas.get(picks[0].index(replicas.len())).copied();
                partition(index as i32, &replicas, leader)
            });
            (brokers(&racks), partitions.collect(), factor)
        }
    }

    proptest! {
        #[test]
        fn every_partition_gets_what_was_asked_and_keeps_what_it_has((brokers, partitions, factor) in world()) {
            let done = moves(&partitions, factor, &brokers, BTreeMap::new());
            let again = moves(&partitions, factor, &brokers, BTreeMap::new());
            prop_assert_eq!(&done, &again, "the same for the same input");
            let mut after = partitions.clone();
            for (index, replicas) in &done {
                after[*index as usize].replicas.clone_from(replicas);
            }
            for (before, after) in partitions.iter().zip(&after) {
                let unique: BTreeSet<_> = after.replicas.iter().collect();
                prop_assert_eq!((unique.len(), after.replicas.len()), (factor, factor));
                prop_assert!(after.replicas.contains(&before.leader.unwrap()), "the leader stays");
                let kept: Vec<_> = before.replicas.iter().filter(|id| after.replicas.contains(id)).collect();
                prop_assert_eq!(kept.len(), factor.min(before.replicas.len()), "nothing moves that need not");
                let order: Vec<_> = after.replicas.iter().filter(|id| before.replicas.contains(id)).collect();
                prop_assert_eq!(kept, order, "in its order");
            }
            prop_assert!(moves(&after, factor, &brokers, BTreeMap::new()).is_empty(), "done is done");
        }

        #[test]
        fn growth_spreads_evenly_where_every_broker_has_its_own_rack(count in 3..7usize, partitions in 1..20usize) {
            let racks: Vec<_> = (0..count).map(|id| Some(id as u8)).collect();
            let all: Vec<_> = (0..partitions).map(|i| partition(i as i32, &[(i % count) as i32], Some((i % count) as i32))).collect();
            let topic = Topic { name: "a".into(), id: None, internal: false, partitions: all.clone() };
            let mut load = load(&[topic]);
            for (_, replicas) in moves(&all, 3, &brokers(&racks), load.clone()) {
                replicas.iter().skip(1).for_each(|id| *load.entry(*id).or_default() += 1);
            }
            let counts: Vec<usize> = (0..count as i32).map(|id| super::count(&load, id)).collect();
            let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
            prop_assert!(most - least <= 2, "{:?}", counts);
        }
    }
}

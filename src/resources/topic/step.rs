//! The next write that brings a topic to what is wanted. Pure; the loop that obeys it is in `apply.rs`.

use super::schema::Topic;
use super::setting;
use crate::kafka::{self, ConfigEntry, NewTopic, Partition, Reassignment, Source};
use std::collections::BTreeMap;
use std::fmt;

/// A topic as its cluster has it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its partitions.
    pub topic: kafka::Topic,
    /// Every setting, inherited ones too.
    pub configs: Vec<ConfigEntry>,
    /// Its partitions that move now; asked for only where replicas are at issue.
    pub moving: Vec<Reassignment>,
}

/// What an update wants of it.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// How many partitions.
    pub partitions: usize,
    /// How many replicas of each; none: as they are.
    pub factor: Option<usize>,
    /// Settings to have.
    pub config: BTreeMap<String, String>,
    /// Settings that were managed and are no more: back to the brokers' default.
    pub forget: Vec<String>,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Add partitions, up to this many.
    Grow(i32),
    /// Change replicas to this many of each partition.
    Reassign(usize),
    /// Set these settings and unset those.
    Configure(BTreeMap<String, String>, Vec<String>),
    /// Partitions move: look again later.
    AwaitMoves(usize),
    /// It has more partitions than wanted, and none can be removed.
    TooMany(usize),
    /// It is as wanted.
    Done,
}

/// What a step is waited for with.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grow(total) => write!(f, "it does not show {total} partition(s) yet"),
            Self::Reassign(factor) => write!(f, "its replicas do not move yet to be {factor} of each partition"),
            Self::Configure(set, unset) => {
                let keys: Vec<&str> = set.keys().chain(unset).map(String::as_str).collect();
                write!(f, "it does not show these settings yet as they were written: {}", keys.join(", "))
            }
            Self::AwaitMoves(count) => write!(f, "{count} partition(s) still move"),
            Self::TooMany(_) | Self::Done => f.write_str("there is nothing to wait for"),
        }
    }
}

impl Wanted {
    /// What leads from one state to a planned one.
    pub fn of(prior: &Topic, planned: &Topic) -> Self {
        let config = planned.config.unwrap_or_default();
        let forget = prior.config.unwrap_or_default().into_keys().filter(|key| !config.contains_key(key)).collect();
        let count = |n: i64| usize::try_from(n).unwrap_or(usize::MAX);
        let factor = planned.replication_factor.known().filter(|_| planned.replication_factor != prior.replication_factor);
        Self { partitions: count(planned.partitions.unwrap_or(1)), factor: factor.map(|n| count(*n)), config, forget }
    }
}

impl Seen {
    /// What is set on the topic itself.
    pub fn own(&self, key: &str) -> Option<&str> {
        self.configs.iter().find(|entry| entry.name == key && entry.source == Source::Topic)?.value.as_deref()
    }

    /// What holds, wherever it is set.
    pub fn effective(&self, key: &str) -> Option<&str> {
        self.configs.iter().find(|entry| entry.name == key)?.value.as_deref()
    }

    /// Replicas that a partition has for good: those on their way in do not count yet.
    fn settled(&self, partition: &Partition) -> usize {
        let moving = self.moving.iter().find(|moving| moving.partition == partition.index);
        let adding = moving.map_or(0, |moving| partition.replicas.iter().filter(|id| moving.adding.contains(id)).count());
        partition.replicas.len() - adding
    }

    /// The number of replicas of the partition that has the fewest.
    pub fn factor(&self) -> usize {
        self.topic.partitions.iter().map(|partition| self.settled(partition)).min().unwrap_or_default()
    }

    /// Whether it is what such a create makes.
    pub fn is_made_from(&self, new: &NewTopic) -> bool {
        let configured = |(key, value): (&String, &String)| self.own(key).is_some_and(|own| setting::same(key, own, value));
        let set = self.configs.iter().filter(|entry| entry.source == Source::Topic).count();
        usize::try_from(new.partitions).is_ok_and(|n| n == self.topic.partitions.len())
            && usize::try_from(new.replication_factor).is_ok_and(|n| n == self.factor())
            && new.configs.iter().all(configured)
            && set == new.configs.len()
    }
}

/// Progress is a function of what is seen, never of where the code was.
pub fn next(wanted: &Wanted, seen: &Seen) -> Step {
    let has = seen.topic.partitions.len();
    if has > wanted.partitions {
        return Step::TooMany(has);
    }
    // Brokers refuse to add partitions while some move.
    if has < wanted.partitions && seen.moving.is_empty() {
        return Step::Grow(i32::try_from(wanted.partitions).unwrap_or(i32::MAX));
    }
    let replicas = replicas_step(wanted, seen);
    let config = configure(wanted, seen);
    // `min.insync.replicas` may depend on the replicas: more of them come first, fewer of them last.
    let more = wanted.factor.is_some_and(|factor| factor > seen.factor());
    let (first, second) = if more { (replicas, config) } else { (config, replicas) };
    first.or(second).unwrap_or(Step::Done)
}

fn replicas_step(wanted: &Wanted, seen: &Seen) -> Option<Step> {
    let factor = wanted.factor?;
    if !seen.moving.is_empty() {
        return Some(Step::AwaitMoves(seen.moving.len()));
    }
    let other = |partition: &Partition| partition.replicas.len() != factor;
    seen.topic.partitions.iter().any(other).then_some(Step::Reassign(factor))
}

fn configure(wanted: &Wanted, seen: &Seen) -> Option<Step> {
    let differs = |(key, value): &(&String, &String)| seen.own(key).is_none_or(|own| !setting::same(key, own, value));
    let sent = |(key, value): (&String, &String)| (key.clone(), setting::sent(key, value));
    let set: BTreeMap<_, _> = wanted.config.iter().filter(differs).map(sent).collect();
    let unset: Vec<_> = wanted.forget.iter().filter(|key| seen.own(key).is_some()).cloned().collect();
    (!set.is_empty() || !unset.is_empty()).then_some(Step::Configure(set, unset))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(name: &str, value: &str, source: Source) -> ConfigEntry {
        ConfigEntry { name: name.into(), value: Some(value.into()), source, read_only: false, sensitive: false }
    }

    fn seen(sizes: &[usize], configs: Vec<ConfigEntry>) -> Seen {
        let partition = |(index, size): (usize, &usize)| {
            let replicas: Vec<i32> = (0..*size as i32).collect();
            Partition { index: index as i32, leader: Some(0), isr: replicas.clone(), replicas, offline: vec![] }
        };
        let partitions = sizes.iter().enumerate().map(partition).collect();
        Seen { topic: kafka::Topic { name: "a".into(), id: None, internal: false, partitions }, configs, moving: vec![] }
    }

    fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
        entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn inherited_values_are_never_written_and_undeclared_ones_left_alone() {
        let configs = vec![
            entry("retention.ms", "5", Source::File),
            entry("segment.ms", "7", Source::Topic),
            entry("flush.ms", " 9 ", Source::Topic),
        ];
        let wanted =
            Wanted { partitions: 1, config: map(&[("flush.ms", "9")]), forget: vec!["retention.ms".into()], factor: None };
        assert_eq!(next(&wanted, &seen(&[1], configs.clone())), Step::Done);
        let wanted = Wanted { config: map(&[("retention.ms", "5")]), forget: vec!["segment.ms".into()], ..wanted };
        let set = map(&[("retention.ms", "5")]);
        assert_eq!(next(&wanted, &seen(&[1], configs)), Step::Configure(set, vec!["segment.ms".into()]));
    }

    #[test]
    fn what_brokers_read_as_the_same_is_not_written_and_lists_are_written_without_blanks() {
        let configs = vec![
            entry("cleanup.policy", "compact,delete", Source::Topic),
            entry("min.cleanable.dirty.ratio", "0.5", Source::Topic),
            entry("preallocate", "true", Source::Topic),
        ];
        let config =
            map(&[("cleanup.policy", "compact, delete"), ("min.cleanable.dirty.ratio", "5e-1"), ("preallocate", "TRUE")]);
        let mut wanted = Wanted { partitions: 1, config, ..Wanted::default() };
        assert_eq!(next(&wanted, &seen(&[1], configs)), Step::Done);
        wanted.config = map(&[("leader.replication.throttled.replicas", "0:1, 0:2"), ("preallocate", "FALSE")]);
        let set = map(&[("leader.replication.throttled.replicas", "0:1,0:2"), ("preallocate", "FALSE")]);
        assert_eq!(next(&wanted, &seen(&[1], vec![])), Step::Configure(set, vec![]));
    }

    #[test]
    fn in_sync_replicas_are_never_asked_for_before_there_are_enough_replicas() {
        let config = map(&[("min.insync.replicas", "2")]);
        let more = Wanted { partitions: 1, factor: Some(3), config: config.clone(), forget: vec![] };
        assert_eq!(next(&more, &seen(&[1], vec![])), Step::Reassign(3));
        let fewer = Wanted { factor: Some(2), ..more };
        assert!(matches!(next(&fewer, &seen(&[3], vec![])), Step::Configure(..)));
    }

    #[test]
    fn replicas_on_their_way_do_not_count_and_are_waited_for() {
        let mut seen = seen(&[3], vec![]);
        seen.moving =
            vec![Reassignment { topic: "a".into(), partition: 0, replicas: vec![0, 1, 2], adding: vec![2], removing: vec![] }];
        assert_eq!(seen.factor(), 2);
        let wanted = Wanted { partitions: 1, factor: Some(3), ..Wanted::default() };
        assert_eq!(next(&wanted, &seen), Step::AwaitMoves(1));
    }

    proptest! {
        #[test]
        fn obeying_the_steps_leads_to_what_is_wanted_and_no_further(
            sizes in prop::collection::vec(1..4usize, 1..5),
            own in prop::collection::btree_map("[a-d]", "[0-3]", 0..4),
            partitions in 1..7usize,
            factor in prop::option::of(1..4usize),
            config in prop::collection::btree_map("[a-d]", "[0-3]", 0..4),
            forget in prop::collection::btree_set("[a-f]", 0..4),
        ) {
            prop_assume!(partitions >= sizes.len());
            let forget: Vec<_> = forget.into_iter().filter(|key| !config.contains_key(key)).collect();
            let wanted = Wanted { partitions, factor, config: config.clone(), forget: forget.clone() };
            let mut world = seen(&sizes, own.iter().map(|(k, v)| entry(k, v, Source::Topic)).collect());
            for steps in 0.. {
                prop_assert!(steps <= 3, "one write of each kind at most");
                match next(&wanted, &world) {
                    Step::Done => break,
                    Step::Grow(n) => {
                        let first = world.topic.partitions[0].clone();
                        world.topic.partitions.resize(n as usize, first);
                    }
                    Step::Reassign(n) => {
                        world.topic.partitions.iter_mut().for_each(|p| p.replicas = (0..n as i32).collect());
                    }
                    Step::Configure(set, unset) => {
                        world.configs.retain(|entry| !unset.contains(&entry.name) && !set.contains_key(&entry.name));
                        world.configs.extend(set.iter().map(|(k, v)| entry(k, v, Source::Topic)));
                    }
                    other => prop_assert!(false, "{other:?}"),
                }
            }
            let mut expected = own;
            expected.retain(|key, _| !forget.contains(key));
            expected.extend(config);
            let found: BTreeMap<_, _> = world.configs.iter().map(|e| (e.name.clone(), e.value.clone().unwrap())).collect();
            prop_assert_eq!(found, expected);
            prop_assert_eq!(world.topic.partitions.len(), partitions);
        }
    }
}

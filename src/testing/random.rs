//! Random configurations out of a resource's own schema, from a seed that a failing test prints.
//!
//! `KAFKASTACK_CASES` says how many cases a property is tried with, `KAFKASTACK_SEED` with which seed the first one
//! begins: the seed of a failed case, with one case, is that case again.

use crate::plugin::schema::{Attribute, Kind};
use crate::plugin::value::{Dynamic, Value};

/// A stream of numbers that its seed decides (SplitMix64).
pub struct Random(u64);

impl Random {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// True once in `n` times.
    pub fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text:?}")))
}

/// Tries `property` with each seed; the first failure names its seed.
pub fn for_each_seed(cases: u64, mut property: impl FnMut(u64)) {
    let (first, cases) = (variable("KAFKASTACK_SEED").unwrap_or(1), variable("KAFKASTACK_CASES").unwrap_or(cases));
    for seed in first..first.saturating_add(cases) {
        let case = std::panic::AssertUnwindSafe(|| property(seed));
        if let Err(panic) = std::panic::catch_unwind(case) {
            eprintln!("to try this case again: KAFKASTACK_SEED={seed} KAFKASTACK_CASES=1");
            std::panic::resume_unwind(panic);
        }
    }
}

/// What an attribute of this name may plausibly be set to; now and then what it may not.
fn text(random: &mut Random, name: &str) -> String {
    if random.once_in(25) {
        return random.one_of(&["", "not good", "ÄÖ", "-", "a/b/c", "0", "99999999999999999999", "\u{0}", "${x}"]).to_owned();
    }
    let pool: &[&str] = match name {
        "name" => &["kafka", "zk", "a", "orders", "stack-1"],
        "namespace" => &["prod", "default", "streaming"],
        "cluster" => &["prod/kafka", "default/a"],
        "size" | "capacity" => &["1Gi", "1024Mi", "10Gi", "2Ti"],
        "heap" => &["1G", "1024m", "512m", "256M"],
        "class" | "storage_class" => &["fast", "slow"],
        "image" => &["apache/kafka:3.9.2", "zookeeper:3.9.5", "registry:5000/a/b@sha256:0123"],
        "connection" => &["zk:2181", "zk-0.zk:2181,zk-1.zk:2181"],
        "chroot" => &["/kafka", "/a/b"],
        "create" | "read" | "update" | "delete" => &["30m", "1h30m", "45s", "soon"],
        "cpu" => &["1", "500m", "2.5"],
        "memory" => &["1Gi", "1536Mi"],
        "path" | "mount_path" => &["/data", "/mnt/disk0"],
        "node" => &["node0", "node1"],
        _ => &["a", "b", "1", "24", "true", "fast", "compact", "node0"],
    };
    random.one_of(pool).to_owned()
}

/// A configuration of these attributes, mostly one that is allowed; with unknown parts at any leaf if `unknown`.
pub fn config(random: &mut Random, attributes: &[Attribute], unknown: bool) -> Value {
    let mut one = |a: &Attribute| {
        let set = match (a.rules.required, a.rules.optional) {
            (true, _) => !random.once_in(60),
            (_, true) => random.once_in(3),
            _ => false,
        };
        let value = if set { configured(random, a.name, &a.kind, unknown) } else { Value::Null };
        (a.name.to_owned(), value)
    };
    Value::Map(attributes.iter().map(&mut one).collect())
}

fn configured(random: &mut Random, name: &str, kind: &Kind, unknown: bool) -> Value {
    if unknown && random.once_in(10) {
        return Value::Unknown;
    }
    let count = random.below(3);
    match kind {
        Kind::Bool => Value::Bool(random.once_in(2)),
        Kind::Number => Value::from([1, 2, 3, 3, 5, 9092, 2181, 0, -1, 7_000_000_000][random.below(10)]),
        Kind::String => Value::String(text(random, name)),
        Kind::List(inner) => Value::List((0..count).map(|_| configured(random, name, inner, unknown)).collect()),
        Kind::Set(inner) => Value::Set((0..count).map(|_| configured(random, name, inner, unknown)).collect()),
        Kind::Map(inner) => {
            let keys = ["a", "team", "retention.ms", "log.retention.hours", "broker.id"];
            (0..count).map(|_| (random.one_of(&keys).to_owned(), configured(random, name, inner, unknown))).collect()
        }
        Kind::Object(attributes) => config(random, attributes, unknown),
        Kind::Dynamic => {
            Value::Dynamic(Box::new(Dynamic { kind: Kind::String, value: configured(random, name, &Kind::String, unknown) }))
        }
        Kind::Tuple(_) | Kind::Record(_) => Value::Null,
    }
}

/// `config` with some attributes as in another random one.
pub fn changed(random: &mut Random, attributes: &[Attribute], config: &Value, unknown: bool) -> Value {
    let other = self::config(random, attributes, unknown);
    let mut one = |a: &Attribute| {
        let from = if random.once_in(6) { &other } else { config };
        (a.name.to_owned(), from.get(a.name).clone())
    };
    Value::Map(attributes.iter().map(&mut one).collect())
}

/// The same value with something known wherever it is unknown: what a server chooses, or what the rest of a
/// configuration turns out to be.
pub fn known(random: &mut Random, name: &str, kind: &Kind, value: &Value) -> Value {
    match (kind, value) {
        // Nothing is chosen of what only a user sets.
        (Kind::Object(attributes), Value::Unknown | Value::Map(_)) => {
            let mut one = |a: &Attribute| {
                let chosen = match value {
                    Value::Unknown if !a.rules.computed && !a.rules.required || a.rules.write_only => Value::Null,
                    value => known(random, a.name, &a.kind, value.get(a.name)),
                };
                (a.name.to_owned(), chosen)
            };
            Value::Map(attributes.iter().map(&mut one).collect())
        }
        (kind, Value::Unknown) => configured(random, name, kind, false),
        (Kind::List(inner), Value::List(items)) => Value::List(items.iter().map(|v| known(random, name, inner, v)).collect()),
        (Kind::Set(inner), Value::Set(items)) => Value::Set(items.iter().map(|v| known(random, name, inner, v)).collect()),
        (Kind::Map(inner), Value::Map(entries)) => {
            entries.iter().map(|(key, v)| (key.clone(), known(random, name, inner, v))).collect()
        }
        (_, value) => value.clone(),
    }
}

impl FromIterator<(String, Value)> for Value {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(entries: I) -> Self {
        Self::Map(entries.into_iter().collect())
    }
}

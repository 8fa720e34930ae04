//! Random configurations out of a resource's own schema, from a seed that a failing test prints.
//!
//! `KAFKASTACK_CASES` says how many cases a property is tried with, `KAFKASTACK_SEED` with which seed the first one
//! begins: the seed of a failed case, with one case, is that case again.

use crate::plugin::schema::{Attribute, Kind};
use crate::plugin::value::{Dynamic, Value};

/// A stream of numbers that its seed decides (SplitMix64).
pub struct Random {
    state: u64,
    /// Whether a value is now and then one that may not be.
    careless: bool,
}

impl Random {
    /// The stream of a seed. Of four, three mean well: what they choose is what the attribute's name calls for.
    pub fn new(seed: u64) -> Self {
        let mut random = Self { state: seed, careless: false };
        random.careless = random.once_in(4);
        random
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
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

    /// One of these.
    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn is_wrong(&mut self) -> bool {
        self.careless && self.once_in(25)
    }
}

fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text:?}")))
}

/// Tries `property` with one seed after the other until there were so many cases: it says how many a seed was. The first failure
/// names its seed.
pub fn for_each_seed(cases: u64, mut property: impl FnMut(u64) -> u64) {
    let (mut seed, cases) = (variable("KAFKASTACK_SEED").unwrap_or(1), variable("KAFKASTACK_CASES").unwrap_or(cases));
    let mut tried = 0;
    while tried < cases {
        let case = std::panic::AssertUnwindSafe(|| property(seed));
        match std::panic::catch_unwind(case) {
            Ok(count) => tried += count,
            Err(panic) => {
                eprintln!("to try this case again: KAFKASTACK_SEED={seed} KAFKASTACK_CASES=1");
                std::panic::resume_unwind(panic);
            }
        }
        seed += 1;
    }
}

/// What an attribute of this name may be set to; now and then what it may not.
fn text(random: &mut Random, name: &str) -> String {
    if random.is_wrong() {
        return random.one_of(&["", "not good", "ÄÖ", "-", "a/b/c", "0", "99999999999999999999", "\u{0}", "${x}"]).to_owned();
    }
    let pool: &[&str] = match name {
        "name" => &["kafka", "zk", "a", "orders", "stack-1"],
        "namespace" => &["prod", "default", "streaming"],
        "cluster" => &["prod/kafka", "default/a"],
        "size" | "capacity" => &["1Gi", "1024Mi", "10Gi", "2Ti"],
        "heap" => &["1G", "1024m", "512m", "256M"],
        "class" | "storage_class" => &["fast", "slow"],
        "image" => &["apache/kafka:3.9.2", "zookeeper:3.9.5", "registry:5000/a/b:1"],
        "connection" => &["zk:2181", "zk-0.zk:2181,zk-1.zk:2181"],
        "chroot" => &["/kafka", "/a/b"],
        "create" | "read" | "update" | "delete" => &["30m", "1h30m", "45s"],
        "cpu" => &["1", "500m", "2.5"],
        "memory" => &["1Gi", "1536Mi"],
        "path" | "mount_path" => &["/data", "/mnt/disk0"],
        "node" => &["node0", "node1"],
        "nodes" | "zones" => &["preferred", "required", "none"],
        "operator" => &["Equal", "Exists"],
        "effect" => &["NoSchedule", "PreferNoSchedule", "NoExecute"],
        "exposure" => &["internal"],
        "protocol" => &["PLAINTEXT"],
        "affinity" => &["{}", "{ }", "{\"nodeAffinity\":{}}"],
        "image_pull_policy" => &["Always", "IfNotPresent", "Never"],
        "provisioner" => &["ebs.csi.aws.com", "kubernetes.io/no-provisioner"],
        "reclaim_policy" => &["Retain", "Retain", "Delete"],
        "volume_binding_mode" => &["WaitForFirstConsumer", "Immediate"],
        "access_modes" => &["ReadWriteOnce", "ReadWriteMany"],
        "four_letter_words" => &["srvr", "mntr", "ruok", "*"],
        "cleanup.policy" => &["compact, delete", "compact,delete", "delete"],
        "preallocate" => &["TRUE", "true", "False"],
        "retention.ms" => &["24", "+24", "25", "086400000"],
        "log.retention.hours" | "tickTime" => &["24", "25", "86400000"],
        _ => &["a", "b", "1", "24", "true", "fast", "compact", "node0"],
    };
    random.one_of(pool).to_owned()
}

fn number(random: &mut Random, name: &str) -> i64 {
    if random.is_wrong() {
        return random.one_of(&[0, -1, 2, 7_000_000_000]);
    }
    random.one_of(match name {
        "members" | "brokers" | "replication_factor" | "leaders" | "workers" | "size" => &[1, 3, 3, 5],
        "port" => &[9092, 9093, 19092, 31000],
        _ => &[1, 2, 3, 30, 1000],
    })
}

/// Keys that a map of this name may have.
fn keys(random: &mut Random, name: &str) -> &'static [&'static str] {
    if random.is_wrong() {
        return &["broker.id", "dataDir", "not good", "", "app.kubernetes.io/name"];
    }
    match name {
        "requests" | "limits" => &["cpu", "memory"],
        "config" => &["retention.ms", "retention.ms", "cleanup.policy", "preallocate", "log.retention.hours", "tickTime"],
        _ => &["a", "team", "example.com/tier"],
    }
}

/// A configuration of these attributes, mostly one that is allowed; with unknown parts at any leaf if `unknown`.
pub fn config(random: &mut Random, attributes: &[Attribute], unknown: bool) -> Value {
    let mut one = |a: &Attribute| {
        let set = match (a.rules.required, a.rules.optional) {
            (true, _) => !random.is_wrong(),
            (_, true) => random.once_in(3),
            _ => false,
        };
        let value = if set { configured(random, a.name, &a.kind, unknown) } else { Value::Null };
        (a.name.to_owned(), value)
    };
    let mut whole = attributes.iter().map(&mut one).collect();
    if !random.is_wrong() {
        agree(random, &mut whole);
    }
    whole
}

/// What one attribute says of others: the storage of a workload is ephemeral or has a size; that of a class has a provisioner or
/// volumes of its own.
fn agree(random: &mut Random, config: &mut Value) {
    let Value::Map(entries) = config else { return };
    if let (true, Some(Value::Bool(true))) = (entries.contains_key("size"), entries.get("ephemeral")) {
        entries.extend([("size".to_owned(), Value::Null), ("class".to_owned(), Value::Null)]);
    } else if entries.contains_key("ephemeral") && entries.get("size") == Some(&Value::Null) {
        entries.insert("size".to_owned(), text(random, "size").into());
    }
    if entries.contains_key("provisioner") {
        let is_static = ["local_volumes", "nfs_volumes"].iter().any(|name| match &entries[*name] {
            Value::List(volumes) => !volumes.is_empty(),
            Value::Unknown => true,
            _ => false,
        });
        let by = if is_static { Value::Null } else { text(random, "provisioner").into() };
        entries.insert("provisioner".to_owned(), by);
        if is_static {
            entries.insert("reclaim_policy".to_owned(), Value::Null);
        }
    }
}

/// What a list or set of this name holds: mostly one or two items, because some lists may not be empty, and no two of one name.
fn items(random: &mut Random, name: &str, inner: &Kind, unknown: bool) -> Vec<Value> {
    let count = if random.is_wrong() { 0 } else { 1 + random.below(2) };
    let mut items: Vec<Value> = Vec::new();
    for _ in 0..count {
        let item = configured(random, name, inner, unknown);
        let twin = |other: &Value| ["name", "port"].iter().any(|key| !item.get(key).is_null() && item.get(key) == other.get(key));
        if !items.iter().any(twin) || random.is_wrong() {
            items.push(item);
        }
    }
    items
}

fn configured(random: &mut Random, name: &str, kind: &Kind, unknown: bool) -> Value {
    if unknown && random.once_in(10) {
        return Value::Unknown;
    }
    match kind {
        Kind::Bool => Value::Bool(random.once_in(2)),
        Kind::Number => Value::from(number(random, name)),
        Kind::String => Value::String(text(random, name)),
        Kind::List(inner) => Value::List(items(random, name, inner, unknown)),
        Kind::Set(inner) => Value::Set(items(random, name, inner, unknown)),
        Kind::Map(inner) => {
            let (keys, count) = (keys(random, name), random.below(3));
            let entry = |random: &mut Random| {
                let key = random.one_of(keys);
                (key.to_owned(), configured(random, key, inner, unknown))
            };
            (0..count).map(|_| entry(random)).collect()
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
    worded(kind, &[], guessed(random, name, kind, value))
}

fn guessed(random: &mut Random, name: &str, kind: &Kind, value: &Value) -> Value {
    match (kind, value) {
        // Nothing is chosen of what only a user sets.
        (Kind::Object(attributes), Value::Unknown | Value::Map(_)) => {
            let mut one = |a: &Attribute| {
                let chosen = match value {
                    Value::Unknown if !a.rules.computed && !a.rules.required || a.rules.write_only => Value::Null,
                    value => guessed(random, a.name, &a.kind, value.get(a.name)),
                };
                (a.name.to_owned(), chosen)
            };
            Value::Map(attributes.iter().map(&mut one).collect())
        }
        (kind, Value::Unknown) => configured(random, name, kind, false),
        (Kind::List(inner), Value::List(items)) => Value::List(items.iter().map(|v| guessed(random, name, inner, v)).collect()),
        (Kind::Set(inner), Value::Set(items)) => Value::Set(items.iter().map(|v| guessed(random, name, inner, v)).collect()),
        (Kind::Map(inner), Value::Map(entries)) => {
            entries.iter().map(|(key, v)| (key.clone(), guessed(random, name, inner, v))).collect()
        }
        (_, value) => value.clone(),
    }
}

/// The same with good words where an attribute is one of a few: core has every value checked before it plans with it.
fn worded(kind: &Kind, words: &[&str], value: Value) -> Value {
    match (kind, value) {
        (Kind::Object(attributes), Value::Map(mut entries)) => {
            for a in attributes {
                let inner = entries.remove(a.name).unwrap_or(Value::Null);
                entries.insert(a.name.to_owned(), worded(&a.kind, a.rules.words, inner));
            }
            Value::Map(entries)
        }
        (Kind::List(inner), Value::List(items)) => Value::List(items.into_iter().map(|v| worded(inner, words, v)).collect()),
        (Kind::Set(inner), Value::Set(items)) => Value::Set(items.into_iter().map(|v| worded(inner, words, v)).collect()),
        (Kind::Map(inner), Value::Map(entries)) => entries.into_iter().map(|(key, v)| (key, worded(inner, words, v))).collect(),
        (_, Value::String(text)) if !words.is_empty() && !words.contains(&text.as_str()) => words[0].into(),
        (_, value) => value,
    }
}

impl FromIterator<(String, Value)> for Value {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(entries: I) -> Self {
        Self::Map(entries.into_iter().collect())
    }
}

//! What a drill saw, as plain facts: the engine writes them, the verdict and the report read them. Times are milliseconds since the
//! load began. Pure.

use serde::{Deserialize, Serialize};

/// Everything that a drill saw.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recording {
    /// What was asked for.
    pub settings: Settings,
    /// When the load began, in milliseconds since 1970.
    pub began_unix_ms: u64,
    /// When everything had been read back.
    pub ended: u64,
    /// Every record that was sent.
    pub writes: Vec<Write>,
    /// Every record that the consumer group read along, in the order in which they came.
    pub reads: Vec<Read>,
    /// What was in the topic in the end, read from the first record on: what is acknowledged and not here is lost. None: it could
    /// not be read back.
    pub found: Option<Vec<Read>>,
    /// Checks of the znode: written before, read after each step and all the time between.
    pub znode: Vec<ZnodeCheck>,
    /// What was seen of the stack; between two of them nothing changed.
    pub samples: Vec<Sample>,
    /// The steps; one for each pod that was taken away.
    pub steps: Vec<StepRun>,
}

/// What was asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// The drill's topic, which is also the consumer group.
    pub topic: String,
    /// Its partitions.
    pub partitions: i32,
    /// Replicas of each.
    pub replication_factor: i32,
    /// Its `min.insync.replicas`.
    pub min_insync_replicas: i32,
    /// `all` or `1`.
    pub acks: String,
    /// Records each second.
    pub rate: u64,
}

/// A record that was sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Write {
    /// Its partition.
    pub partition: i32,
    /// Its number within the partition, from 0.
    pub sequence: u64,
    /// When it was handed to the producer.
    pub sent: u64,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// The brokers have it.
    Acknowledged {
        /// When they said so.
        at: u64,
        /// Where in its partition.
        offset: i64,
    },
    /// The producer gave it up.
    Failed {
        /// When.
        at: u64,
        /// Why.
        error: String,
    },
    /// Nobody said anything.
    Pending,
}

/// A record that was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Read {
    /// Its partition.
    pub partition: i32,
    /// Where in it.
    pub offset: i64,
    /// Its number, as it says itself.
    pub sequence: u64,
    /// When.
    pub at: u64,
}

/// One check of the znode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ZnodeCheck {
    /// When it began.
    pub at: u64,
    /// Whether it was there and held what was written.
    pub ok: bool,
    /// How long it took, tries at other members included.
    pub took: u64,
    /// `write ...`, `read`, `read after ...`; and what was wrong.
    pub what: String,
}

/// A stack at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// When.
    pub at: u64,
    /// The partitions of the drill's topic; none: no broker answered.
    pub partitions: Vec<PartitionSample>,
    /// The controller, as brokers say.
    pub controller: Option<i32>,
    /// The members of the ensemble.
    pub zookeeper: Vec<MemberSample>,
    /// The pods that are not ready, or on their way out.
    pub not_ready: Vec<String>,
}

/// A partition at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartitionSample {
    /// From 0.
    pub index: i32,
    /// The broker that leads it.
    pub leader: Option<i32>,
    /// The brokers in sync.
    pub isr: Vec<i32>,
    /// The brokers that have a replica.
    pub replicas: Vec<i32>,
}

/// A member at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemberSample {
    /// Its pod.
    pub pod: String,
    /// `leader`, `follower`, `observer`, `standalone`, or `down`.
    pub role: String,
}

/// A step, or one pod of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StepRun {
    /// `kill_broker`, ...
    pub kind: String,
    /// The pod; empty where none is taken away.
    pub target: String,
    /// `delete`, `kill` or `evict`; empty where no pod is taken away.
    pub how: String,
    /// When it began.
    pub began: u64,
    /// When Kubernetes had taken the deletion.
    pub killed: Option<u64>,
    /// When every partition that the broker led had another leader.
    pub new_leader: Option<u64>,
    /// When every replica of the drill's topic was in sync again.
    pub full_isr: Option<u64>,
    /// When another member led the ensemble.
    pub quorum: Option<u64>,
    /// When every pod was ready again.
    pub ready: Option<u64>,
    /// When it ended, the watch after it included.
    pub ended: u64,
    /// Why it did not come to its end.
    pub error: Option<String>,
}

impl StepRun {
    /// Whether it came to its end; one that an interrupt cut off did not.
    pub fn has_ended(&self) -> bool {
        self.ended >= self.killed.unwrap_or(self.began)
    }
}

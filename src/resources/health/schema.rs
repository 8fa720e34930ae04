//! Attributes of `kafkastack_health`.

use crate::model;
use crate::plugin::schema::{computed, optional, required};
use crate::plugin::timeouts::ReadTimeouts;
use crate::resources::checks;

model! {
    /// One broker.
    pub struct BrokerHealth {
        /// `broker.id`.
        id: i64 = computed(),
        /// Whether it is registered, and so known to the others as alive.
        registered: bool = computed(),
        /// How many partitions it leads.
        leaders: i64 = computed(),
        /// What its partitions take on its disks, in bytes. Null where it does not say.
        log_bytes: i64 = computed(),
        /// The size of its volumes, in bytes. Null from brokers before 3.3.
        disk_bytes: i64 = computed(),
        /// What is left of its volumes, in bytes. Null from brokers before 3.3.
        disk_free_bytes: i64 = computed(),
    }
}

model! {
    /// One member of the ensemble.
    pub struct MemberHealth {
        /// Its pod.
        pod: String = computed(),
        /// `leader`, `follower`, `observer` or `standalone`. Null while it is not in the quorum.
        role: String = computed(),
        /// How many requests wait. Null while it is not in the quorum.
        outstanding_requests: i64 = computed(),
    }
}

model! {
    /// Whether a cluster and its ensemble are healthy, and every reason why not: for `check` blocks, preconditions, and jobs that
    /// watch. It only reads.
    ///
    /// Brokers that do not answer are no error: `healthy` is then false, and `reasons` says why. A cluster that does not exist, or
    /// may not be read, is an error.
    pub struct StackHealth {
        /// The `id` of a `kafkastack_cluster`: `namespace/name`.
        cluster: String = required().check(checks::cluster_id),
        /// The `id` of its `kafkastack_zookeeper_ensemble`. Found by the cluster's connection where it is not given.
        zookeeper_ensemble: String = optional().check(checks::cluster_id),
        /// Unhealthy when less than this part of a broker's volume is left, in percent.
        min_disk_free_percent: i64 = optional().defaults_to(10).check(percent),
        /// Unhealthy when one broker leads so many more partitions than another one. Not judged where it is not given.
        max_leader_skew: i64 = optional().check(checks::not_negative),
        /// Unhealthy when more requests wait at a ZooKeeper member.
        max_outstanding_requests: i64 = optional().defaults_to(100).check(checks::not_negative),
        /// Whether nothing is wrong.
        healthy: bool = computed(),
        /// What is wrong, the gravest first.
        reasons: Vec<String> = computed(),
        /// The id of the controller. Null while there is none.
        controller: i64 = computed(),
        /// Every broker that should be there.
        brokers: Vec<BrokerHealth> = computed(),
        /// How many partitions there are.
        partition_count: i64 = computed(),
        /// Partitions without a leader, as `topic-partition`; at most 100.
        offline_partitions: Vec<String> = computed(),
        /// How many partitions have no leader.
        offline_partition_count: i64 = computed(),
        /// Partitions with a replica that is behind or gone; at most 100.
        under_replicated_partitions: Vec<String> = computed(),
        /// How many partitions have a replica that is behind or gone.
        under_replicated_partition_count: i64 = computed(),
        /// Partitions with fewer replicas in sync than `min.insync.replicas`: writes with acks=all fail; at most 100.
        under_min_isr_partitions: Vec<String> = computed(),
        /// How many partitions have fewer replicas in sync than `min.insync.replicas`.
        under_min_isr_partition_count: i64 = computed(),
        /// How many more partitions the busiest broker leads than the idlest one.
        leader_skew: i64 = computed(),
        /// Pods that still run an earlier specification.
        outdated_pods: Vec<String> = computed(),
        /// Pods that are not ready.
        pods_not_ready: Vec<String> = computed(),
        /// Every member of the ensemble; empty where it is not known.
        members: Vec<MemberHealth> = computed(),
        /// How many followers have everything that the leader has. Null where `mntr` is not allowed.
        synced_followers: i64 = computed(),
        /// How long a read may take.
        timeouts: ReadTimeouts = optional(),
    }
}

fn percent(n: &i64) -> Result<(), String> {
    checks::between(*n, 0, 100)
}

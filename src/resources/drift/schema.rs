//! The attributes of `kafkastack_drift`.

use crate::model;
use crate::plugin::schema::{computed, optional, required};
use crate::plugin::timeouts::ReadTimeouts;
use crate::resources::checks::cluster_id;
use std::collections::BTreeMap;

model! {
    /// What a topic should be like. What is not given is not compared.
    pub struct ExpectedTopic {
        /// How many partitions.
        partitions: i64 = optional(),
        /// How many replicas each partition has.
        replication_factor: i64 = optional(),
        /// Settings of the topic itself.
        config: BTreeMap<String, String> = optional(),
    }
}

model! {
    /// What differs from what was applied, and what nobody manages: objects and topics, as counts, as JSON, and as Markdown with
    /// ready `import` blocks. For a job that looks every night; it only reads.
    ///
    /// Objects are compared with what the last apply wanted, which the cluster itself keeps in the ConfigMap `<name>-kafkastack`, so
    /// a configuration that was not applied yet is no drift. Something that is gone altogether is drift too: before the
    /// first apply everything is. Brokers that do not answer are drift, and no error.
    ///
    /// Write ids and names out, or take them from variables and locals: a data source that refers to a resource is read at the apply
    /// only when that resource has changes pending, and so whenever there is drift.
    pub struct StackDrift {
        /// The `id` of a `kafkastack_cluster`: `namespace/name`.
        cluster: String = required().check(cluster_id),
        /// The `id` of its `kafkastack_zookeeper_ensemble`. Without it the ensemble is not looked at.
        zookeeper_ensemble: String = optional().check(cluster_id),
        /// Every topic that is managed, by its name, and what it should be like as far as that is to be compared:
        /// `{ orders = { partitions = 6 }, payments = {} }`. Every other topic is unmanaged. Without it topics are not looked at.
        topics: BTreeMap<String, ExpectedTopic> = optional(),
        /// Topics that are unmanaged on purpose: names, in which `*` stands for anything. Kafka's own topics and those of a drill are
        /// left out anyway.
        ignore_topics: Vec<String> = optional(),
        /// Objects that are unmanaged on purpose, as `Kind/name`, in which `*` stands for anything.
        ignore_objects: Vec<String> = optional(),
        /// Whether anything differs or is unmanaged.
        drifted: bool = computed(),
        /// How many managed objects and topics differ or are gone.
        managed_count: i64 = computed(),
        /// How many objects and topics nobody manages.
        unmanaged_count: i64 = computed(),
        /// All of it: `{"drifted", "managed": [{"kind", "name", "problem", "fields": [{"field", "wanted", "found"}]}], "unmanaged":
        /// [{"kind", "name", "import": {"resource", "id"}}]}`. The same for the same findings, so that an output of it stays as it is.
        summary_json: String = computed(),
        /// The same for people, with `import` blocks and the resources that they need.
        summary_markdown: String = computed(),
        /// How long a read may take.
        timeouts: ReadTimeouts = optional(),
    }
}

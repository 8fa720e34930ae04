//! The attributes of `kafkastack_storage`.

use crate::plugin::schema::{computed, optional, required};
use crate::plugin::timeouts::Timeouts;
use crate::resources::checks;
use crate::{choice, model};
use std::collections::BTreeMap;

/// The provisioner of a class whose volumes are made by hand, or here.
pub const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";

/// Says that claims without a class get this one.
pub const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";

choice! {
    /// How pods use a volume.
    pub enum AccessMode {
        /// Pods of one node.
        ReadWriteOnce = "ReadWriteOnce",
        /// Pods of any node, which only read.
        ReadOnlyMany = "ReadOnlyMany",
        /// Pods of any node.
        ReadWriteMany = "ReadWriteMany",
        /// One pod.
        ReadWriteOncePod = "ReadWriteOncePod",
    }
}

choice! {
    /// What becomes of a volume when its claim is deleted.
    pub enum ReclaimPolicy {
        /// It stays.
        Retain = "Retain",
        /// It goes, and its data with it.
        Delete = "Delete",
    }
}

choice! {
    /// When a claim gets its volume.
    pub enum BindingMode {
        /// With its pod, and where that runs.
        WaitForFirstConsumer = "WaitForFirstConsumer",
        /// At once.
        Immediate = "Immediate",
    }
}

model! {
    /// A volume on a disk of a node.
    pub struct LocalVolume {
        /// The name of the PersistentVolume.
        name: String = required().check(checks::dns_subdomain),
        /// The node, by its label `kubernetes.io/hostname`. Not changed while a claim is bound.
        node: String = required().check(not_empty),
        /// The directory on the node; it has to be there. Not changed while a claim is bound.
        path: String = required().check(absolute),
        /// How much it holds, such as `40Gi`. Kubernetes does not measure it.
        capacity: String = required().check(checks::quantity).same_if(checks::same_quantity),
        /// How pods may use it: `ReadWriteOnce` (the default), `ReadOnlyMany`, `ReadWriteMany` or `ReadWriteOncePod`.
        access_modes: Vec<AccessMode> = optional().check(access_modes),
    }
}

model! {
    /// A volume on an NFS server.
    pub struct NfsVolume {
        /// The name of the PersistentVolume.
        name: String = required().check(checks::dns_subdomain),
        /// The server's name or address, as nodes reach it. Not changed while a claim is bound.
        server: String = required().check(not_empty),
        /// The exported directory. Each volume needs one of its own. Not changed while a claim is bound.
        path: String = required().check(absolute),
        /// How much it holds, such as `40Gi`. Kubernetes does not measure it.
        capacity: String = required().check(checks::quantity).same_if(checks::same_quantity),
        /// How pods may use it: `ReadWriteOnce` and `ReadWriteMany` (the default), `ReadOnlyMany` or `ReadWriteOncePod`.
        access_modes: Vec<AccessMode> = optional().check(access_modes),
    }
}

model! {
    /// Where data lives: a StorageClass of any provisioner, or one with static volumes on nodes' disks or an NFS server. It is
    /// not removed, and none of its volumes is, while claims are bound.
    pub struct Storage {
        /// The name, which is also the import id.
        id: String = computed().stable(),
        /// The name of the StorageClass.
        name: String = required().replaces().identifies().check(checks::dns_subdomain),
        /// Who makes the volumes, such as `ebs.csi.aws.com`. It has to be set unless there are `local_volumes` or `nfs_volumes`.
        provisioner: String = optional().replaces().check(not_empty),
        /// What the provisioner is told.
        parameters: BTreeMap<String, String> = optional().replaces(),
        /// What becomes of a volume when its claim is deleted: `Retain` (the default here; Kubernetes' own is `Delete`, which
        /// loses data with the claim) or `Delete`.
        reclaim_policy: ReclaimPolicy = optional().defaults_to(ReclaimPolicy::Retain).replaces(),
        /// When a claim gets its volume: `WaitForFirstConsumer` (the default), with its pod and where that runs, or `Immediate`.
        volume_binding_mode: BindingMode = optional().defaults_to(BindingMode::WaitForFirstConsumer).replaces(),
        /// Whether claims may grow, where the provisioner can do that.
        allow_volume_expansion: bool = optional().defaults_to(true),
        /// Options of the mount, such as `nfsvers=4.1`.
        mount_options: Vec<String> = optional().replaces(),
        /// Whether claims that name no class get this one. Without it nothing is said, and nothing of it is changed.
        default_class: bool = optional(),
        /// More labels of every object.
        labels: BTreeMap<String, String> = optional().check(checks::labels),
        /// More annotations of the StorageClass.
        annotations: BTreeMap<String, String> = optional().check(annotations),
        /// Volumes on disks of nodes.
        local_volumes: Vec<LocalVolume> = optional(),
        /// Volumes on NFS servers.
        nfs_volumes: Vec<NfsVolume> = optional(),
        /// What a workload's `storage.class` takes.
        class_name: String = computed(),
        /// The names of the static volumes.
        volume_names: Vec<String> = computed(),
        /// Every object, with a fingerprint of what is wanted of it, or the fields in which it differs from that.
        objects: BTreeMap<String, String> = computed(),
        /// How long operations may take.
        timeouts: Timeouts = optional(),
    }
}

fn not_empty(text: &str) -> Result<(), String> {
    if text.trim().is_empty() { Err("it must not be empty.".to_owned()) } else { Ok(()) }
}

fn absolute(text: &str) -> Result<(), String> {
    if text.starts_with('/') && !text.split('/').any(|part| part == "..") {
        return Ok(());
    }
    Err(format!("{text:?} is not an absolute path without `..`."))
}

fn access_modes(modes: &[AccessMode]) -> Result<(), String> {
    if modes.is_empty() { Err("a volume has at least one access mode.".to_owned()) } else { Ok(()) }
}

fn annotations(entries: &BTreeMap<String, String>) -> Result<(), String> {
    checks::labels(entries)?;
    match entries.get(DEFAULT_CLASS) {
        None => Ok(()),
        Some(_) => Err(format!("{:?} is set by `default_class`.", DEFAULT_CLASS)),
    }
}

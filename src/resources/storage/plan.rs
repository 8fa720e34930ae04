//! Configuration -> what cannot be; prior + configuration -> the plan of a storage, and what claims forbid. The last asks.

use super::claims;
use super::objects::{bound_to, is_other_volume, objects, query, volumes};
use super::schema::{NO_PROVISIONER, ReclaimPolicy, Storage};
use super::words;
use crate::kubernetes::failure::Failure;
use crate::kubernetes::object::{Kind, Object};
use crate::plugin::diagnostic::Diagnostics;
use crate::plugin::model::{Attr, Object as _, Typed};
use crate::plugin::operations::Plan;
use crate::plugin::path::Path;
use crate::plugin::schema::Replace;
use crate::resources::owned::drift::fingerprints;
use crate::stack::Stack;
use std::collections::BTreeSet;

/// Refuses what single attributes cannot know.
pub fn validate(config: &Storage, diagnostics: &mut Diagnostics) {
    let (local, nfs) = (&config.local_volumes, &config.nfs_volumes);
    if local.is_unknown() || nfs.is_unknown() || config.provisioner.is_unknown() {
        return;
    }
    let (local, nfs) = (local.unwrap_or_default(), nfs.unwrap_or_default());
    let is_static = !local.is_empty() || !nfs.is_empty();
    match config.provisioner.known().map(String::as_str) {
        None if !is_static => diagnostics.push(words::no_provisioner()),
        Some(other) if is_static && other != NO_PROVISIONER => {
            diagnostics.push(words::both(other));
        }
        _ => {}
    }
    if is_static && config.reclaim_policy.known() == Some(&ReclaimPolicy::Delete) {
        diagnostics.push(words::nobody_deletes());
    }
    let mut names = BTreeSet::new();
    let local = local.iter().enumerate().map(|(i, volume)| (Path::of("local_volumes").index(i), &volume.name));
    let nfs = nfs.iter().enumerate().map(|(i, volume)| (Path::of("nfs_volumes").index(i), &volume.name));
    for (path, name) in local.chain(nfs) {
        if let Attr::Known(name) = name
            && !names.insert(name)
        {
            diagnostics.push(words::twice(name, path.attribute("name")));
        }
    }
}

/// Fills in what follows from the configuration.
pub fn complete(planned: &mut Storage) {
    planned.id = planned.name.clone();
    planned.class_name = planned.name.clone();
    let specified = Storage { objects: Attr::Null, volume_names: Attr::Null, ..planned.clone() }.encode().is_wholly_known();
    (planned.volume_names, planned.objects) = match specified {
        true => (Attr::Known(volume_names(planned)), Attr::Known(fingerprints(&objects(planned)))),
        false => (Attr::unknown(), Attr::unknown()),
    };
}

fn volume_names(storage: &Storage) -> Vec<String> {
    volumes(storage).iter().map(|volume| volume.name().to_owned()).collect()
}

/// Whether the change makes another class.
pub fn replaces(prior: &Storage, planned: &Storage) -> bool {
    let (prior, planned) = (prior.encode(), planned.encode());
    let changed = |name: &str| planned.get(name).is_wholly_known() && prior.get(name) != planned.get(name);
    Storage::attributes().iter().any(|attribute| attribute.rules.replace == Replace::Always && changed(attribute.name))
}

/// Volumes that would go or get another place, the live ones.
pub fn leaving<'a>(wanted: &[Object], live: &'a [Object]) -> Vec<&'a Object> {
    let stays = |live: &Object| wanted.iter().any(|wanted| wanted.name() == live.name() && !is_other_volume(wanted, live));
    live.iter().filter(|live| !stays(live)).collect()
}

/// The live volumes of a storage: those that it wanted, and those that carry its labels, because a change may have been cut off after
/// it made them.
///
/// # Errors
/// When they cannot be looked at.
pub async fn live_volumes(stack: &Stack, applied: &Storage) -> Result<Vec<Object>, Failure> {
    let mut live = stack.kubernetes.list(Kind::PersistentVolume, None, &query(applied.name.text())).await?;
    for volume in volumes(applied) {
        // One that lost its labels is its own all the same.
        if !live.iter().any(|live| live.name() == volume.name()) {
            live.extend(stack.kubernetes.get(&volume.key()).await?);
        }
    }
    Ok(live)
}

/// Refuses at plan what claims forbid, and says which volumes are made anew.
///
/// # Errors
/// When Kubernetes cannot be asked.
pub async fn check(stack: &Stack, plan: &mut Plan<Storage>) -> Result<(), Failure> {
    let Some(prior) = plan.prior.clone() else { return Ok(()) };
    if replaces(&prior, &plan.planned) {
        let claims = claims::look(stack, prior.name.text()).await?;
        if !claims.is_empty() {
            plan.diagnostics.push(words::class_not_replaced(prior.name.text(), &claims));
        }
        return Ok(());
    }
    if plan.planned.volume_names.is_unknown() {
        return Ok(());
    }
    let (old, wanted) = (volumes(&prior), volumes(&plan.planned));
    if leaving(&wanted, &old).is_empty() {
        return Ok(());
    }
    let live = live_volumes(stack, &prior).await?;
    for volume in leaving(&wanted, &live) {
        let diagnostic = match bound_to(volume) {
            Some(claim) => words::volume_in_use(volume.name(), &claim),
            None if wanted.iter().any(|wanted| wanted.name() == volume.name()) => words::volume_replaced(volume.name()),
            None => continue,
        };
        let list = if volume.at("/spec/nfs").is_null() { "local_volumes" } else { "nfs_volumes" };
        plan.diagnostics.push(diagnostic.at(Path::of(list)));
    }
    Ok(())
}

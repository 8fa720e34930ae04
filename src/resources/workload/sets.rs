//! What there is of the roles of a workload: StatefulSets, and what has the labels of their pods. Network.

use super::role::{Role, Set};
use crate::kubernetes::failure::{Class, Failure};
use crate::kubernetes::object::{Kind, Object};
use crate::stack::Stack;
use futures::Stream;
use futures::future::try_join_all;
use futures::stream::select_all;
use std::collections::BTreeSet;

/// The StatefulSet of each role.
///
/// # Errors
/// When Kubernetes does not say.
pub async fn sets(stack: &Stack, namespace: &str, roles: &[Role]) -> Result<Vec<Set>, Failure> {
    let looks = roles.iter().map(|role| async move {
        let live = stack.kubernetes.get(&role.names.key(namespace)).await?;
        Ok(Set { role: role.clone(), live })
    });
    try_join_all(looks).await
}

fn queries(roles: &[Role]) -> BTreeSet<String> {
    roles.iter().map(|role| role.names.query()).collect()
}

/// Every object of a kind that has the labels of one of these roles. A neighbour's may have them too.
///
/// # Errors
/// When Kubernetes does not say.
pub async fn all(stack: &Stack, kind: Kind, namespace: &str, roles: &[Role]) -> Result<Vec<Object>, Failure> {
    let queries = queries(roles);
    let lists = queries.iter().map(|query| stack.kubernetes.list(kind, Some(namespace), query));
    let mut found: Vec<Object> = try_join_all(lists).await?.into_iter().flatten().collect();
    // Labels of one role may be among those of another.
    found.sort_by(|a, b| a.name().cmp(b.name()));
    found.dedup_by(|a, b| a.name() == b.name());
    Ok(found)
}

/// A sign at each change of these.
pub fn changes(stack: &Stack, kind: Kind, namespace: &str, roles: &[Role]) -> impl Stream<Item = ()> + Unpin + Send + use<> {
    let watches = queries(roles).into_iter().map(|query| stack.kubernetes.watch(kind, namespace, &query));
    select_all(watches)
}

/// Every claim of a namespace; none for who may not list them.
///
/// # Errors
/// When Kubernetes does not say.
pub async fn claims(stack: &Stack, namespace: &str) -> Result<Vec<Object>, Failure> {
    match stack.kubernetes.list(Kind::PersistentVolumeClaim, Some(namespace), "").await {
        Err(Failure { class: Class::Forbidden { .. } | Class::NamespaceMissing(_), .. }) => Ok(Vec::new()),
        other => other,
    }
}

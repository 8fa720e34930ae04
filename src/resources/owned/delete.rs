//! The deletion of one object. Network.

use crate::kubernetes::Kubernetes;
use crate::kubernetes::client::Delete;
use crate::kubernetes::failure::{Class, Failure};
use crate::kubernetes::object::Object;

/// Deletes this very object: one of the same name that came meanwhile stays. What is gone already, or goes with its namespace, is
/// no error.
///
/// # Errors
/// When Kubernetes refuses, or does not say.
pub async fn delete_this(kubernetes: &Kubernetes, object: &Object) -> Result<(), Failure> {
    let how = Delete { uid: Some(object.uid().to_owned()), ..Delete::default() };
    match kubernetes.delete(&object.key(), how).await {
        Ok(_) | Err(Failure { class: Class::NotFound | Class::NamespaceTerminating(_), .. }) => Ok(()),
        Err(failure) => Err(failure),
    }
}

//! The files that pods read. Pure.

use super::{Pods, of};
use crate::kubernetes::object::{Kind, Object};
use crate::resources::owned::fingerprint;
use crate::stack::names;
use serde_json::json;

impl Pods<'_> {
    /// The name of the ConfigMap with the files: another content has another name.
    pub(super) fn config_name(&self) -> String {
        names::configuration(&self.role.names.set, &fingerprint(&json!(self.files)))
    }

    /// The ConfigMap with the files. It never changes, because pods read it at each start of a container.
    pub fn config_map(&self) -> Object {
        let metadata = self.metadata(&self.config_name());
        Object::new(Kind::ConfigMap, of([("metadata", metadata), ("immutable", true.into()), ("data", json!(self.files))]))
    }
}

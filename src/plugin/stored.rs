//! What core has stored of an object, as a resource's author sees it when the shape of the state has changed since.

use super::diagnostic::Diagnostic;
use super::model::Object;
use super::operations::Private;
use super::path::Path;
use super::wire;

/// A state that an older version of a resource's schema wrote, or a resource of another type.
#[derive(Clone, Debug)]
pub struct Stored<'a> {
    /// The address of the provider that wrote it, such as `registry.terraform.io/hashicorp/aws`; empty for this one.
    pub provider: &'a str,
    /// The type of the resource that wrote it, with its provider's name.
    pub type_name: &'a str,
    /// The version of the schema that wrote it.
    pub version: i64,
    /// Its private state; nothing where it is not written as this provider's are.
    pub private: Private,
    pub(super) json: &'a [u8],
}

impl Stored<'_> {
    /// Reads it. What it has not is null, and what `M` has not is dropped; so `M` is declared with what is of use alone.
    ///
    /// # Errors
    /// When an attribute is of another type.
    pub fn decode<M: Object>(&self) -> Result<M, Diagnostic> {
        let misfit = |why: String, at: Path| Diagnostic::error("A value does not fit the schema", format!("{why}.")).at(at);
        let value = wire::json::decode(&M::kind(), self.json).map_err(|e| misfit(e.to_string(), e.path()))?;
        M::decode(&value).map_err(|e| misfit(e.to_string(), e.at.clone()))
    }
}

//! What core has stored and sends back: states and identities, written by this version or by another one.

use super::super::diagnostic::{Diagnostic, Diagnostics};
use super::super::operations::{Done, Private};
use super::super::path::Path;
use super::super::proto::tfplugin6::{
    self as proto, RawState, ResourceIdentityData, get_resource_identity_schemas, move_resource_state, upgrade_resource_identity,
    upgrade_resource_state,
};
use super::super::provider::Provider;
use super::super::stored::Stored;
use super::super::value::Value;
use super::super::wire;
use super::words::unreadable;
use super::{Server, decode_private, encode_private, said};

/// The JSON of what was stored; none for nothing.
fn json(raw: Option<&RawState>) -> Result<Option<&[u8]>, Diagnostic> {
    match raw {
        Some(raw) if !raw.json.is_empty() => Ok(Some(&raw.json)),
        Some(raw) if !raw.flatmap.is_empty() => Err(unreadable("state in the format of 2018", Path::root())),
        _ => Ok(None),
    }
}

fn newer(what: &str, type_name: &str, theirs: i64, ours: i64) -> Diagnostic {
    Diagnostic::error(
        format!("The {what} is of a newer provider"),
        format!("It was written with version {theirs} of the schema of `{type_name}`; this provider knows version {ours}."),
    )
    .hint("use the provider's newer version, which wrote it")
}

impl<P: Provider> Server<P> {
    pub(super) fn identity_schemas(&self) -> get_resource_identity_schemas::Response {
        let identities = self.resources.iter().filter_map(|(name, entry)| {
            let identity = entry.oracle.identity()?;
            Some((name.clone(), wire::schema::identity(identity)))
        });
        get_resource_identity_schemas::Response { identity_schemas: identities.collect(), ..Default::default() }
    }

    /// Every stored state passes here, also one of this very version.
    pub(super) fn upgrade_state(&self, request: &upgrade_resource_state::Request) -> upgrade_resource_state::Response {
        let (upgraded_state, failed) = match self.try_upgrade_state(request) {
            Ok(state) => (Some(state), Ok(())),
            Err(diagnostics) => (None, Err(diagnostics)),
        };
        upgrade_resource_state::Response { upgraded_state, diagnostics: said(failed) }
    }

    fn try_upgrade_state(&self, request: &upgrade_resource_state::Request) -> Result<proto::DynamicValue, Diagnostics> {
        let entry = self.entry(&request.type_name)?;
        let ours = entry.shape.schema.version;
        if request.version > ours {
            return Err(newer("state", &request.type_name, request.version, ours).into());
        }
        let state = match json(request.raw_state.as_ref())? {
            Some(json) if request.version < ours => {
                let (type_name, version) = (request.type_name.as_str(), request.version);
                let stored = Stored { provider: "", type_name, version, private: Private::new(), json };
                entry.resource.upgrade(&stored)?
            }
            Some(json) => wire::json::decode(&entry.shape.kind, json).map_err(|e| unreadable(&e.to_string(), e.path()))?,
            None => Value::Null,
        };
        // What is write-only now may have been stored once.
        let state = entry.shape.without_write_only(state);
        entry.shape.wholly_known(&state)?;
        entry.shape.encode(&state)
    }

    /// A `moved` block makes a resource of one type one of another.
    pub(super) fn move_state(&self, request: &move_resource_state::Request) -> move_resource_state::Response {
        self.try_move(request).unwrap_or_else(|diagnostics| move_resource_state::Response {
            diagnostics: said(Err(diagnostics)),
            ..Default::default()
        })
    }

    fn try_move(&self, request: &move_resource_state::Request) -> Result<move_resource_state::Response, Diagnostics> {
        let entry = self.entry(&request.target_type_name)?;
        let stored = Stored {
            provider: &request.source_provider_address,
            type_name: &request.source_type_name,
            version: request.source_schema_version,
            // Another provider writes what it likes there.
            private: decode_private(&request.source_private).unwrap_or_default(),
            json: json(request.source_state.as_ref())?.unwrap_or(b"null"),
        };
        let taken = match stored.json {
            b"null" => None,
            _ => entry.resource.take_over(&stored)?,
        };
        let Some(Done { state, private, said }) = taken else {
            let (from, to, by) = (stored.type_name, &request.target_type_name, stored.provider);
            let why = format!("A `{from}` of the provider `{by}` cannot become a `{to}`.");
            let hint = format!("take the `moved` block away, and import the object as a `{to}`");
            return Err(Diagnostic::error("The resource cannot be moved", why).hint(hint).into());
        };
        let state = entry.found(&Value::Null, state)?;
        Ok(move_resource_state::Response {
            target_identity: entry.identify(&state)?,
            target_state: Some(entry.shape.encode(&state)?),
            target_private: encode_private(&private),
            diagnostics: wire::schema::diagnostics(said),
        })
    }

    /// Every stored identity passes here, also one of this very version.
    pub(super) fn upgrade_identity(&self, request: &upgrade_resource_identity::Request) -> upgrade_resource_identity::Response {
        let (upgraded_identity, failed) = match self.try_upgrade_identity(request) {
            Ok(identity) => (Some(identity), Ok(())),
            Err(diagnostic) => (None, Err(diagnostic.into())),
        };
        upgrade_resource_identity::Response { upgraded_identity, diagnostics: said(failed) }
    }

    fn try_upgrade_identity(&self, request: &upgrade_resource_identity::Request) -> Result<ResourceIdentityData, Diagnostic> {
        let identity = self.entry(&request.type_name)?.oracle.identity();
        let Some(identity) = identity.filter(|_| request.version <= 0) else {
            return Err(newer("identity", &request.type_name, request.version, 0));
        };
        let value = match json(request.raw_identity.as_ref())? {
            Some(json) => wire::json::decode(identity.kind(), json).map_err(|e| unreadable(&e.to_string(), e.path()))?,
            None => Value::Null,
        };
        let data = wire::encode(identity.kind(), &value).map_err(|e| unreadable(&e.to_string(), e.path()))?;
        Ok(ResourceIdentityData { identity_data: Some(data) })
    }
}

//! Lists: what is there, and the configuration that would manage it.

use super::super::diagnostic::Diagnostics;
use super::super::guard::guarded;
use super::super::list::{Listed, Listing, Wanted};
use super::super::operations::Limits;
use super::super::path::Path;
use super::super::planner::generate;
use super::super::proto::tfplugin6::{DynamicValue, generate_resource_config as config, list_resource as list};
use super::super::provider::Provider;
use super::super::timeouts::Operation;
use super::super::value::Value;
use super::super::wire::schema::diagnostics as said;
use super::entry::Entry;
use super::words::bug;
use super::{Server, caught, find};
use futures::StreamExt;
use futures::stream::BoxStream;
use tonic::Status;

/// What is told of a list.
pub(super) type Events = BoxStream<'static, Result<list::Event, Status>>;

impl<P: Provider> Server<P> {
    pub(super) fn validate_list(&self, name: &str, config: Option<&DynamicValue>) -> Result<Diagnostics, Diagnostics> {
        let entry = find(&self.lists, "list resource", name)?;
        entry.shape.validate(config, |config, said| entry.it.validate(config, said))
    }

    /// What is there, an event for each object, after one for what there is to say. Core reads all of it before it goes on,
    /// and takes nothing where there is an error.
    pub(super) async fn list(&self, request: list::Request) -> Events {
        let _running = self.running.read().await;
        let events = caught("list", self.try_list(&request)).await.unwrap_or_else(|failed| vec![remark(failed)]);
        futures::stream::iter(events.into_iter().map(Ok)).boxed()
    }

    async fn try_list(&self, request: &list::Request) -> Result<Vec<list::Event>, Diagnostics> {
        let (listed, entry) = (find(&self.lists, "list resource", &request.type_name)?, self.entry(&request.type_name)?);
        let config = listed.shape.decode(request.config.as_ref())?;
        let limits = Limits { read: listed.it.limit(), ..Limits::default() };
        let limit = Operation::Read.limit(&config, &limits)?;
        let config = listed.shape.asked(&config);
        let client = self.client();
        let cx = self.context(&client, limit);
        let wanted = Wanted {
            limit: usize::try_from(request.limit).ok().filter(|limit| *limit > 0).unwrap_or(usize::MAX),
            whole: request.include_resource_object,
        };
        let found = guarded(cx.deadline, listed.it.list(&cx, config, wanted)).await;
        let Listing { objects, said } = found.map_err(|cut| cut.diagnostic("read"))??;
        let remark = (!said.is_empty()).then(|| Ok(remark(said)));
        let objects = objects.into_iter().take(wanted.limit).map(|one| event(entry, one, wanted.whole));
        remark.into_iter().chain(objects).collect()
    }

    /// The configuration that an object's state would come from.
    pub(super) fn generate(&self, request: &config::Request) -> config::Response {
        let generated = || -> Result<DynamicValue, Diagnostics> {
            let shape = &self.entry(&request.type_name)?.shape;
            shape.encode(&generate::config(shape.attributes(), &shape.decode(request.state.as_ref())?))
        };
        match generated() {
            Ok(config) => config::Response { config: Some(config), diagnostics: Vec::new() },
            Err(diagnostics) => config::Response { config: None, diagnostics: said(diagnostics) },
        }
    }
}

/// An event of no object.
fn remark(diagnostics: Diagnostics) -> list::Event {
    list::Event { diagnostic: said(diagnostics), ..Default::default() }
}

fn event<C>(entry: &Entry<C>, one: Listed<Value>, whole: bool) -> Result<list::Event, Diagnostics> {
    let Listed { display_name, object } = one;
    if let Some(part) = entry.oracle.identity().and_then(|identity| identity.missing(&object)) {
        return Err(bug(format!("What is listed has no `{part}`, which is part of its identity."), Path::of(part)).into());
    }
    let Some(identity) = entry.identify(&object)? else {
        return Err(bug("What is listed has no identity.".to_owned(), Path::root()).into());
    };
    let resource_object = match whole {
        true => Some(entry.shape.encode(&entry.found(&Value::Null, object)?)?),
        false => None,
    };
    Ok(list::Event { identity: Some(identity), display_name, resource_object, diagnostic: Vec::new() })
}

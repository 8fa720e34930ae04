//! A provider whose one resource does nothing: the least that any resource costs. `go/provider` is the same in Go.

use kafkastack::model;
use kafkastack::plugin;
use kafkastack::plugin::diagnostic::Diagnostics;
use kafkastack::plugin::model::Attr;
use kafkastack::plugin::resource::{AnyResource, Change, Context, Private, Provider, Reply, Resource};
use kafkastack::plugin::schema::{computed, optional};
use std::process::ExitCode;

model! {
    /// Nothing.
    pub struct Settings {
    }
}

model! {
    /// Nothing.
    pub struct Data {
        /// Any text.
        input: String = optional(),
        /// Always the same.
        id: String = computed().stable(),
    }
}

struct Nothing;

impl Resource for Nothing {
    type Client = ();
    type Model = Data;
    const NAME: &'static str = "data";

    async fn create(&self, _: &Context<'_, ()>, change: Change<Data>) -> Reply<Data> {
        Reply::state(Data { id: Attr::Known("noop".to_owned()), ..change.planned })
    }

    async fn read(&self, _: &Context<'_, ()>, state: Data, private: Private) -> Reply<Data> {
        Reply::state(state).keep(private)
    }

    async fn update(&self, _: &Context<'_, ()>, change: Change<Data>) -> Reply<Data> {
        Reply::state(change.planned)
    }

    async fn delete(&self, _: &Context<'_, ()>, _: Change<Data>) -> Reply<Data> {
        Reply::gone()
    }

    async fn import(&self, _: &Context<'_, ()>, id: &str) -> Reply<Data> {
        Reply::state(Data { id: Attr::Known(id.to_owned()), ..Data::default() })
    }
}

struct Noop;

impl Provider for Noop {
    type Model = Settings;
    type Client = ();
    const NAME: &'static str = "noop";

    async fn configure(&self, _: Settings) -> Result<Option<()>, Diagnostics> {
        Ok(Some(()))
    }

    fn resources(&self) -> Vec<Box<dyn AnyResource<()>>> {
        vec![Box::new(Nothing)]
    }
}

fn main() -> ExitCode {
    plugin::serve(Noop, "bench/noop", false)
}

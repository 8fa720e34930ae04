//! A provider whose one resource does nothing: the least that any resource costs. `go/provider` is the same in Go.

use kafkastack::model;
use kafkastack::plugin;
use kafkastack::plugin::context::Context;
use kafkastack::plugin::diagnostic::Diagnostics;
use kafkastack::plugin::model::Attr;
use kafkastack::plugin::operations::{Create, Delete, Done, Failed, Private, Update};
use kafkastack::plugin::provider::{Offers, Provider};
use kafkastack::plugin::resource::Resource;
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

    async fn create(&self, _: &Context<'_, ()>, create: Create<Data>) -> Result<Done<Data>, Failed<Data>> {
        Ok(Done::new(Data { id: Attr::Known("noop".to_owned()), ..create.planned }))
    }

    async fn read(&self, _: &Context<'_, ()>, state: Data, private: Private) -> Result<Option<Done<Data>>, Diagnostics> {
        Ok(Some(Done::new(state).keep(private)))
    }

    async fn update(&self, _: &Context<'_, ()>, update: Update<Data>) -> Result<Done<Data>, Failed<Data>> {
        Ok(Done::new(update.planned))
    }

    async fn delete(&self, _: &Context<'_, ()>, _: Delete<Data>) -> Result<Diagnostics, Failed<Data>> {
        Ok(Diagnostics::new())
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

    fn offers(&self) -> Offers<()> {
        Offers::new().resource(Nothing)
    }
}

fn main() -> ExitCode {
    plugin::serve(Noop, "bench/noop", false)
}

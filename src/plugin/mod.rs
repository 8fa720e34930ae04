//! Terraform's plugin protocol 6, as OpenTofu and Terraform speak it. It knows neither Kubernetes nor Kafka.
//!
//! An author sees [`model!`](crate::model) (schema and struct in one), [`resource::Resource`], [`data_source::DataSource`],
//! [`ephemeral::Ephemeral`], [`action::Action`], [`function::Function`], [`list::List`], [`timeouts::Timeouts`] and
//! [`diagnostic::Diagnostics`]; the rest of this folder carries them to core and back.
//! In reading order: [`serve()`] starts the process, [`server`] answers each call, [`planner`] decides what a plan is,
//! [`wire`] turns bytes into values.
//!
//! A whole resource, which keeps a note in memory:
//!
//! ```
//! use kafkastack::model;
//! use kafkastack::plugin::{model::Attr, resource::*, schema::{computed, required}};
//!
//! model! {
//!     /// A note.
//!     pub struct Note {
//!         /// Its title.
//!         title: String = required().replaces().identifies(),
//!         /// How many letters the title has.
//!         length: i64 = computed().stable(),
//!     }
//! }
//! struct Notes;
//!
//! impl Resource for Notes {
//!     type Client = ();
//!     type Model = Note;
//!     const NAME: &'static str = "note";
//!
//!     async fn create(&self, _: &Context<'_, ()>, Change { planned, .. }: Change<Note>) -> Reply<Note> {
//!         let length = Attr::Known(planned.title.text().len() as i64);
//!         Reply::state(Note { length, ..planned })
//!     }
//!     async fn read(&self, _: &Context<'_, ()>, state: Note, _: Private) -> Reply<Note> {
//!         Reply::state(state)
//!     }
//!     async fn update(&self, _: &Context<'_, ()>, change: Change<Note>) -> Reply<Note> {
//!         Reply::state(change.planned)
//!     }
//!     async fn delete(&self, _: &Context<'_, ()>, _: Change<Note>) -> Reply<Note> {
//!         Reply::gone()
//!     }
//!     async fn import(&self, _: &Context<'_, ()>, title: &str) -> Reply<Note> {
//!         Reply::state(Note { title: Attr::Known(title.to_owned()), length: Attr::Known(title.len() as i64) })
//!     }
//! }
//! # let notes: Box<dyn AnyResource<()>> = Box::new(Notes);
//! # assert_eq!(notes.schema().attributes.len(), 2);
//! ```
//!
//! `docs/plugin.md` says what this layer does with it.

pub mod action;
pub mod data_source;
pub mod diagnostic;
pub mod ephemeral;
pub mod function;
pub mod go_plugin;
pub mod handshake;
pub mod identity;
pub mod list;
pub mod logging;
pub mod model;
pub mod operation;
pub mod oracle;
pub mod path;
pub mod planner;
pub mod proto;
pub mod resource;
pub mod schema;
pub mod serve;
pub mod server;
pub mod stored;
pub mod timeouts;
pub mod tls;
pub mod value;
pub mod wire;

pub use serve::serve;

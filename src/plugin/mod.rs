//! Terraform's plugin protocol 6, as OpenTofu and Terraform speak it. It knows neither Kubernetes nor Kafka.
//!
//! An author sees [`model!`](crate::model) (schema and struct in one), [`provider::Provider`], [`resource::Resource`], [`data_source::DataSource`],
//! [`ephemeral::Ephemeral`], [`action::Action`], [`function::Function`], [`list::List`], [`timeouts::Timeouts`],
//! [`operations`] (what is asked and answered), [`context::Context`] and [`diagnostic::Diagnostics`]; the rest of this folder carries them to core and back.
//! In reading order: [`serve()`] starts the process, [`server`] answers each call, [`planner`] decides what a plan is,
//! [`wire`] turns bytes into values.
//!
//! A whole resource, which keeps a note in memory:
//!
//! ```
//! use kafkastack::model;
//! use kafkastack::plugin::{context::Context, diagnostic::Diagnostics, erased::AnyResource, model::Attr, operations::*};
//! use kafkastack::plugin::{resource::Resource, schema::{computed, required}};
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
//!     async fn create(&self, _: &Context<'_, ()>, note: Create<Note>) -> Result<Done<Note>, Failed<Note>> {
//!         let length = Attr::Known(note.planned.title.text().len() as i64);
//!         Ok(Done::new(Note { length, ..note.planned }))
//!     }
//!     /// An import reads, too: then the title alone is known.
//!     async fn read(&self, _: &Context<'_, ()>, note: Note, _: Private) -> Result<Option<Done<Note>>, Diagnostics> {
//!         let length = Attr::Known(note.title.text().len() as i64);
//!         Ok(Some(Done::new(Note { length, ..note })))
//!     }
//!     async fn update(&self, _: &Context<'_, ()>, note: Update<Note>) -> Result<Done<Note>, Failed<Note>> {
//!         Ok(Done::new(note.planned))
//!     }
//!     async fn delete(&self, _: &Context<'_, ()>, _: Delete<Note>) -> Result<Diagnostics, Failed<Note>> {
//!         Ok(Diagnostics::new())
//!     }
//! }
//! # let notes: Box<dyn AnyResource<()>> = Box::new(Notes);
//! # assert_eq!(notes.schema().attributes.len(), 2);
//! ```
//!
//! `docs/plugin.md` says what this layer does with it.

pub mod action;
pub mod choice;
pub mod context;
pub mod data_source;
pub mod diagnostic;
pub mod ephemeral;
pub mod erased;
pub mod function;
pub mod go_plugin;
pub mod guard;
pub mod handshake;
pub mod identity;
pub mod list;
pub mod logging;
pub mod model;
pub mod number;
pub mod operations;
pub mod oracle;
pub mod path;
pub mod planner;
pub mod proto;
pub mod provider;
pub mod resource;
pub mod schema;
pub mod serve;
pub mod server;
pub mod stored;
pub mod timeouts;
pub mod tls;
pub mod typed;
pub mod types;
pub mod value;
pub mod wire;

pub use serve::serve;

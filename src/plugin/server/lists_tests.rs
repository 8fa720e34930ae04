//! Lists, and the configuration of what they find, as core asks for them.

use super::super::list::{List, Listed, Listing, Wanted};
use super::super::model::{Attr, Typed};
use super::super::operations::{Create, Delete, Done, Failed, Update};
use super::super::provider::Offers;
use super::super::resource::Resource;
use super::super::schema::{computed, optional, required};
use super::*;
use futures::StreamExt;
use proto::provider_server::Provider as _;
use tonic::Request;

crate::model! {
    /// A book.
    pub struct Book {
        /// Its title.
        title: String = required().replaces().identifies(),
        /// How many pages it has.
        pages: i64 = optional().defaults_to(100),
        /// Its place.
        place: String = computed().stable(),
    }
}

crate::model! {
    /// Which books.
    pub struct Search {
        /// What their titles begin with; it says how the list behaves.
        prefix: String = optional(),
        /// How many there are.
        count: i64 = optional().defaults_to(3),
    }
}

struct Books;

impl Resource for Books {
    type Client = String;
    type Model = Book;
    const NAME: &'static str = "book";

    async fn create(&self, _: &Context<'_, String>, create: Create<Book>) -> Result<Done<Book>, Failed<Book>> {
        Ok(Done::new(create.planned))
    }
    async fn read(&self, _: &Context<'_, String>, state: Book, _: Private) -> Result<Option<Done<Book>>, Diagnostics> {
        Ok(Some(Done::new(state)))
    }
    async fn update(&self, _: &Context<'_, String>, update: Update<Book>) -> Result<Done<Book>, Failed<Book>> {
        Ok(Done::new(update.planned))
    }
    async fn delete(&self, _: &Context<'_, String>, _: Delete<Book>) -> Result<Diagnostics, Failed<Book>> {
        Ok(Diagnostics::new())
    }
}

struct Shelf;

impl List for Shelf {
    type Resource = Books;
    type Model = Search;

    fn validate(&self, config: &Search, diagnostics: &mut Diagnostics) {
        if config.prefix.text() == "bad" {
            diagnostics.error_at(Path::of("prefix"), "Bad prefix", "No title begins with `bad`.");
        }
    }

    async fn list(&self, cx: &Context<'_, String>, config: Search, wanted: Wanted) -> Result<Listing<Book>, Diagnostics> {
        let prefix = config.prefix.text();
        let book = |at: i64| {
            let title = Attr::Known(format!("{prefix}{at}"));
            let whole = Book { pages: Attr::Known(100), place: Attr::Known("here".to_owned()), title: title.clone() };
            let object = match prefix {
                "nameless" => Book::default(),
                "lost" => Book { place: Attr::unknown(), ..whole },
                _ if wanted.whole => whole,
                _ => Book { title, ..Book::default() },
            };
            Listed { display_name: format!("Book {at}"), object }
        };
        let found = Listing::of((0..config.count.unwrap_or(0)).map(book).collect());
        match prefix {
            "panic" => panic!("with a s3cret"),
            "fail" => Err(Diagnostic::error("Closed", "The shelf is closed.").into()),
            "half" => Ok(found.and(Diagnostic::warning("Half", "One shelf was not looked at."))),
            "wait" => Err(Diagnostic::error("Interrupted", cx.halted().await.to_string()).into()),
            _ => Ok(found),
        }
    }
}

struct Library;

impl Provider for Library {
    type Model = Search;
    type Client = String;
    const NAME: &'static str = "test";
    async fn configure(&self, _: Search) -> Result<Option<String>, Diagnostics> {
        Ok(None)
    }
    fn offers(&self) -> Offers<String> {
        Offers::new().resource(Books).list(Shelf)
    }
}

fn search(prefix: &str) -> Option<DynamicValue> {
    let value = Value::Map([("prefix".into(), prefix.into()), ("count".into(), Value::Null)].into());
    Some(wire::encode(&Search::kind(), &value).unwrap())
}

fn book(title: &str, pages: Value, place: Value) -> Value {
    Value::Map([("title".into(), title.into()), ("pages".into(), pages), ("place".into(), place)].into())
}

async fn listed(server: &Server<Library>, prefix: &str, limit: i64, whole: bool) -> Vec<proto::list_resource::Event> {
    let type_name = "test_book".to_owned();
    let request = proto::list_resource::Request { type_name, config: search(prefix), include_resource_object: whole, limit };
    let events = server.list_resource(Request::new(request)).await.unwrap().into_inner();
    events.map(|event| event.unwrap()).collect().await
}

async fn said_of(prefix: &str) -> String {
    let events = listed(&Server::new(Library), prefix, 10, true).await;
    assert!(events.iter().all(|event| event.identity.is_none()), "{events:?}");
    let said = events[0].diagnostic[0].clone();
    format!("{} {}", said.summary, said.detail)
}

#[tokio::test]
async fn what_is_there_is_listed_by_its_identity() {
    let server = Server::new(Library);
    let events = listed(&server, "a", 10, false).await;
    assert_eq!(events.iter().map(|event| event.display_name.as_str()).collect::<Vec<_>>(), ["Book 0", "Book 1", "Book 2"]);
    let identity = server.entry("test_book").unwrap().identify(&book("a1", Value::Null, Value::Null)).unwrap();
    assert_eq!((&events[1].identity, &events[1].resource_object), (&identity, &None));
    assert!(events.iter().all(|event| event.diagnostic.is_empty()));
}

#[tokio::test]
async fn no_more_is_listed_than_was_asked_for() {
    assert_eq!(listed(&Server::new(Library), "a", 2, false).await.len(), 2);
    assert_eq!(listed(&Server::new(Library), "a", 0, false).await.len(), 3);
}

#[tokio::test]
async fn whole_objects_are_listed_where_they_are_wanted() {
    let events = listed(&Server::new(Library), "a", 1, true).await;
    let object = wire::decode(&Book::kind(), events[0].resource_object.as_ref()).unwrap();
    assert_eq!(object, book("a0", 100.into(), "here".into()));
}

#[tokio::test]
async fn a_warning_comes_with_what_was_found() {
    let events = listed(&Server::new(Library), "half", 10, false).await;
    // Core goes on after an event of no object only if that warns.
    assert!(events[0].identity.is_none() && events[0].diagnostic[0].summary == "Half");
    assert_eq!(events.len(), 4);
}

#[tokio::test]
async fn a_list_that_fails_says_why() {
    assert_eq!(said_of("fail").await, "Closed The shelf is closed.");
    let said = said_of("panic").await;
    assert!(said.starts_with("The read stopped on a fault of the provider") && !said.contains("s3cret"), "{said}");
    assert!(said_of("nameless").await.contains("What is listed has no `title`, which is part of its identity"));
    assert!(said_of("lost").await.contains("`place` is still unknown"));
}

#[tokio::test]
async fn a_stop_ends_a_list() {
    let server = Server::new(Library);
    let stop = async {
        tokio::task::yield_now().await;
        server.stop();
    };
    let (events, ()) = tokio::join!(listed(&server, "wait", 10, true), stop);
    assert_eq!(events[0].diagnostic[0].summary, "Interrupted");
}

#[tokio::test]
async fn a_list_is_offered_and_its_configuration_checked() {
    let server = Server::new(Library);
    let schemas = server.get_provider_schema(Request::new(Default::default())).await.unwrap().into_inner();
    assert!(schemas.list_resource_schemas.contains_key("test_book"));
    assert!(schemas.server_capabilities.unwrap().generate_resource_config);
    let metadata = server.get_metadata(Request::new(Default::default())).await.unwrap().into_inner();
    assert_eq!(metadata.list_resources[0].type_name, "test_book");
    let validate = async |type_name: &str, prefix: &str| {
        let request = proto::validate_list_resource_config::Request {
            type_name: type_name.into(),
            config: search(prefix),
            ..Default::default()
        };
        server.validate_list_resource_config(Request::new(request)).await.unwrap().into_inner().diagnostics
    };
    assert_eq!(validate("test_book", "a").await, vec![]);
    assert_eq!(validate("test_book", "bad").await[0].summary, "Bad prefix");
    assert_eq!(validate("test_other", "a").await[0].detail, "This provider has no list resource `test_other`.");
}

#[tokio::test]
async fn a_configuration_is_generated_from_what_is_there() {
    let server = Server::new(Library);
    let generate = async |type_name: &str, state: Option<DynamicValue>| {
        let request = proto::generate_resource_config::Request { type_name: type_name.into(), state };
        server.generate_resource_config(Request::new(request)).await.unwrap().into_inner()
    };
    let state = |pages: i64| Some(wire::encode(&Book::kind(), &book("a", pages.into(), "here".into())).unwrap());
    let config = |answer: proto::generate_resource_config::Response| wire::decode(&Book::kind(), answer.config.as_ref()).unwrap();
    assert_eq!(config(generate("test_book", state(100)).await), book("a", Value::Null, Value::Null));
    assert_eq!(config(generate("test_book", state(7)).await), book("a", 7.into(), Value::Null));
    assert_eq!(generate("test_other", state(7)).await.diagnostics[0].summary, "Unknown resource type");
    let damaged = Some(DynamicValue { msgpack: vec![0xc1], json: vec![] });
    assert_eq!(generate("test_book", damaged).await.diagnostics[0].summary, "A value does not fit the schema");
}

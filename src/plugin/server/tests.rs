//! What a core may meet that no well-behaved resource shows: panics, lies, lost answers, damaged requests.

use super::super::model::Attr;
use super::super::resource::{Change, Plan, Reply, Resource};
use super::super::schema::{computed, optional, required};
use super::super::timeouts::Timeouts;
use super::*;
use proto::provider_server::Provider as _;
use proto::{apply_resource_change as apply, diagnostic::Severity, plan_resource_change as plan};
use tokio::sync::Notify;
use tonic::Request;

crate::model! {
    /// Settings.
    pub struct Settings {
        /// Anything.
        token: String = optional(),
    }
}
crate::model! {
    /// A thing. Its name says how it behaves.
    pub struct Thing {
        /// Its name.
        name: String = required(),
        /// Its id.
        id: String = computed(),
        /// How long operations may take.
        timeouts: Timeouts = optional(),
    }
}

#[derive(Default)]
struct Things {
    begun: Arc<Notify>,
}

impl Resource for Things {
    type Client = String;
    type Model = Thing;
    const NAME: &'static str = "thing";
    const VERSION: i64 = 2;

    async fn plan(&self, cx: &Context<'_, String>, plan: &mut Plan<Thing>) {
        match plan.planned.name.text() {
            "panic" => panic!("with a s3cret"),
            "lie" => plan.planned.name = Attr::Known("another".to_owned()),
            "client" => {
                if let Err(missing) = cx.client() {
                    plan.diagnostics.push(missing);
                }
            }
            _ => {}
        }
        plan.private.insert("planned".to_owned(), "yes".to_owned());
    }
    async fn create(&self, cx: &Context<'_, String>, change: Change<Thing>) -> Reply<Thing> {
        let mut thing = change.planned;
        match thing.name.text() {
            "wait" => {
                self.begun.notify_one();
                cx.cancel.cancelled().await;
                return Reply::failed(Some(thing), Diagnostic::error("Interrupted", "It was."));
            }
            "forget" => return Reply::state(thing),
            "vanish" => return Reply::gone(),
            "change" => thing.name = Attr::Known("changed".to_owned()),
            "cancelled" if cx.cancel.is_cancelled() => return Reply::failed(None, Diagnostic::error("Cancelled", "Still.")),
            _ => {}
        }
        thing.id = Attr::Known(change.private.get("planned").cloned().unwrap_or_default());
        Reply::state(thing)
    }
    async fn read(&self, _: &Context<'_, String>, _: Thing, _: Private) -> Reply<Thing> {
        panic!("with a s3cret")
    }
    async fn update(&self, _: &Context<'_, String>, change: Change<Thing>) -> Reply<Thing> {
        Reply::failed(None, Diagnostic::error("Refused", change.planned.name.text()))
    }
    async fn delete(&self, _: &Context<'_, String>, change: Change<Thing>) -> Reply<Thing> {
        match change.prior.name.text() {
            "stay" => Reply::failed(None, Diagnostic::error("Refused", "It stays.")),
            "half" => Reply::state(change.prior),
            _ => Reply::gone(),
        }
    }
    async fn import(&self, _: &Context<'_, String>, id: &str) -> Reply<Thing> {
        match id {
            "known" => Reply::state(Thing { name: Attr::Known(id.to_owned()), ..Thing::default() }),
            _ => Reply::gone(),
        }
    }
}

struct Test(Arc<Notify>);

impl Provider for Test {
    type Model = Settings;
    type Client = String;
    const NAME: &'static str = "test";
    async fn configure(&self, config: Settings) -> Result<Option<String>, Diagnostics> {
        Ok(config.token.known().cloned())
    }
    fn resources(&self) -> Vec<Box<dyn AnyResource<String>>> {
        vec![Box::new(Things { begun: self.0.clone() })]
    }
}

fn server() -> Server<Test> {
    Server::new(Test(Arc::default()))
}

fn wire_value(value: Value) -> Option<DynamicValue> {
    Some(wire::encode(&Thing::kind(), &value).unwrap())
}

fn thing(name: &str, id: Value) -> Value {
    Value::Map([("name".into(), name.into()), ("id".into(), id), ("timeouts".into(), Value::Null)].into())
}

fn read_back(value: Option<&DynamicValue>) -> Value {
    wire::decode(&Thing::kind(), value).unwrap()
}

async fn plan_of(server: &Server<Test>, name: &str) -> plan::Response {
    let config = wire_value(thing(name, Value::Null));
    let request = plan::Request {
        type_name: "test_thing".into(),
        prior_state: wire_value(Value::Null),
        proposed_new_state: config.clone(),
        config,
        ..Default::default()
    };
    server.plan_resource_change(Request::new(request)).await.unwrap().into_inner()
}

async fn applied(server: &Server<Test>, prior: Value, planned: Value) -> apply::Response {
    let request = apply::Request {
        type_name: "test_thing".into(),
        prior_state: wire_value(prior),
        config: wire_value(Value::Null),
        planned_state: wire_value(planned),
        planned_private: br#"{"planned":"yes"}"#.to_vec(),
        ..Default::default()
    };
    server.apply_resource_change(Request::new(request)).await.unwrap().into_inner()
}

async fn created(server: &Server<Test>, name: &str) -> (Value, Vec<proto::Diagnostic>) {
    let response = applied(server, Value::Null, thing(name, Value::Unknown)).await;
    (read_back(response.new_state.as_ref()), response.diagnostics)
}

fn only(diagnostics: &[proto::Diagnostic]) -> String {
    assert_eq!(diagnostics.len(), 1, "{diagnostics:?}");
    assert_eq!(diagnostics[0].severity(), Severity::Error);
    format!("{}: {}", diagnostics[0].summary, diagnostics[0].detail)
}

#[tokio::test]
async fn what_is_planned_is_applied_with_its_private_state() {
    let server = server();
    let planned = plan_of(&server, "plain").await;
    assert!(planned.diagnostics.is_empty());
    assert_eq!(read_back(planned.planned_state.as_ref()), thing("plain", Value::Unknown));
    assert_eq!(planned.planned_private, br#"{"planned":"yes"}"#);
    assert_eq!(created(&server, "plain").await, (thing("plain", "yes".into()), vec![]));
}

#[tokio::test]
async fn a_panic_is_said_without_its_message_and_the_server_goes_on() {
    let server = server();
    let said = only(&plan_of(&server, "panic").await.diagnostics);
    assert!(said.starts_with("The plan stopped on a fault of the provider") && !said.contains("s3cret"), "{said}");
    let stored = wire_value(thing("x", "1".into()));
    let request = proto::read_resource::Request {
        type_name: "test_thing".into(),
        current_state: stored.clone(),
        private: b"{}".to_vec(),
        ..Default::default()
    };
    let read = server.read_resource(Request::new(request)).await.unwrap().into_inner();
    assert_eq!((read.new_state, read.private), (stored, b"{}".to_vec()));
    only(&read.diagnostics);
    assert!(plan_of(&server, "plain").await.diagnostics.is_empty());
}

#[tokio::test]
async fn a_plan_or_an_outcome_that_core_would_refuse_is_named() {
    let server = server();
    assert!(only(&plan_of(&server, "lie").await.diagnostics).contains("`name` is planned otherwise than configured"));
    let (state, said) = created(&server, "forget").await;
    assert!(only(&said).contains("`id` is still unknown"));
    assert_eq!(state, thing("forget", Value::Null));
    let (state, said) = created(&server, "change").await;
    assert!(only(&said).contains("`name` is not what was planned"));
    assert_eq!(state, thing("changed", "yes".into()));
    let (state, said) = created(&server, "vanish").await;
    assert!(only(&said).contains("nothing exists"));
    assert!(state.is_null());
}

#[tokio::test]
async fn a_failed_change_keeps_what_was_there() {
    let server = server();
    let old = thing("old", "1".into());
    let updated = applied(&server, old.clone(), thing("new", Value::Unknown)).await;
    assert_eq!(read_back(updated.new_state.as_ref()), old);
    assert_eq!(updated.private, br#"{"planned":"yes"}"#);
    assert_eq!(only(&updated.diagnostics), "Refused: new");
    for name in ["stay", "half"] {
        let kept = applied(&server, thing(name, "1".into()), Value::Null).await;
        assert_eq!(read_back(kept.new_state.as_ref()), thing(name, "1".into()));
        only(&kept.diagnostics);
    }
    let gone = applied(&server, old, Value::Null).await;
    assert!(read_back(gone.new_state.as_ref()).is_null() && gone.diagnostics.is_empty());
}

#[tokio::test]
async fn a_stop_cancels_what_runs_and_nothing_later() {
    let begun = Arc::new(Notify::new());
    let server = Server::new(Test(begun.clone()));
    let stop = async {
        begun.notified().await;
        server.stop_provider(Request::new(proto::stop_provider::Request {})).await.unwrap();
    };
    let ((state, said), ()) = tokio::join!(created(&server, "wait"), stop);
    assert_eq!(only(&said), "Interrupted: It was.");
    assert_eq!(state, thing("wait", Value::Null));
    assert_eq!(created(&server, "cancelled").await.1, vec![]);
}

#[tokio::test]
async fn settings_that_are_unknown_leave_the_client_unset() {
    let server = server();
    let configure = |token: Value| {
        let config = Value::Map([("token".to_owned(), token)].into());
        let config = Some(wire::encode(&Settings::kind(), &config).unwrap());
        Request::new(proto::configure_provider::Request { config, ..Default::default() })
    };
    let said = server.configure_provider(configure(Value::Unknown)).await.unwrap().into_inner().diagnostics;
    assert!(said.is_empty());
    assert!(only(&plan_of(&server, "client").await.diagnostics).starts_with("The provider is not configured yet"));
    server.configure_provider(configure("t".into())).await.unwrap();
    assert!(plan_of(&server, "client").await.diagnostics.is_empty());
}

#[tokio::test]
async fn stored_state_is_brought_to_this_schema() {
    let server = server();
    let upgrade = async |version: i64, json: &str| {
        let raw_state = Some(proto::RawState { json: json.as_bytes().to_vec(), ..Default::default() });
        let request = proto::upgrade_resource_state::Request { type_name: "test_thing".into(), version, raw_state };
        server.upgrade_resource_state(Request::new(request)).await.unwrap().into_inner()
    };
    let upgraded = upgrade(1, r#"{"name": "a", "old": [1]}"#).await;
    assert_eq!(read_back(upgraded.upgraded_state.as_ref()), thing("a", Value::Null));
    assert!(only(&upgrade(3, "{}").await.diagnostics).starts_with("The state is of a newer provider"));
    assert!(only(&upgrade(2, r#"{"name": 1}"#).await.diagnostics).contains("`name`: not a string"));
    assert!(only(&upgrade(2, "{").await.diagnostics).contains("not JSON"));
}

#[tokio::test]
async fn damaged_requests_are_errors() {
    let server = server();
    let broken = Some(DynamicValue { msgpack: vec![0x81], json: Vec::new() });
    let request = plan::Request { type_name: "test_thing".into(), config: broken, ..Default::default() };
    let said = server.plan_resource_change(Request::new(request)).await.unwrap().into_inner().diagnostics;
    assert!(only(&said).contains("does not fit the schema"));
    let request = plan::Request { type_name: "test_other".into(), ..Default::default() };
    let said = server.plan_resource_change(Request::new(request)).await.unwrap().into_inner().diagnostics;
    assert!(only(&said).contains("no resource type `test_other`"));
    let request = apply::Request { type_name: "test_thing".into(), planned_private: b"x".to_vec(), ..Default::default() };
    let said = server.apply_resource_change(Request::new(request)).await.unwrap().into_inner().diagnostics;
    assert!(only(&said).starts_with("Unreadable private state"));
}

#[tokio::test]
async fn what_does_not_exist_is_not_imported() {
    let server = server();
    let import = async |id: &str| {
        let request =
            proto::import_resource_state::Request { type_name: "test_thing".into(), id: id.into(), ..Default::default() };
        server.import_resource_state(Request::new(request)).await.unwrap().into_inner()
    };
    assert!(only(&import("lost").await.diagnostics).contains("no `test_thing` with the id \"lost\""));
    let imported = import("known").await.imported_resources;
    assert_eq!(read_back(imported[0].state.as_ref()), thing("known", Value::Null));
}

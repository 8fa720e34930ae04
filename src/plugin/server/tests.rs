//! What a core may meet that no well-behaved resource shows: panics, lies, lost answers, damaged requests.

use super::super::identity::Identity;
use super::super::model::{Attr, Object};
use super::super::operations::{Create, Delete, Done, Failed, Plan, Update};
use super::super::provider::Offers;
use super::super::resource::Resource;
use super::super::schema::{computed, optional, required};
use super::super::stored::Stored;
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
        name: String = required().replaces().identifies(),
        /// Its id.
        id: String = computed(),
        /// A password that nobody keeps.
        password: String = optional().write_only(),
        /// How long operations may take.
        timeouts: Timeouts = optional(),
    }
}

crate::model! {
    /// What a thing was before, or is elsewhere.
    pub struct OldThing {
        /// Its name.
        title: String = required(),
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

    async fn plan(&self, cx: &Context<'_, String>, plan: &mut Plan<Thing>) -> Result<(), Diagnostics> {
        match plan.planned.name.text() {
            "panic" => panic!("with a s3cret"),
            "lie" => plan.planned.name = Attr::Known("another".to_owned()),
            "client" => {
                cx.client()?;
            }
            _ => {}
        }
        plan.private.insert("planned".to_owned(), "yes".to_owned());
        Ok(())
    }
    async fn create(&self, cx: &Context<'_, String>, create: Create<Thing>) -> Result<Done<Thing>, Failed<Thing>> {
        let mut thing = create.planned;
        match thing.name.text() {
            "wait" => {
                self.begun.notify_one();
                let halt = cx.halted().await;
                return Err(Failed::from(Diagnostic::error("Interrupted", halt.to_string())).leaving(thing, Private::new()));
            }
            "forget" => return Ok(Done::new(thing)),
            "warn" => return Ok(Done::new(thing).and(Diagnostic::error("Half way", "It is not ready."))),
            "secret" => thing.id = Attr::Known(create.config.password.text().len().to_string()),
            "leak" => thing.password = create.config.password,
            "change" => thing.name = Attr::Known("changed".to_owned()),
            "cancelled" => cx.go_on().map_err(|halt| Diagnostic::error("Cancelled", halt.to_string()))?,
            _ => {}
        }
        if thing.id.is_unknown() {
            thing.id = Attr::Known(create.private.get("planned").cloned().unwrap_or_default());
        }
        Ok(Done::new(thing))
    }
    async fn read(&self, _: &Context<'_, String>, _: Thing, _: Private) -> Result<Option<Done<Thing>>, Diagnostics> {
        panic!("with a s3cret")
    }
    async fn update(&self, _: &Context<'_, String>, update: Update<Thing>) -> Result<Done<Thing>, Failed<Thing>> {
        match update.prior.name.text() {
            "renamed" => Ok(Done::new(update.planned)),
            _ => Err(Diagnostic::error("Refused", update.planned.name.text()).into()),
        }
    }
    async fn delete(&self, _: &Context<'_, String>, delete: Delete<Thing>) -> Result<Diagnostics, Failed<Thing>> {
        let refused = Failed::from(Diagnostic::error("Refused", "It stays."));
        match delete.prior.name.text() {
            "stay" => Err(refused),
            "half" => Err(refused.leaving(delete.prior, Private::new())),
            _ => Ok(Diagnostics::new()),
        }
    }
    fn upgrade(&self, stored: &Stored<'_>) -> Result<Thing, Diagnostic> {
        match stored.version {
            0 => Ok(Thing { name: stored.decode::<OldThing>()?.title, ..Thing::default() }),
            _ => stored.decode(),
        }
    }
    fn take_over(&self, stored: &Stored<'_>) -> Result<Option<Done<Thing>>, Diagnostics> {
        if !stored.provider.ends_with("/acme/other") || stored.type_name != "other_thing" {
            return Ok(None);
        }
        let name = stored.decode::<OldThing>()?.title;
        Ok(Some(Done::new(Thing { name, ..Thing::default() }).keep(stored.private.clone())))
    }
    async fn import(&self, _: &Context<'_, String>, named: Thing) -> Result<Option<Done<Thing>>, Diagnostics> {
        Ok(match named.name.text() {
            "known" => Some(Done::new(named)),
            "twin" => Some(Done::new(Thing { name: Attr::Known("other".to_owned()), ..Thing::default() })),
            _ => None,
        })
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
    fn offers(&self) -> Offers<String> {
        Offers::new().resource(Things { begun: self.0.clone() })
    }
}

fn server() -> Server<Test> {
    Server::new(Test(Arc::default()))
}

fn wire_value(value: Value) -> Option<DynamicValue> {
    Some(wire::encode(&Thing::kind(), &value).unwrap())
}

fn thing(name: &str, id: Value) -> Value {
    with_password(name.into(), id, Value::Null)
}

fn with_password(name: Value, id: Value, password: Value) -> Value {
    let attributes = [("name", name), ("id", id), ("password", password), ("timeouts", Value::Null)];
    Value::Map(attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn read_back(value: Option<&DynamicValue>) -> Value {
    wire::decode(&Thing::kind(), value).unwrap()
}

async fn plan_of(server: &Server<Test>, name: &str) -> plan::Response {
    plan_with(server, thing(name, Value::Null)).await
}

async fn plan_with(server: &Server<Test>, config: Value) -> plan::Response {
    let config = wire_value(config);
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
    applied_with(server, Value::Null, prior, planned).await
}

async fn applied_with(server: &Server<Test>, config: Value, prior: Value, planned: Value) -> apply::Response {
    let request = apply::Request {
        type_name: "test_thing".into(),
        prior_state: wire_value(prior),
        config: wire_value(config),
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
    // A success with an error among its words is none.
    let (state, said) = created(&server, "warn").await;
    assert!(only(&said).contains("It is not ready"));
    assert_eq!(state, thing("warn", Value::Null));
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
    assert_eq!(only(&said), "Interrupted: it was interrupted");
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
    let oldest = upgrade(0, r#"{"title": "a", "password": "s3cret"}"#).await;
    assert_eq!(read_back(oldest.upgraded_state.as_ref()), thing("a", Value::Null));
    let once_stored = upgrade(2, r#"{"name": "a", "password": "s3cret"}"#).await;
    assert_eq!(read_back(once_stored.upgraded_state.as_ref()), thing("a", Value::Null));
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

fn identity(name: &str) -> Option<proto::ResourceIdentityData> {
    let kind = Identity::of(&Thing::attributes()).unwrap().kind().clone();
    let value = Value::Map([("name".to_owned(), name.into())].into());
    Some(proto::ResourceIdentityData { identity_data: Some(wire::encode(&kind, &value).unwrap()) })
}

#[tokio::test]
async fn every_answer_says_which_object_it_is_about() {
    let server = server();
    assert_eq!(plan_of(&server, "plain").await.planned_identity, identity("plain"));
    assert_eq!(applied(&server, Value::Null, thing("plain", Value::Unknown)).await.new_identity, identity("plain"));
    assert_eq!(applied(&server, thing("plain", "1".into()), Value::Null).await.new_identity, None);
    let asked = Request::new(proto::get_resource_identity_schemas::Request {});
    let schemas = server.get_resource_identity_schemas(asked).await.unwrap().into_inner().identity_schemas;
    let part = &schemas["test_thing"].identity_attributes[0];
    assert!(part.name == "name" && part.required_for_import && part.r#type == b"\"string\"");
}

#[tokio::test]
async fn a_name_that_only_apply_knows_is_no_identity_yet() {
    let config = wire_value(with_password(Value::Unknown, Value::Null, Value::Null));
    let request =
        plan::Request { type_name: "test_thing".into(), proposed_new_state: config.clone(), config, ..Default::default() };
    let planned = server().plan_resource_change(Request::new(request)).await.unwrap().into_inner();
    assert_eq!((planned.diagnostics, planned.planned_identity), (vec![], None));
}

#[tokio::test]
async fn an_update_that_ends_as_another_object_is_named() {
    let renamed = applied(&server(), thing("renamed", "1".into()), thing("other", "1".into())).await;
    assert!(only(&renamed.diagnostics).contains("`name` is part of the identity, and may not be another one"));
}

#[tokio::test]
async fn an_object_is_imported_by_its_identity() {
    let import = async |identity: Option<proto::ResourceIdentityData>| {
        let request = proto::import_resource_state::Request { type_name: "test_thing".into(), identity, ..Default::default() };
        server().import_resource_state(Request::new(request)).await.unwrap().into_inner()
    };
    let imported = &import(identity("known")).await.imported_resources[0];
    assert_eq!(imported.identity, identity("known"));
    assert_eq!(read_back(imported.state.as_ref()), thing("known", Value::Null));
    assert!(only(&import(identity("lost")).await.diagnostics).contains("with the id \"lost\""));
    assert!(
        only(&import(identity("twin")).await.diagnostics).contains("`name` is part of the identity, and may not be another one")
    );
    let nothing = proto::ResourceIdentityData { identity_data: None };
    assert!(only(&import(Some(nothing)).await.diagnostics).contains("It has to name `name`"));
}

#[tokio::test]
async fn a_stored_identity_is_brought_to_this_schema() {
    let upgrade = async |version: i64, json: &str| {
        let raw_identity = Some(proto::RawState { json: json.as_bytes().to_vec(), ..Default::default() });
        let request = proto::upgrade_resource_identity::Request { type_name: "test_thing".into(), version, raw_identity };
        server().upgrade_resource_identity(Request::new(request)).await.unwrap().into_inner()
    };
    assert_eq!(upgrade(0, r#"{"name": "a", "old": 1}"#).await.upgraded_identity, identity("a"));
    assert!(only(&upgrade(1, "{}").await.diagnostics).starts_with("The identity is of a newer provider"));
}

#[tokio::test]
async fn a_write_only_value_reaches_the_resource_and_no_answer() {
    let server = server();
    let config = with_password("secret".into(), Value::Null, "s3cret".into());
    let planned = plan_with(&server, config.clone()).await;
    let expected = thing("secret", Value::Unknown);
    assert_eq!((planned.diagnostics, read_back(planned.planned_state.as_ref())), (vec![], expected.clone()));
    let made = applied_with(&server, config, Value::Null, expected).await;
    assert_eq!((made.diagnostics, read_back(made.new_state.as_ref())), (vec![], thing("secret", "6".into())));
}

#[tokio::test]
async fn a_resource_that_stores_a_write_only_value_is_named_and_the_value_is_not_stored() {
    let config = with_password("leak".into(), Value::Null, "s3cret".into());
    let made = applied_with(&server(), config, Value::Null, thing("leak", Value::Unknown)).await;
    let said = only(&made.diagnostics);
    assert!(said.contains("`password` is write-only, and in an answer") && !said.contains("s3cret"), "{said}");
    assert_eq!(read_back(made.new_state.as_ref()), thing("leak", "yes".into()));
}

#[tokio::test]
async fn a_core_that_would_store_write_only_values_is_refused_one() {
    let validate = async |password: Value, allowed: bool| {
        let request = proto::validate_resource_config::Request {
            type_name: "test_thing".into(),
            config: wire_value(with_password("a".into(), Value::Null, password)),
            client_capabilities: allowed
                .then(|| proto::ClientCapabilities { write_only_attributes_allowed: true, ..Default::default() }),
        };
        server().validate_resource_config(Request::new(request)).await.unwrap().into_inner().diagnostics
    };
    assert_eq!(validate("s3cret".into(), true).await, vec![]);
    assert_eq!(validate(Value::Null, false).await, vec![]);
    let said = validate("s3cret".into(), false).await;
    assert!(only(&said).contains("use OpenTofu 1.11, Terraform 1.11, or later"));
    assert_eq!(said[0].attribute, Some(wire::schema::path(&Path::of("password"))));
}

#[tokio::test]
async fn a_state_of_another_type_is_taken_over_where_the_resource_knows_it() {
    let moved = async |provider: &str, json: &str| {
        let request = proto::move_resource_state::Request {
            source_provider_address: provider.into(),
            source_type_name: "other_thing".into(),
            source_state: Some(proto::RawState { json: json.as_bytes().to_vec(), ..Default::default() }),
            source_private: b"not ours".to_vec(),
            target_type_name: "test_thing".into(),
            ..Default::default()
        };
        server().move_resource_state(Request::new(request)).await.unwrap().into_inner()
    };
    let other = "registry.example.org/acme/other";
    let taken = moved(other, r#"{"title": "a", "colour": "red"}"#).await;
    assert_eq!((taken.diagnostics, taken.target_identity), (vec![], identity("a")));
    assert_eq!(read_back(taken.target_state.as_ref()), thing("a", Value::Null));
    assert!(taken.target_private.is_empty());
    let refused = only(&moved("registry.example.org/acme/else", "{}").await.diagnostics);
    assert!(refused.contains("A `other_thing` of the provider `registry.example.org/acme/else` cannot become a `test_thing`"));
    assert!(only(&moved(other, r#"{"title": 1}"#).await.diagnostics).contains("`title`: not a string"));
}

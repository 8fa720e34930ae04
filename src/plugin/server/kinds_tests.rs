//! What a provider offers beside resources: data sources, ephemeral resources, functions, actions.

use super::super::action::Action;
use super::super::data_source::DataSource;
use super::super::ephemeral::{Ephemeral, Opened, Renewed};
use super::super::function::{Function, FunctionError};
use super::super::model::{Attr, Typed};
use super::super::operations::Done;
use super::super::provider::Offers;
use super::super::schema::{Kind, computed, optional, required};
use super::super::value::Number;
use super::*;
use futures::StreamExt;
use proto::provider_server::Provider as _;
use std::time::{SystemTime, UNIX_EPOCH};
use tonic::Request;

crate::model! {
    /// A word. It says how it behaves.
    pub struct Word {
        /// The word.
        word: String = required(),
        /// How often.
        times: i64 = optional().defaults_to(2),
        /// The words.
        result: String = computed(),
    }
}

fn said_often(word: &mut Word) {
    let times = usize::try_from(word.times.unwrap_or(0)).unwrap();
    word.result = Attr::Known(word.word.text().repeat(times));
}

struct Words;

impl DataSource for Words {
    type Client = String;
    type Model = Word;
    const NAME: &'static str = "words";

    fn validate(&self, config: &Word, diagnostics: &mut Diagnostics) {
        if config.word.text() == "bad" {
            diagnostics.error_at(Path::of("word"), "Bad word", "`bad` is not said.");
        }
    }
    async fn read(&self, _: &Context<'_, String>, mut config: Word) -> Result<Done<Word>, Diagnostics> {
        match config.word.text() {
            "panic" => panic!("with a s3cret"),
            "forget" => return Ok(Done::new(Word { result: Attr::unknown(), ..config })),
            "nothing" => return Ok(Done::new(config).and(Diagnostic::error("Nothing", "It found nothing."))),
            "missing" => return Err(Diagnostic::error("Missing", "It is not there.").into()),
            "lie" => config.word = Attr::Known("truth".to_owned()),
            _ => {}
        }
        said_often(&mut config);
        Ok(Done::new(config).and(Diagnostic::warning("Said", "It was said.")))
    }
}

struct Whisper;

impl Ephemeral for Whisper {
    type Client = String;
    type Model = Word;
    const NAME: &'static str = "whisper";

    async fn open(&self, _: &Context<'_, String>, mut config: Word) -> Result<Opened<Word>, Diagnostics> {
        if config.word.text() == "panic" {
            panic!("with a s3cret");
        }
        said_often(&mut config);
        let private = [("word".to_owned(), config.word.text().to_owned())].into();
        let renew_at = Some(UNIX_EPOCH + Duration::from_millis(1500));
        Ok(Opened { result: config, private, renew_at, diagnostics: Diagnostics::new() })
    }
    async fn renew(&self, _: &Context<'_, String>, private: Private) -> Result<Renewed, Diagnostics> {
        let renew_at: Option<SystemTime> = None;
        Ok(Renewed { private, renew_at, diagnostics: Diagnostics::new() })
    }
    async fn close(&self, _: &Context<'_, String>, private: Private) -> Diagnostics {
        Diagnostic::warning("Closed", private.get("word").cloned().unwrap_or_default()).into()
    }
}

crate::model! {
    /// The sum of a number and others.
    pub struct Sum {
        /// The first.
        first: i64 = required(),
        /// The others.
        others: Vec<i64> = optional(),
    }
}

struct Add;

impl Function for Add {
    type Arguments = Sum;
    type Output = Number;
    const NAME: &'static str = "add";
    const VARIADIC: bool = true;

    fn call(&self, arguments: Sum) -> Result<Number, FunctionError> {
        let others = arguments.others.unwrap_or_default();
        if let Some(at) = others.iter().position(|other| *other == 13) {
            return Err(FunctionError::argument(at + 1, "13 is not added"));
        }
        assert!(!others.contains(&99), "with a s3cret");
        Ok(Number::from(arguments.first.unwrap_or(0) + others.iter().sum::<i64>()))
    }
}

struct Shout;

impl Action for Shout {
    type Client = String;
    type Model = Word;
    const NAME: &'static str = "shout";

    async fn plan(&self, _: &Context<'_, String>, config: &Word) -> Result<Diagnostics, Diagnostics> {
        match config.word.text() {
            "never" => Err(Diagnostic::error("Not now", "`never` cannot be shouted.").into()),
            _ => Ok(Diagnostics::new()),
        }
    }
    async fn invoke(&self, cx: &Context<'_, String>, config: Word) -> Result<Diagnostics, Diagnostics> {
        for n in 1..=config.times.unwrap_or(0) {
            cx.say(&format!("{} {n}", config.word.text()));
        }
        match config.word.text() {
            "panic" => panic!("with a s3cret"),
            "wait" => Err(Diagnostic::error("Interrupted", cx.halted().await.to_string()).into()),
            _ => Ok(Diagnostics::new()),
        }
    }
}

struct Test;

impl Provider for Test {
    type Model = Word;
    type Client = String;
    const NAME: &'static str = "test";
    async fn configure(&self, _: Word) -> Result<Option<String>, Diagnostics> {
        Ok(None)
    }
    fn offers(&self) -> Offers<String> {
        Offers::new().data_source(Words).ephemeral(Whisper).action(Shout).function(Add)
    }
}

fn word(word: &str, times: impl Into<Option<i64>>, result: Value) -> Value {
    let times = times.into().map_or(Value::Null, Value::from);
    Value::Map([("word".into(), word.into()), ("times".into(), times), ("result".into(), result)].into())
}

fn sent(value: Value) -> Option<DynamicValue> {
    Some(wire::encode(&Word::kind(), &value).unwrap())
}

fn received(value: Option<&DynamicValue>) -> Value {
    wire::decode(&Word::kind(), value).unwrap()
}

async fn read(of: &str) -> (Value, Vec<proto::Diagnostic>) {
    let request = proto::read_data_source::Request {
        type_name: "test_words".into(),
        config: sent(word(of, None, Value::Null)),
        ..Default::default()
    };
    let response = Server::new(Test).read_data_source(Request::new(request)).await.unwrap().into_inner();
    (received(response.state.as_ref()), response.diagnostics)
}

#[tokio::test]
async fn core_is_told_of_everything_that_there_is() {
    let server = Server::new(Test);
    let schemas = server.get_provider_schema(Request::new(Default::default())).await.unwrap().into_inner();
    assert!(schemas.data_source_schemas.contains_key("test_words"));
    assert!(schemas.ephemeral_resource_schemas.contains_key("test_whisper"));
    assert!(schemas.action_schemas["test_shout"].schema.is_some());
    let add = &schemas.functions["add"];
    assert_eq!((add.parameters.len(), add.parameters[0].r#type.as_slice()), (1, b"\"number\"".as_slice()));
    let variadic = add.variadic_parameter.as_ref().unwrap();
    assert_eq!((variadic.name.as_str(), variadic.allow_null_value), ("others", false));
    let metadata = server.get_metadata(Request::new(Default::default())).await.unwrap().into_inner();
    let names = (&metadata.data_sources[0].type_name, &metadata.actions[0].type_name, &metadata.functions[0].name);
    assert_eq!(names, (&"test_words".to_owned(), &"test_shout".to_owned(), &"add".to_owned()));
    assert_eq!(server.get_functions(Request::new(Default::default())).await.unwrap().into_inner().functions.len(), 1);
}

#[tokio::test]
async fn a_data_source_is_read_with_its_defaults() {
    let (found, said) = read("ho").await;
    assert_eq!(found, word("ho", 2, "hoho".into()));
    assert_eq!((said.len(), said[0].severity()), (1, proto::diagnostic::Severity::Warning));
}

#[tokio::test]
async fn a_data_source_that_breaks_its_word_is_named() {
    for (name, text) in [
        ("panic", "The read stopped on a fault of the provider"),
        ("forget", "`result` is still unknown"),
        ("nothing", "found nothing"),
        ("missing", "It is not there"),
        ("lie", "`word` is not what the configuration says"),
    ] {
        let (found, said) = read(name).await;
        let said = format!("{said:?}");
        assert!(found.is_null() && said.contains(text) && !said.contains("s3cret"), "{name}: {said}");
    }
}

#[tokio::test]
async fn a_data_sources_configuration_is_checked() {
    let server = Server::new(Test);
    let validate = async |of: Value| {
        let request = proto::validate_data_resource_config::Request { type_name: "test_words".into(), config: sent(of) };
        server.validate_data_resource_config(Request::new(request)).await.unwrap().into_inner().diagnostics
    };
    assert_eq!(validate(word("ho", None, Value::Null)).await, vec![]);
    assert_eq!(validate(word("bad", None, Value::Null)).await[0].summary, "Bad word");
    let unset = [("word".into(), Value::Null), ("times".into(), Value::Null), ("result".into(), Value::Null)];
    assert_eq!(validate(Value::Map(unset.into())).await[0].summary, "Missing value");
    let request = proto::read_data_source::Request { type_name: "test_other".into(), ..Default::default() };
    let said = server.read_data_source(Request::new(request)).await.unwrap().into_inner().diagnostics;
    assert!(said[0].detail.contains("no data source `test_other`"));
}

#[tokio::test]
async fn an_ephemeral_resource_is_opened_renewed_and_closed() {
    let server = Server::new(Test);
    let type_name = "test_whisper".to_owned();
    let open = proto::open_ephemeral_resource::Request {
        type_name: type_name.clone(),
        config: sent(word("psst", 1, Value::Null)),
        ..Default::default()
    };
    let opened = server.open_ephemeral_resource(Request::new(open)).await.unwrap().into_inner();
    assert_eq!(received(opened.result.as_ref()), word("psst", 1, "psst".into()));
    assert_eq!(opened.renew_at, Some(proto::Timestamp { seconds: 1, nanos: 500_000_000 }));
    let renew = proto::renew_ephemeral_resource::Request { type_name: type_name.clone(), private: opened.private };
    let renewed = server.renew_ephemeral_resource(Request::new(renew)).await.unwrap().into_inner();
    assert_eq!((&renewed.diagnostics, renewed.renew_at), (&vec![], None));
    let close = proto::close_ephemeral_resource::Request { type_name, private: renewed.private };
    let closed = server.close_ephemeral_resource(Request::new(close)).await.unwrap().into_inner();
    assert_eq!(closed.diagnostics[0].detail, "psst");
    let open = proto::open_ephemeral_resource::Request {
        type_name: "test_whisper".into(),
        config: sent(word("panic", 1, Value::Null)),
        ..Default::default()
    };
    let failed = server.open_ephemeral_resource(Request::new(open)).await.unwrap().into_inner();
    assert!(failed.diagnostics[0].summary.starts_with("The open stopped on a fault"));
}

async fn call(arguments: &[Value]) -> Result<Number, proto::FunctionError> {
    let arguments = arguments.iter().map(|argument| wire::encode(&Kind::Number, argument).unwrap()).collect();
    let request = proto::call_function::Request { name: "add".into(), arguments };
    let response = Server::new(Test).call_function(Request::new(request)).await.unwrap().into_inner();
    match response.error {
        Some(error) => Err(error),
        None => match wire::decode(&Kind::Number, response.result.as_ref()).unwrap() {
            Value::Number(number) => Ok(number),
            other => panic!("{other:?}"),
        },
    }
}

#[tokio::test]
async fn a_function_is_called_with_any_number_of_arguments() {
    let numbers = |numbers: &[i64]| numbers.iter().map(|n| Value::from(*n)).collect::<Vec<_>>();
    assert_eq!(call(&numbers(&[1])).await, Ok(Number::from(1i64)));
    assert_eq!(call(&numbers(&[1, 2, 3])).await, Ok(Number::from(6i64)));
}

#[tokio::test]
async fn a_function_names_the_argument_that_is_wrong() {
    let error = call(&[1.into(), 2.into(), 13.into()]).await.unwrap_err();
    assert_eq!((error.text.as_str(), error.function_argument), ("13 is not added", Some(2)));
    let half = Value::Number(Number::parse("1.5").unwrap());
    let error = call(std::slice::from_ref(&half)).await.unwrap_err();
    assert!(error.text.contains("not a whole number") && error.function_argument == Some(0), "{error:?}");
    let error = call(&[1.into(), 2.into(), half]).await.unwrap_err();
    assert!(error.text.contains("not a whole number") && error.function_argument == Some(2), "{error:?}");
    assert!(call(&[]).await.unwrap_err().text.contains("takes 1 argument"));
    let error = call(&[1.into(), 99.into()]).await.unwrap_err();
    assert!(error.text.contains("bug of the provider") && !error.text.contains("s3cret"), "{error:?}");
}

async fn invoked(server: &Server<Test>, of: &str) -> (Vec<String>, Vec<proto::Diagnostic>) {
    use proto::invoke_action::event::Type;
    let request = proto::invoke_action::Request {
        action_type: "test_shout".into(),
        config: sent(word(of, None, Value::Null)),
        ..Default::default()
    };
    let mut events = proto::provider_server::Provider::invoke_action(server, Request::new(request)).await.unwrap().into_inner();
    let mut progress = Vec::new();
    while let Some(event) = events.next().await {
        match event.unwrap().r#type.unwrap() {
            Type::Progress(one) => progress.push(one.message),
            Type::Completed(end) => return (progress, end.diagnostics),
        }
    }
    panic!("the action did not complete")
}

#[tokio::test]
async fn an_action_tells_how_far_it_came_and_how_it_ended() {
    let server = Server::new(Test);
    assert_eq!(invoked(&server, "hey").await, (vec!["hey 1".to_owned(), "hey 2".to_owned()], vec![]));
    let (progress, said) = invoked(&server, "panic").await;
    assert_eq!(progress.len(), 2);
    assert!(said[0].summary.starts_with("The action stopped on a fault"), "{said:?}");
}

#[tokio::test]
async fn a_stop_ends_an_action() {
    let server = Server::new(Test);
    let stop = async {
        tokio::task::yield_now().await;
        server.stop();
    };
    let ((_, said), ()) = tokio::join!(invoked(&server, "wait"), stop);
    assert_eq!(said[0].summary, "Interrupted");
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_at_plan() {
    let server = Server::new(Test);
    let plan = async |name: &str, of: &str| {
        let request = proto::plan_action::Request {
            action_type: name.into(),
            config: sent(word(of, None, Value::Null)),
            ..Default::default()
        };
        proto::provider_server::Provider::plan_action(&server, Request::new(request)).await.unwrap().into_inner().diagnostics
    };
    assert_eq!(plan("test_shout", "hey").await, vec![]);
    assert_eq!(plan("test_shout", "never").await[0].summary, "Not now");
    assert_eq!(plan("test_other", "hey").await[0].summary, "Unknown action");
}

//! Every resource of the provider under random configurations of its own schema and random histories: what a user may write
//! and a server may answer, through the calls that core makes, each answer held against core's rules.
//!
//! Covered: validation, and the plans of a create, of an update of what a server made of it, of the same with the unknown
//! parts known, and of a destroy; with no cluster to ask, as before a provider's settings are known. What a plan asks of a
//! live cluster, and what applies do, is in each resource's own tests.

use crate::plugin::erased::AnyResource;
use crate::plugin::oracle::Oracle;
use crate::plugin::proto::tfplugin6::{self as proto, provider_server::Provider as _};
use crate::plugin::schema::{Kind, Schema};
use crate::plugin::server::Server;
use crate::plugin::value::Value;
use crate::plugin::wire;
use crate::stack::Stack;
use crate::testing::core::{at_once, cases, held, names, resource};
use crate::testing::extended::{Extended, WITH_WORKLOADS};
use crate::testing::random::{Random, changed, config, for_each_seed, known};
use tonic::Request;

/// One type of resource behind a server without settings.
struct Subject {
    server: Server<Extended>,
    type_name: String,
    schema: Schema,
    kind: Kind,
    oracle: Oracle,
}

/// What the calls of many cases came to.
#[derive(Debug, Default)]
struct Tally {
    valid: u64,
    planned: u64,
    replanned: u64,
}

impl Subject {
    fn new(resource: &dyn AnyResource<Stack>) -> Self {
        let schema = resource.schema();
        Self {
            server: Server::new(WITH_WORKLOADS),
            type_name: format!("kafkastack_{}", resource.name()),
            kind: Kind::Object(schema.attributes.clone()),
            oracle: Oracle::new(&schema.attributes),
            schema,
        }
    }

    fn wire(&self, value: &Value) -> Option<proto::DynamicValue> {
        Some(wire::encode(&self.kind, value).unwrap())
    }

    /// Whether core would go on to a plan.
    async fn is_valid(&self, config: &Value) -> bool {
        let request = proto::validate_resource_config::Request {
            type_name: self.type_name.clone(),
            config: self.wire(config),
            client_capabilities: None,
        };
        let said = self.server.validate_resource_config(Request::new(request)).await.unwrap().into_inner().diagnostics;
        accepted(&said)
    }

    /// The plan, if the resource does not refuse it. One that replaces what was is made again as that of a create, as core
    /// makes it; `prior` is then null.
    async fn plan(&self, config: &Value, prior: &mut Value) -> Option<Value> {
        let (planned, replaces) = self.ask(config, prior).await?;
        held(self.oracle.plan(config, prior, &planned));
        if !replaces {
            return Some(planned);
        }
        *prior = Value::Null;
        let (planned, replaces) = self.ask(config, prior).await?;
        held(self.oracle.plan(config, prior, &planned));
        assert!(!replaces, "a create that replaces");
        Some(planned)
    }

    /// What is planned, and whether it replaces what was.
    async fn ask(&self, config: &Value, prior: &Value) -> Option<(Value, bool)> {
        let request = proto::plan_resource_change::Request {
            type_name: self.type_name.clone(),
            prior_state: self.wire(prior),
            proposed_new_state: self.wire(config),
            config: self.wire(config),
            ..Default::default()
        };
        let planned = self.server.plan_resource_change(Request::new(request)).await.unwrap().into_inner();
        let value = wire::decode(&self.kind, planned.planned_state.as_ref()).unwrap();
        accepted(&planned.diagnostics).then_some((value, !planned.requires_replace.is_empty()))
    }

    async fn case(&self, seed: u64, tally: &mut Tally) {
        let (random, attributes) = (&mut Random::new(seed), &self.schema.attributes);
        let first = config(random, attributes, seed.is_multiple_of(2));
        if !self.is_valid(&first).await {
            return;
        }
        tally.valid += 1;
        let Some(planned) = self.planned_twice(random, &first, Value::Null).await else { return };
        tally.planned += 1;
        let made = known(random, "", &self.kind, &planned);
        held(self.oracle.changed(&Value::Null, &planned, &made));
        let second = changed(random, attributes, &first, true);
        if self.is_valid(&second).await && self.planned_twice(random, &second, made.clone()).await.is_some() {
            tally.replanned += 1;
        }
        if let Some((nothing, _)) = self.ask(&Value::Null, &made).await {
            assert_eq!(nothing, Value::Null, "something is planned to be left");
        }
    }

    /// The plan, which is held against the one that core asks for at apply, with what is known by then.
    async fn planned_twice(&self, random: &mut Random, config: &Value, mut prior: Value) -> Option<Value> {
        let planned = self.plan(config, &mut prior).await?;
        let late = known(random, "", &self.kind, config);
        if self.is_valid(&late).await
            && let Some((again, replaces)) = self.ask(&late, &prior).await
        {
            held(self.oracle.second_plan(&planned, &again));
            assert!(!replaces, "an update turns into a replacement");
        }
        Some(planned)
    }
}

/// An error that blames the user is an answer; one that blames the provider ends the test.
fn accepted(said: &[proto::Diagnostic]) -> bool {
    for diagnostic in said {
        assert!(!diagnostic.detail.contains("bug of the provider"), "{diagnostic:?}");
        assert_ne!(diagnostic.summary, "A value does not fit the schema", "{diagnostic:?}");
    }
    said.iter().all(|d| d.severity() != proto::diagnostic::Severity::Error)
}

fn holds(name: &str) {
    let subject = Subject::new(&*resource(name));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (mut tally, mut tried, begun) = (Tally::default(), 0, std::time::Instant::now());
    for_each_seed(cases(name), |seed| {
        tried += 1;
        runtime.block_on(subject.case(seed, &mut tally));
        1
    });
    eprintln!("{name}: {tried} cases in {:?}: {tally:?}", begun.elapsed());
    assert!(tried < 1_000 || tally.replanned > tried / 2, "hardly any configuration is valid: {tally:?}");
}

#[test]
fn no_configuration_of_a_resource_breaks_a_rule_of_core() {
    at_once(&names(), holds);
}

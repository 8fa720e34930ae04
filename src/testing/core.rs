//! A small OpenTofu: plans and applies one resource as core does, and holds every answer against core's own rules
//! (`plugin::oracle`). No network of its own.

use crate::plugin::context::Context;
use crate::plugin::diagnostic::{Diagnostics, Severity};
use crate::plugin::erased::{AnyResource, Outcome};
use crate::plugin::identity::Identity;
use crate::plugin::operations::{Create, Delete, Done, Failed, Plan, Private, Update};
use crate::plugin::oracle::{Oracle, Violation};
use crate::plugin::path::Path;
use crate::plugin::planner::{self, check};
use crate::plugin::provider::Provider as _;
use crate::plugin::schema::{self, Attribute, Kind, Schema};
use crate::plugin::value::Value;
use crate::provider::Kafkastack;
use crate::stack::Stack;
use crate::testing::extended::WITH_WORKLOADS;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What the state file holds of one resource.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its attributes.
    pub value: Value,
    /// Its private state.
    pub private: Private,
    /// An error ended its create: the next apply replaces it.
    pub tainted: bool,
}

/// One resource under a core.
pub struct Core<'a> {
    /// The resource.
    pub resource: Box<dyn AnyResource<Stack>>,
    /// What the operations are given.
    pub stack: &'a Stack,
    /// What the state file holds.
    pub state: Option<Stored>,
    /// The user's interrupt.
    pub cancel: CancellationToken,
    /// How long an operation may take.
    pub limit: Duration,
    /// What the resource says of itself.
    pub schema: Schema,
    /// Core's rules for it.
    pub oracle: Oracle,
}

/// What a plan would do.
#[derive(Debug)]
pub struct Planned {
    /// The planned value.
    pub value: Value,
    /// Planned private state.
    pub private: Private,
    /// Whether the resource is replaced.
    pub replace: bool,
    /// What was said.
    pub diagnostics: Diagnostics,
}

/// A broken rule of core ends the test.
pub fn held(rule: Result<(), Violation>) {
    assert_eq!(rule, Ok(()));
}

impl<'a> Core<'a> {
    /// A core with an empty state.
    pub fn new(resource: Box<dyn AnyResource<Stack>>, stack: &'a Stack) -> Self {
        let schema = resource.schema();
        let (cancel, limit) = (CancellationToken::new(), Duration::from_secs(600));
        Self { resource, stack, state: None, cancel, limit, oracle: Oracle::new(&schema.attributes), schema }
    }

    fn context(&self) -> Context<'a, Stack> {
        let deadline = tokio::time::Instant::now() + self.limit;
        Context::new(Some(self.stack), self.cancel.clone(), deadline)
    }

    /// Reads the resource; an error leaves the state as it was.
    pub async fn refresh(&mut self) -> Diagnostics {
        let Some(stored) = self.state.clone() else { return Diagnostics::new() };
        let found = match self.resource.read(&self.context(), stored.value.clone(), stored.private.clone()).await {
            Ok(found) => found,
            Err(failed) => return failed,
        };
        let said = found.as_ref().map(|found| found.said.clone()).unwrap_or_default();
        self.state = found.map(|Done { state, private, .. }| {
            let value = planner::settle(&self.schema.attributes, &stored.value, state);
            held(self.oracle.read(&stored.value, &value));
            Stored { value, private, ..stored }
        });
        said
    }

    /// Plans `config`, without a refresh.
    pub async fn plan(&self, config: &Value) -> Planned {
        let prior = self.state.as_ref().filter(|stored| !stored.tainted);
        self.plan_from(config, prior).await
    }

    async fn plan_from(&self, config: &Value, prior: Option<&Stored>) -> Planned {
        let attributes = &self.schema.attributes;
        let null = Value::Null;
        let prior_value = prior.map_or(&null, |stored| &stored.value);
        let start = Plan {
            planned: planner::draft(attributes, config, prior_value),
            config: config.clone(),
            prior: prior.map(|stored| stored.value.clone()),
            replace: vec![],
            private: prior.map(|stored| stored.private.clone()).unwrap_or_default(),
            diagnostics: Diagnostics::new(),
        };
        let done = self.resource.plan(&self.context(), start).await;
        if !done.diagnostics.has_errors() {
            held(self.oracle.plan(config, prior_value, &done.planned));
        }
        let mut replace = planner::replace::paths(attributes, config, prior_value, &done.planned);
        replace.extend(done.replace);
        Planned {
            value: done.planned,
            private: done.private,
            replace: prior.is_some() && !replace.is_empty(),
            diagnostics: done.diagnostics,
        }
    }

    /// Whether a plan, without refresh and then with one, would change nothing.
    pub async fn is_settled(&mut self, config: &Value) -> bool {
        self.unsettled(config).await.is_none()
    }

    /// What a plan would change, without refresh or else with one.
    pub async fn unsettled(&mut self, config: &Value) -> Option<String> {
        for refresh in [false, true] {
            if refresh && let Some(error) = self.refresh().await.iter().find(|d| d.severity == Severity::Error) {
                return Some(format!("the refresh fails: {error:?}"));
            }
            let Some(stored) = self.state.clone() else { return Some("nothing is in the state".to_owned()) };
            let planned = self.plan(config).await;
            let changes = |a: &&Attribute| planned.value.get(a.name) != stored.value.get(a.name);
            let first = self.schema.attributes.iter().find(changes).map(|a| a.name);
            if stored.tainted || planned.diagnostics.has_errors() || planned.value != stored.value {
                let name = first.unwrap_or_default();
                let (from, to) = (stored.value.get(name), planned.value.get(name));
                let (tainted, said) = (stored.tainted, &planned.diagnostics);
                return Some(format!("refresh: {refresh}, tainted: {tainted}, {name}: {from:?} -> {to:?}, {said:?}"));
            }
        }
        None
    }

    /// What a configuration is refused for before anything is asked.
    pub fn validate(&self, config: &Value) -> Diagnostics {
        let mut said = Diagnostics::new();
        schema::validate(&self.schema.attributes, config, &Path::root(), &mut said);
        if !said.has_errors() {
            self.resource.validate(config, &mut said);
        }
        said
    }

    /// Validates, refreshes, plans and applies, as `tofu apply` does.
    pub async fn apply(&mut self, config: &Value) -> Diagnostics {
        let mut said = self.validate(config);
        if said.has_errors() {
            return said;
        }
        said.extend(self.refresh().await);
        if said.has_errors() {
            return said;
        }
        let planned = self.plan(config).await;
        said.extend(planned.diagnostics.clone());
        let unchanged = self.state.as_ref().is_some_and(|stored| !stored.tainted && stored.value == planned.value);
        if said.has_errors() || unchanged {
            return said;
        }
        let tainted = self.state.as_ref().is_some_and(|stored| stored.tainted);
        if planned.replace || tainted {
            said.extend(self.destroy().await);
            if said.has_errors() {
                return said;
            }
            let planned = self.plan_from(config, None).await;
            said.extend(self.change(config, planned).await);
            return said;
        }
        said.extend(self.change(config, planned).await);
        said
    }

    /// Applies a plan that was made before, as `tofu apply FILE` does.
    pub async fn apply_planned(&mut self, config: &Value, planned: Planned) -> Diagnostics {
        self.change(config, planned).await
    }

    async fn change(&mut self, config: &Value, planned: Planned) -> Diagnostics {
        let (config, planned, private) = (config.clone(), planned.value, planned.private);
        let (cx, asked) = (self.context(), planned.clone());
        let outcome = match self.state.clone() {
            None => self.resource.create(&cx, Create { config, planned, private }).await,
            Some(Stored { value: prior, .. }) => self.resource.update(&cx, Update { config, prior, planned, private }).await,
        };
        self.keep(&asked, outcome)
    }

    fn keep(&mut self, planned: &Value, outcome: Outcome) -> Diagnostics {
        let before = self.state.as_ref().map_or(Value::Null, |stored| stored.value.clone());
        let settled = |new| planner::settle(&self.schema.attributes, planned, new);
        match outcome {
            Ok(Done { state, private, said }) => {
                let value = settled(state);
                held(self.oracle.changed(&before, planned, &value));
                self.state = Some(Stored { value: check::unknown_as_null(value), private, tainted: false });
                said
            }
            Err(Failed { said, left }) => {
                if let Some((state, private)) = left.map(|left| *left) {
                    let value = check::unknown_as_null(settled(state));
                    self.state = Some(Stored { value, private, tainted: before.is_null() });
                }
                said
            }
        }
    }

    /// Destroys the resource.
    pub async fn destroy(&mut self) -> Diagnostics {
        let Some(Stored { value: prior, private, .. }) = self.state.clone() else { return Diagnostics::new() };
        match self.resource.delete(&self.context(), Delete { prior, private }).await {
            Ok(said) => {
                self.state = None;
                said
            }
            Err(failed) => failed.said,
        }
    }
}

/// The resources of the provider, and those of tests.
fn resources() -> Vec<Box<dyn AnyResource<Stack>>> {
    WITH_WORKLOADS.offers().resources
}

/// The resource of this name.
pub fn resource(name: &str) -> Box<dyn AnyResource<Stack>> {
    resources().into_iter().find(|resource| resource.name() == name).expect(name)
}

/// What is an event and no object: an apply of it is the event, and it has no life.
const EVENTS: [&str; 1] = ["ha_drill"];

/// The names of all resources that are objects. Each has an identity, which is what its attributes with `identifies()` are.
pub fn names() -> Vec<&'static str> {
    let mut all = resources();
    all.retain(|resource| !EVENTS.contains(&resource.name()));
    for resource in &all {
        let identity = Identity::of(&resource.schema().attributes);
        assert!(identity.is_some(), "nothing of kafkastack_{} identifies it: mark what does", resource.name());
    }
    all.iter().map(|resource| resource.name()).collect()
}

/// How many random cases a resource is tried with. Those of tests are tried for the procedure's sake, which others share.
pub fn cases(name: &str) -> u64 {
    let shipped = Kafkastack.offers().resources.iter().any(|resource| resource.name() == name);
    if shipped { 10_000 } else { 1_000 }
}

/// Has something hold for each of these, each in a thread of its own.
pub fn at_once(names: &[&str], holds: fn(&str)) {
    std::thread::scope(|scope| {
        for name in names {
            std::thread::Builder::new().name((*name).to_owned()).spawn_scoped(scope, || holds(name)).unwrap();
        }
    });
}

/// A configuration: the attributes that are set; the others are null.
pub fn config(resource: &dyn AnyResource<Stack>, set: serde_json::Value) -> Value {
    let kind = Kind::Object(resource.schema().attributes);
    crate::plugin::wire::json::decode(&kind, set.to_string().as_bytes()).expect("a configuration")
}

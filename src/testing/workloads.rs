//! Two workloads that are not shipped. They show that others may come: one is two sets of pods that do different things, as brokers
//! and controllers will be; the other has names that are not ours, as a release of another chart that is taken over.

use crate::kubernetes::object::Object;
use crate::model;
use crate::plugin::model::Attr;
use crate::plugin::provider::Offers;
use crate::plugin::schema::optional;
use crate::resources::checks;
use crate::resources::owned::applied::Specified;
use crate::resources::workload::attributes::Common;
use crate::resources::workload::health::{Duty, Health};
use crate::resources::workload::render::Pods;
use crate::resources::workload::resource::Workload;
use crate::resources::workload::role::Role;
use crate::resources::workload::{Seen, Spec, probes};
use crate::stack::Stack;
use crate::stack::names::Names;
use crate::stack::profile::Profile;
use std::collections::BTreeMap;

model! {
    /// Leaders and workers.
    pub struct Duo {
        ..common: Common,
        /// How many lead.
        leaders: i64 = optional().defaults_to(1).check(checks::positive),
        /// How many work.
        workers: i64 = optional().defaults_to(2).check(checks::positive),
        /// The image.
        image: String = optional().defaults_to("duo:1").check(checks::image),
        /// The heap of both.
        heap: String = optional().defaults_to("512m").check(checks::heap).same_if(checks::same_heap),
        /// The settings of both.
        config: BTreeMap<String, String> = optional().check(checks::properties),
    }
}

model! {
    /// A workload with the names of another chart.
    pub struct Foreign {
        ..common: Common,
        /// How many pods.
        size: i64 = optional().defaults_to(3).check(checks::positive),
        /// The image.
        image: String = optional().defaults_to("old:1").check(checks::image),
        /// The heap.
        heap: String = optional().defaults_to("512m").check(checks::heap).same_if(checks::same_heap),
        /// Settings.
        config: BTreeMap<String, String> = optional().check(checks::properties),
    }
}

/// What there is of them.
pub fn offers() -> Offers<Stack> {
    Offers::new().resource(Workload::<Duo>::default()).resource(Workload::<Foreign>::default())
}

/// What the pods of one role are made of.
struct Parts<'a> {
    common: &'a Common,
    app: &'static str,
    image: &'a str,
    heap: &'a str,
    config: &'a Attr<BTreeMap<String, String>>,
}

impl Parts<'_> {
    fn pods(&self, role: Role) -> Pods<'_> {
        let config = self.config.unwrap_or_default();
        let file = config.iter().map(|(key, value)| format!("{key}={value}\n")).collect();
        Pods {
            common: self.common,
            app: self.app,
            image: self.image,
            env: vec![("HEAP", self.heap.to_owned())],
            ports: vec![("main".to_owned(), 1000)],
            files: [("start.sh", "true".to_owned()), (role.file, file)].into(),
            probes: ["startupProbe", "readinessProbe", "livenessProbe"].map(|name| (name, probes::connects(1000, 1, 3))),
            mounts: Vec::new(),
            grace: 30,
            role,
        }
    }
}

macro_rules! workload {
    ($model:ident, $resource:literal, $app:literal, |$spec:ident| $roles:expr, |$of:ident, $role:ident| $replicas:expr) => {
        impl Specified for $model {
            fn without_observations(self) -> Self {
                Self { common: self.common.without_observations(), ..self }
            }
        }

        impl Spec for $model {
            const RESOURCE: &'static str = $resource;
            const APP: &'static str = $app;

            fn common(&self) -> &Common {
                &self.common
            }

            fn common_mut(&mut self) -> &mut Common {
                &mut self.common
            }

            fn roles(&self) -> Vec<Role> {
                let $spec = self;
                $roles
            }

            fn seen(&mut self, $role: usize) -> Seen<'_> {
                let $of = self;
                // All roles have one image and one configuration: what differs of any shows.
                Seen { replicas: $replicas, image: &mut $of.image, config: &mut $of.config, common: &mut $of.common }
            }

            fn profile(&self) -> Profile {
                self.common.profile(self.roles().iter().map(|role| role.replicas).sum(), 1000, None)
            }

            fn objects(&self) -> Vec<Object> {
                let parts = Parts {
                    common: &self.common,
                    app: $app,
                    image: self.image.text(),
                    heap: self.heap.text(),
                    config: &self.config,
                };
                let pods: Vec<Pods<'_>> = self.roles().into_iter().map(|role| parts.pods(role)).collect();
                let before = pods.iter().flat_map(|pods| {
                    let [service, governing] = pods.services(&[("main".to_owned(), 1000)]);
                    [governing, service, pods.config_map(), pods.disruption_budget(1)]
                });
                before.chain(pods.iter().map(Pods::stateful_set)).collect()
            }

            fn set_outputs(&mut self) {
                self.common.name_services();
            }

            async fn health(&self, _: &Stack, pods: &[Object], _: bool) -> Health {
                let duties = pods.iter().map(|pod| (pod.name().to_owned(), Duty::served())).collect();
                Health::Known { waits: None, duties }
            }
        }
    };
}

/// The names of the pods that do this, in a workload of several roles.
fn names_of(name: &str, set: String, component: &str) -> Names {
    let mut names = Names { governing: format!("{set}-headless"), set, ..Names::of("duo", name) };
    names.selector.insert("app.kubernetes.io/component".to_owned(), component.to_owned());
    names
}

workload!(
    Duo,
    "duo",
    "duo",
    |duo| {
        let name = duo.common.name.text();
        let leaders = names_of(name, name.to_owned(), "leader");
        let workers = names_of(name, format!("{name}-worker"), "worker");
        vec![
            Role { names: leaders, container: "leader", file: "leader.properties", replicas: duo.leaders.unwrap_or(1) },
            Role { names: workers, container: "worker", file: "worker.properties", replicas: duo.workers.unwrap_or(2) },
        ]
    },
    |duo, role| if role == 0 { &mut duo.leaders } else { &mut duo.workers }
);

workload!(
    Foreign,
    "foreign",
    "kafka",
    |foreign| {
        let name = foreign.common.name.text();
        // As the chart incubator/kafka 0.20.1 has them.
        let selector = [("component", "kafka-broker"), ("instance", name), ("name", "kafka")];
        let names = Names {
            set: name.to_owned(),
            governing: format!("{name}-headless"),
            volume: "datadir".to_owned(),
            selector: selector.map(|(label, value)| (format!("app.kubernetes.io/{label}"), value.to_owned())).into(),
        };
        vec![Role { names, container: "kafka-broker", file: "server.properties", replicas: foreign.size.unwrap_or(3) }]
    },
    |foreign, _role| &mut foreign.size
);

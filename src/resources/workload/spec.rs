//! What the common procedure has to be told of a workload. Pure but where it asks the service itself.

use super::attributes::Common;
use super::health::Health;
use super::record::Record;
use super::role::Role;
use crate::kubernetes::failure::Failure;
use crate::kubernetes::object::Object;
use crate::plugin::context::Context;
use crate::plugin::diagnostic::Diagnostics;
use crate::plugin::model::{Attr, Object as Model};
use crate::plugin::operations::Plan;
use crate::resources::owned::applied::Specified;
use crate::stack::Stack;
use crate::stack::names::Id;
use crate::stack::profile::Profile;
use std::collections::BTreeMap;
use std::future::Future;

/// What a workload's attributes have to tell the common procedure.
pub trait Spec: Specified {
    /// The resource's type without the provider's name, as the anchor has it.
    const RESOURCE: &'static str;
    /// The value of `app.kubernetes.io/name`.
    const APP: &'static str;

    /// The attributes that every workload has.
    fn common(&self) -> &Common;
    /// The same, to change.
    fn common_mut(&mut self) -> &mut Common;
    /// Its sets of pods, in the order in which they are restarted. There is at least one.
    fn roles(&self) -> Vec<Role>;
    /// The attributes that drift of a role shows on.
    fn seen(&mut self, role: usize) -> Seen<'_>;
    /// The namespace.
    fn namespace(&self) -> &str {
        self.common().namespace.text()
    }
    /// The name.
    fn name(&self) -> &str {
        self.common().name.text()
    }
    /// Its id, as other resources name it.
    fn id(&self) -> String {
        format!("{}/{}", self.namespace(), self.name())
    }
    /// What its anchor tells others of it.
    fn profile(&self) -> Profile;
    /// Every object, in the order in which it is applied; the StatefulSets last.
    fn objects(&self) -> Vec<Object>;
    /// Sets the computed attributes that follow from the others, where these are known.
    fn set_outputs(&mut self);
    /// Takes over from an earlier state what only the running service knows.
    fn keep_observations(&mut self, _earlier: &Self) {}
    /// Makes unknown what the running service was not asked for yet: the apply that is planned will ask it.
    fn expect_observations(&mut self) {}
    /// What a plan asks the running service, and what it says of that.
    fn ask(_cx: &Context<'_, Stack>, _plan: &mut Plan<Self>) -> impl Future<Output = ()> + Send {
        async {}
    }
    /// Changes beside those of the storage that would lose data or break the service, each refused with the way out. `applied` is
    /// what was last applied.
    fn refuse(_applied: &Self, _planned: &Self, _diagnostics: &mut Diagnostics) {}
    /// The service's own id, as the state has it.
    fn known_id(&self) -> Option<String> {
        None
    }
    /// Takes over what the anchor knows of the service's own id.
    fn identify(&mut self, _cluster_id: Option<&str>) {}
    /// The service's own id, as whoever proves to be it says; called once it is healthy.
    fn identity(&self, _stack: &Stack) -> impl Future<Output = Option<String>> + Send {
        async { None }
    }
    /// Tells whom it depends on that it is there, and sees that those who depend on it do not suffer by the change; called before its
    /// objects are applied. `before`: what was applied last; none where it never served.
    ///
    /// # Errors
    /// When it cannot be told.
    fn announce(
        &self,
        _cx: &Context<'_, Stack>,
        _before: Option<&Self>,
    ) -> impl Future<Output = Result<Diagnostics, Diagnostics>> + Send {
        async { Ok(Diagnostics::new()) }
    }
    /// Who announced itself and is still there: it may not go before these.
    ///
    /// # Errors
    /// When Kubernetes does not say.
    fn users(&self, _stack: &Stack, _record: &Record) -> impl Future<Output = Result<Vec<String>, Failure>> + Send {
        async { Ok(Vec::new()) }
    }
    /// Whether pods want to know the zone of their node.
    fn wants_zone(&self) -> bool {
        false
    }
    /// How the service itself is, asked over the network; its pods are all there. `restarts`: one of them is to be restarted, so what
    /// would be lost with each counts.
    fn health(&self, stack: &Stack, pods: &[Object], restarts: bool) -> impl Future<Output = Health> + Send;
    /// The pod of the one that leads, as far as the service says.
    fn leader(&self, _stack: &Stack) -> impl Future<Output = Option<String>> + Send {
        async { None }
    }
    /// The clusters whose drills take pods of this workload away.
    ///
    /// # Errors
    /// When Kubernetes does not say.
    fn drilled(&self, _stack: &Stack) -> impl Future<Output = Result<Vec<Id>, Failure>> + Send {
        async { Ok(Vec::new()) }
    }
    /// What only the running service knows, such as its id; called once it is healthy.
    fn observe(&mut self, _stack: &Stack) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// The attributes that drift shows on.
pub struct Seen<'a> {
    /// How many pods.
    pub replicas: &'a mut Attr<i64>,
    /// Their image.
    pub image: &'a mut Attr<String>,
    /// Settings of the service.
    pub config: &'a mut Attr<BTreeMap<String, String>>,
    /// The rest.
    pub common: &'a mut Common,
}

/// Whether everything that the configuration can set is known.
pub fn is_specified<M: Model>(model: &M) -> bool {
    let value = model.encode();
    M::attributes().iter().all(|attribute| {
        let computed_only = attribute.rules.computed && !attribute.rules.optional;
        computed_only || value.get(attribute.name).is_wholly_known()
    })
}

//! What the API server would say to a change, asked at plan by server-side dry runs: a refused field is known before apply.
//! A plan that changes nothing asks nothing. Network; nothing is written.

use super::spec::{Spec, is_specified};
use crate::diagnostics;
use crate::kubernetes::client::Apply;
use crate::kubernetes::failure::Class;
use crate::kubernetes::object::Object;
use crate::plugin::context::Context;
use crate::plugin::diagnostic::{Diagnostic, Severity};
use crate::plugin::operations::Plan;
use crate::resources::owned::applied::kept;
use crate::resources::owned::converge::changed;
use crate::stack::Stack;
use std::time::Duration;

/// How long a plan asks: a server that is away is no reason against a plan.
const LIMIT: Duration = Duration::from_secs(5);

/// Rehearses the objects that the plan changes. Only what the server refuses for their content is said: that it is away, that
/// the namespace is not there yet or that the user may only read is for the apply to say.
pub async fn rehearse<M: Spec>(cx: &Context<'_, Stack>, plan: &mut Plan<M>) {
    let Some(stack) = cx.client else { return };
    let nothing_changes = plan.prior.as_ref() == Some(&plan.planned);
    if nothing_changes || plan.diagnostics.has_errors() || !is_specified(&plan.planned) {
        return;
    }
    let before = kept::<M>(&plan.private).map(|applied| applied.objects()).unwrap_or_default();
    let wanted = plan.planned.clone().without_observations().objects();
    let changed = changed(&before, &wanted);
    let objects = wanted.iter().filter(|object| changed.contains(&object.key()));
    if let Ok(Some(refused)) = tokio::time::timeout(LIMIT, first_refusal(stack, objects)).await {
        plan.diagnostics.push(refused);
    }
}

async fn first_refusal(stack: &Stack, objects: impl Iterator<Item = &Object>) -> Option<Diagnostic> {
    // Who else manages a field is the apply's to find: it knows what the plan showed.
    let how = Apply { force: true, dry_run: true };
    for object in objects {
        let Err(failure) = stack.kubernetes.apply(object, how).await else { continue };
        match failure.class {
            Class::Invalid(_) => return Some(diagnostics::kubernetes(&failure)),
            // What denies it, a quota or a policy, may be changed by this very apply.
            Class::Denied => return Some(Diagnostic { severity: Severity::Warning, ..diagnostics::kubernetes(&failure) }),
            _ => return None,
        }
    }
    None
}

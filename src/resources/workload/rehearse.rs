//! What the API server would say to a change, asked at plan by server-side dry runs: a refused field is known before apply.
//! A plan that changes nothing asks nothing. Network; nothing is written.

use super::change::Change;
use crate::diagnostics;
use crate::kubernetes::client::Apply;
use crate::kubernetes::failure::Class;
use crate::kubernetes::object::Object;
use crate::plugin::context::Context;
use crate::plugin::diagnostic::{Diagnostic, Severity};
use crate::resources::owned::converge::changed;
use crate::stack::Stack;
use std::time::Duration;

/// How long a plan asks: a server that is away is no reason against a plan.
const LIMIT: Duration = Duration::from_secs(5);

/// Rehearses the objects that the plan changes. Only what the server refuses for their content is said: that it is away, that
/// the namespace is not there yet or that the user may only read is for the apply to say.
pub async fn rehearse(cx: &Context<'_, Stack>, change: &Change) -> Option<Diagnostic> {
    let stack = cx.client?;
    let changed = changed(&change.before, &change.wanted);
    let objects = change.wanted.iter().filter(|object| changed.contains(&object.key()));
    tokio::time::timeout(LIMIT, first_refusal(stack, objects)).await.ok()?
}

async fn first_refusal(stack: &Stack, objects: impl Iterator<Item = &Object>) -> Option<Diagnostic> {
    // Who else manages a field is the apply's to find: it knows what the plan showed.
    let how = Apply { force: true, dry_run: true, ..Apply::default() };
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

//! Whether a create may take up claims that an earlier life left. They have to be exactly those of the pods that are wanted: members
//! that find nothing may outvote those that find their data, and a broker that does not come back takes its replicas with it.
//! Network, where a plan asks.

use super::guard::Site;
use super::own::differ;
use super::role::Role;
use super::sets::claims;
use super::spec::{Spec, is_specified};
use super::words;
use crate::kubernetes::object::Object;
use crate::plugin::diagnostic::Diagnostic;
use crate::resources::owned::phase::Phase;
use crate::stack::Stack;

/// Why the pods of a role may not be made over the claims that are there.
pub fn refusal<M: Spec>(spec: &M, claims: &[Object], role: &Role) -> Option<Diagnostic> {
    let differ = differ(claims, role).filter(|_| !spec.common().is_ephemeral())?;
    Some(words::other_kept_claims(spec.namespace(), &differ))
}

/// The same at the plan of a create, so that a replacement does not end between its destroy and its create.
pub async fn at_plan<M: Spec>(stack: &Stack, planned: &M) -> Option<Diagnostic> {
    if !is_specified(planned) {
        return None;
    }
    let claims = claims(stack, planned.namespace()).await.ok()?;
    let roles = planned.roles();
    // Most have none, and then nobody has to be asked more.
    let refused = roles.iter().find_map(|role| refusal(planned, &claims, role))?;
    let site = Site::look(stack, planned).await.ok()?;
    let stays = match &site.anchor {
        // What is there goes before this one is made, unless it is said then that the name is taken.
        Some((_, anchor)) if matches!(anchor.phase, Phase::Ready | Phase::Updating) => !anchor.spec.common().takes_claims(),
        // A create that goes on, or takes up what lost its anchor, leaves what runs as it is.
        _ => site.live().next().is_none(),
    };
    stays.then_some(refused)
}

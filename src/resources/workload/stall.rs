//! Whether waiting has become hopeless: what Kubernetes gives as reasons, and for how long. Network.

use super::Spec;
use crate::kubernetes::explain::{Outlook, Reason};
use crate::stack::Stack;
use std::time::Duration;
use tokio::time::Instant;

/// How often such reasons are looked for: that takes several requests.
const LOOK_FOR_REASONS: Duration = Duration::from_secs(2);

/// How long a reason has to stand before nobody waits for it any more; none: it passes by itself.
fn patience(outlook: Outlook) -> Option<Duration> {
    match outlook {
        Outlook::Transient => None,
        // A registry that is overloaded or away for a moment comes back in minutes.
        Outlook::Busy => Some(Duration::from_secs(300)),
        // An autoscaler looks every 10 s and says when it makes a node.
        Outlook::Doubtful => Some(Duration::from_secs(30)),
        // An image is tried again, a volume may be on its way.
        Outlook::Stuck => Some(Duration::from_secs(6)),
    }
}

/// How long there has been no hope.
#[derive(Default)]
pub struct Stall {
    looked: Option<Instant>,
    since: Option<Instant>,
}

impl Stall {
    /// Looks for reasons for which waiting would not help, now and then.
    ///
    /// # Errors
    /// These reasons, when they have stood for long enough.
    pub async fn look<M: Spec>(&mut self, stack: &Stack, spec: &M) -> Result<(), Vec<Reason>> {
        if self.looked.is_some_and(|looked| looked.elapsed() < LOOK_FOR_REASONS) {
            return Ok(());
        }
        let mut reasons = explain(stack, spec).await;
        reasons.retain(|reason| reason.outlook != Outlook::Transient);
        self.looked = Some(Instant::now());
        let since = *self.since.get_or_insert_with(Instant::now);
        match reasons.iter().filter_map(|reason| patience(reason.outlook)).min() {
            None => self.since = None,
            Some(patience) if since.elapsed() >= patience => return Err(reasons),
            Some(_) => {}
        }
        Ok(())
    }
}

/// Why the pods are not there, as far as Kubernetes says.
pub async fn explain<M: Spec>(stack: &Stack, spec: &M) -> Vec<Reason> {
    let mut reasons = Vec::new();
    for role in spec.roles() {
        reasons.extend(stack.kubernetes.why_not_ready(&role.names.key(spec.namespace())).await.unwrap_or_default());
    }
    reasons
}

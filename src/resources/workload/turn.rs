//! Whose turn it is on a workload. The run at work puts its name into the anchor and shows there, every now and then, that it lives;
//! whoever finds the name of another one watches, and is refused while that one lives. Network.

use super::Spec;
use super::guard::Site;
use super::words;
use crate::kubernetes::Kubernetes;
use crate::kubernetes::beats::{BEAT, DEAD};
use crate::kubernetes::client::Apply;
use crate::kubernetes::object::{Key, Object};
use crate::plugin::context::Context;
use crate::resources::owned::write::Stop;
use crate::stack::Stack;
use serde_json::json;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Who writes the sign of life: not who writes the line of progress, or each would take the other's away.
const PART: &str = "turn";
/// Between two looks at another one's sign of life.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The turn of a run.
pub struct Turn {
    /// The run's name.
    pub run: String,
    /// The run whose place it takes: that one was killed.
    after: Option<String>,
    /// Shows that it lives; ends with it.
    life: JoinSet<()>,
}

/// The name of the run that is at work, as an anchor says.
fn run_of(anchor: &Object) -> Option<&str> {
    Some(anchor.text("/data/run")).filter(|run| !run.is_empty())
}

impl Default for Turn {
    fn default() -> Self {
        Self { run: format!("{:016x}", crate::random::bits()), after: None, life: JoinSet::new() }
    }
}

impl Turn {
    /// Whether nobody is at work on the workload of this anchor. False: it is another one's no more, and has to be looked at anew.
    ///
    /// # Errors
    /// That another run is at work, or Kubernetes does not say.
    pub async fn is_free<M: Spec>(
        &mut self,
        cx: &Context<'_, Stack>,
        stack: &Stack,
        spec: &M,
        found: &Object,
    ) -> Result<bool, Stop> {
        let Some(other) = run_of(found).filter(|run| *run != self.run) else { return Ok(true) };
        let begun = Instant::now();
        while begun.elapsed() < DEAD {
            cx.say("waiting for: a sign of life of the run that began this, or none");
            cx.pause(LOOK_AGAIN).await?;
            let now = stack.kubernetes.get(&found.key()).await?;
            match now.as_ref().map(run_of) {
                Some(Some(run)) if run == other => {}
                _ => return Ok(false),
            }
            if now.is_some_and(|now| now.at("/data/beat") != found.at("/data/beat")) {
                return Err(words::at_work(M::RESOURCE, &spec.id(), &found.key()).into());
            }
        }
        self.after = Some(other.to_owned());
        Ok(true)
    }

    /// Looks at the workload that `spec` names, once nobody else is at work on it.
    ///
    /// # Errors
    /// That another run is, or Kubernetes does not say.
    pub async fn site<M: Spec>(&mut self, cx: &Context<'_, Stack>, stack: &Stack, spec: &M) -> Result<Site<M>, Stop> {
        loop {
            let site = Site::look(stack, spec).await?;
            match &site.anchor {
                Some((found, _)) if !self.is_free(cx, stack, spec, found).await? => {}
                _ => return Ok(site),
            }
        }
    }

    /// Whether the anchor is still to be written by this run, and by no other.
    pub fn has(&self, anchor: &Object) -> bool {
        let Some(run) = run_of(anchor) else { return true };
        run == self.run || (self.life.is_empty() && self.after.as_deref() == Some(run))
    }

    /// Shows from now on that the run lives.
    pub fn begin(&mut self, kubernetes: &Kubernetes, anchor: &Object) {
        if self.life.is_empty() {
            self.life.spawn(live(kubernetes.clone(), anchor.key(), anchor.uid().to_owned()));
        }
    }

    /// Shows no more that it lives.
    pub async fn end(&mut self) {
        self.life.shutdown().await;
    }
}

async fn live(kubernetes: Kubernetes, anchor: Key, uid: String) {
    for beat in 1_u64.. {
        tokio::time::sleep(BEAT).await;
        // With its uid: an anchor that is gone is not made anew.
        let sign = json!({"metadata": {"uid": uid}, "data": {"beat": beat.to_string()}});
        let how = Apply { part: Some(PART), ..Apply::default() };
        if let Err(failure) = kubernetes.apply(&Object::of(&anchor, sign), how).await {
            tracing::debug!(%failure, "no sign of life");
        }
    }
}

#[cfg(test)]
#[path = "turn_tests.rs"]
mod tests;

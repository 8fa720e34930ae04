//! One drill from its first look to its last clean-up. Network; what may be done is `facts.rs`'s to say, to whom `step.rs`'s, and
//! when a stack is whole again `recovery.rs`'s.

use super::claim::{Claim, Traces};
use super::clean::{Follow, clean};
use super::conduct::Drill;
use super::limits::{Halt, Limits};
use super::objections::exposed;
use super::order::{Order, Refused};
use super::recording::Recording;
use super::settle::settle;
use crate::stack::names;
use crate::stack::site::Site;
use std::time::Duration;
use tokio::time::Instant;

/// How a drill ended that began.
pub struct Ended {
    /// Everything that was seen.
    pub recording: Recording,
    /// Why it is not known what was in the topic in the end.
    pub unread: Option<String>,
    /// Why it ended before its last step.
    pub halted: Option<Halt>,
    /// The topic of an earlier drill that was killed, and that was cleaned up after.
    pub cleaned: Option<String>,
    /// Topics with one replica: they were out of reach while their broker was away.
    pub exposed: Vec<String>,
    /// What could not be removed.
    pub left: Vec<String>,
}

/// How long a stack that is not whole may take to become so before the drill begins.
const SETTLE: Duration = Duration::from_secs(120);
/// How long the clean-up may take: a controller that was just killed is followed by another one only after 18 s.
pub const CLEAN: Duration = Duration::from_secs(30);
/// What the name of every drill's topic begins with.
pub const TOPIC_PREFIX: &str = "kafkastack-drill-";

/// Runs a drill. `tell` is told how far it is, for people.
///
/// # Errors
/// Why it did not begin. Nothing of it is left then, but for what the error names.
pub async fn run(site: &Site, order: &Order, limits: &Limits, tell: &(dyn Fn(String) + Sync)) -> Result<Ended, Refused> {
    let facts = settle(site, Some(&order.demands), limits, SETTLE).await?;
    let name = format!("{TOPIC_PREFIX}{}", random());
    let traces = Traces { topic: name.clone(), znode: format!("/{name}") };
    let key = names::drill(&site.brokers.namespace, &site.brokers.name);
    let mut claim = Claim::take(&site.kubernetes, key, &traces, limits).await?;
    let earlier = claim.earlier.take();
    if let Some(earlier) = &earlier {
        tell(format!("cleaning up after drill {}, which was killed", earlier.topic));
        let left = clean(site, earlier, Follow::Done, Instant::now() + CLEAN).await;
        if !left.is_empty() {
            return Err(Refused::Left(left));
        }
        claim.name(&traces).await?;
    }
    let kept = claim.keep(traces.clone(), limits);
    tell(format!("drill {name} begins"));
    let done = Drill { site, order, limits, tell, name: &name }.conduct().await;
    let halted = match &done {
        Ok(done) => done.halted,
        Err(Refused::Halted(halt)) => Some(*halt),
        Err(_) => None,
    };
    let follow = if halted.is_some() { Follow::Accepted } else { Follow::Done };
    let left = clean(site, &traces, follow, Instant::now() + CLEAN).await;
    // What is left is named by the ConfigMap, and found by the next run.
    if left.is_empty() {
        kept.release().await?
    } else {
        kept.abandon()
    }
    let done = done.map_err(|refused| match refused {
        Refused::Unprepared(why) if !left.is_empty() => Refused::Unprepared(format!("{why}; still there: {}", left.join("; "))),
        refused => refused,
    })?;
    let exposed = exposed(&facts).into_iter().map(str::to_owned).collect();
    let (recording, unread) = (done.recording, done.unread);
    Ok(Ended { recording, unread, halted, cleaned: earlier.map(|traces| traces.topic), exposed, left })
}

/// Eight hexadecimal digits, different each time.
fn random() -> String {
    format!("{:08x}", crate::random::bits() >> 32)
}

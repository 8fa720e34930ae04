//! Whether somebody who writes an object every now and then, to show that he works, still does. No clock is compared: who waits
//! sees whether the object changes. Pure.

use super::object::{Key, Object};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// How often whoever works shows it.
pub const BEAT: Duration = Duration::from_secs(2);
/// Who has not shown it for so long was killed.
pub const DEAD: Duration = Duration::from_secs(10);

/// What was seen of such objects.
#[derive(Debug, Default)]
pub struct Beats(BTreeMap<Key, (String, Instant)>);

impl Beats {
    /// Whether whoever writes the object may still do so; to be asked with each look at it.
    pub fn may_live(&mut self, object: &Object) -> bool {
        let now = Instant::now();
        let version = object.resource_version();
        let (seen, since) = self.0.entry(object.key()).or_insert_with(|| (version.to_owned(), now));
        if seen != version {
            (*seen, *since) = (version.to_owned(), now);
        }
        now.duration_since(*since) < DEAD
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::object::Kind;
    use serde_json::json;

    #[tokio::test(start_paused = true)]
    async fn who_does_not_write_for_long_was_killed() {
        let of = |version: &str| {
            let key = Key::new(Kind::ConfigMap, "prod", "kafka-kafkastack-drill");
            Object::of(&key, json!({"metadata": {"resourceVersion": version}}))
        };
        let mut beats = Beats::default();
        assert!(beats.may_live(&of("1")));
        tokio::time::advance(DEAD - BEAT).await;
        assert!(beats.may_live(&of("1")) && beats.may_live(&of("2")));
        tokio::time::advance(DEAD - BEAT).await;
        assert!(beats.may_live(&of("2")));
        tokio::time::advance(BEAT).await;
        assert!(!beats.may_live(&of("2")));
    }
}

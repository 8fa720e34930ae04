//! Deletes a topic, by the controller's word. Network.

use super::apply::{INTERVAL, Run, UNSURE};
use super::read::look;
use super::words;
use crate::kafka::{Class, Outcome, Topic};
use crate::plugin::diagnostic::Diagnostic;
use crate::resources::inside::LATER;
use crate::resources::inside::delete::Undeleted;
use tokio::time::Instant;

impl Run<'_> {
    /// Deletes a topic, by its id where brokers know ids; one that is gone already is no error, and another one of its name stays.
    ///
    /// # Errors
    /// Why it is still there.
    pub async fn delete(&self, name: &str, id: Option<&str>) -> Result<(), Undeleted> {
        let refused = |why| Err(Undeleted::Refused(why));
        let mut unsure = 0;
        loop {
            self.cx.go_on().map_err(Undeleted::Halted)?;
            match self.admin.delete_topic(name, id).await {
                Ok(()) => break,
                Err(error) if error.is(Class::UnknownTopic) => break,
                Err(error) if error.is(Class::DeletionDisabled) => return refused(words::deletion_disabled(name, &error)),
                Err(error) if error.outcome() == Outcome::Unknown && unsure < UNSURE => unsure += 1,
                Err(error) if error.may_pass() => return Err(Undeleted::Away(error)),
                Err(error) => return refused(words::refused("delete", name, &error)),
            }
            match look(&self.admin, name, false).await {
                Ok(None) => return Ok(()),
                Ok(Some(seen)) if is_other(id, &seen.topic) => return Ok(()),
                _ => self.cx.pause(LATER).await.or_else(|why| refused(words::still_deleting(name, &why.to_string())))?,
            }
        }
        self.until_gone(name, id).await.map_err(Undeleted::Refused)
    }

    async fn until_gone(&self, name: &str, id: Option<&str>) -> Result<(), Diagnostic> {
        let begun = Instant::now();
        loop {
            let waiting = match self.admin.topics(Some(&[name])).await {
                Ok(topics) if topics.iter().all(|topic| is_other(id, topic)) => return Ok(()),
                Ok(_) => "the controller still shows it".to_owned(),
                Err(error) => error.to_string(),
            };
            self.say_after(begun, name, &waiting);
            self.cx.pause(INTERVAL).await.map_err(|why| words::still_deleting(name, &format!("{why}; {waiting}")))?;
        }
    }
}

/// Whether a topic of the same name was made after the one with this id.
fn is_other(id: Option<&str>, topic: &Topic) -> bool {
    matches!((id, &topic.id), (Some(old), Some(new)) if old != new)
}

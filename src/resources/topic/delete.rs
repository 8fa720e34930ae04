//! Deletes a topic, by the controller's word. Network.

use super::apply::{INTERVAL, Run, UNSURE};
use super::read::look;
use super::words;
use crate::kafka::{Class, Outcome};
use crate::plugin::diagnostic::Diagnostic;
use crate::resources::inside::LATER;
use crate::resources::inside::delete::Undeleted;
use tokio::time::Instant;

impl Run<'_> {
    /// Deletes a topic; one that is gone already is no error.
    ///
    /// # Errors
    /// Why it is still there.
    pub async fn delete(&self, name: &str) -> Result<(), Undeleted> {
        let refused = |why| Err(Undeleted::Refused(why));
        let mut unsure = 0;
        loop {
            self.cx.go_on().map_err(Undeleted::Halted)?;
            match self.admin.delete_topic(name).await {
                Ok(()) => break,
                Err(error) if error.is(Class::UnknownTopic) => break,
                Err(error) if error.is(Class::DeletionDisabled) => return refused(words::deletion_disabled(name, &error)),
                Err(error) if error.outcome() == Outcome::Unknown && unsure < UNSURE => unsure += 1,
                Err(error) if error.may_pass() => return Err(Undeleted::Away(error)),
                Err(error) => return refused(words::refused("delete", name, &error)),
            }
            match look(&self.admin, name, false).await {
                Ok(None) => return Ok(()),
                _ => self.cx.pause(LATER).await.or_else(|why| refused(words::still_deleting(name, &why.to_string())))?,
            }
        }
        self.until_gone(name).await.map_err(Undeleted::Refused)
    }

    async fn until_gone(&self, name: &str) -> Result<(), Diagnostic> {
        let begun = Instant::now();
        loop {
            let waiting = match self.admin.topics(Some(&[name])).await {
                Ok(topics) if topics.is_empty() => return Ok(()),
                Ok(_) => "the controller still shows it".to_owned(),
                Err(error) => error.to_string(),
            };
            self.say_after(begun, name, &waiting);
            self.cx.pause(INTERVAL).await.map_err(|why| words::still_deleting(name, &format!("{why}; {waiting}")))?;
        }
    }
}

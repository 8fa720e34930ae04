//! Removes what a drill made. Network.

use super::claim::Traces;
use super::znode;
use crate::kafka::{Admin, Class};
use crate::stack::site::Site;
use std::time::Duration;
use tokio::time::Instant;

/// Between two tries.
const AGAIN: Duration = Duration::from_millis(300);

/// How far the topic's deletion is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// Until the controller has taken it: it is done then, also after the controller is another one, but with a broker away only
    /// when that is back.
    Accepted,
    /// Until it is done.
    Done,
}

/// Removes topic and znode; what may still be there when the time is over, with the reason.
pub async fn clean(site: &Site, traces: &Traces, follow: Follow, until: Instant) -> Vec<String> {
    let topic = async { delete_topic(&site.admin, &traces.topic, follow, until).await.err() };
    let znode = async { delete_znode(site, &traces.znode, until).await.err() };
    let (topic, znode) = tokio::join!(topic, znode);
    let topic = topic.map(|why| format!("topic {}: {why}", traces.topic));
    topic.into_iter().chain(znode.map(|why| format!("znode {}: {why}", traces.znode))).collect()
}

/// Deletes the topic.
async fn delete_topic(admin: &Admin, name: &str, follow: Follow, until: Instant) -> Result<(), String> {
    let admin = admin.clone().until(until);
    loop {
        let why = match admin.delete_topic(name, None).await {
            Err(error) if error.is(Class::UnknownTopic) => return Ok(()),
            Err(error) => error.to_string(),
            Ok(()) if follow == Follow::Accepted => return Ok(()),
            Ok(()) => match admin.topics(Some(&[name])).await {
                Ok(topics) if topics.is_empty() => return Ok(()),
                Ok(_) => "the controller still shows it".to_owned(),
                Err(error) => error.to_string(),
            },
        };
        if Instant::now() + AGAIN >= until {
            return Err(why);
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn delete_znode(site: &Site, path: &str, until: Instant) -> Result<(), String> {
    let Some(ensemble) = &site.ensemble else { return Ok(()) };
    loop {
        let Err(error) = znode::remove(ensemble, path).await else { return Ok(()) };
        if Instant::now() + AGAIN >= until {
            return Err(error.to_string());
        }
        tokio::time::sleep(AGAIN).await;
    }
}

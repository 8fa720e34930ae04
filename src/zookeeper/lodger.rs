//! Which Kafka cluster keeps its metadata in an ensemble: the id that its brokers wrote when they first started, and the brokers that
//! are registered there now. Network; the reading of what the znode holds is pure.

use super::session::{Session, SessionError};
use crate::dial::Dialer;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long the ensemble keeps the session, should its end not reach it.
const SESSION: Duration = Duration::from_secs(6);

/// A Kafka cluster under a chroot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lodger {
    /// Its id; none where no broker has ever started.
    pub id: Option<String>,
    /// The ids of its brokers that live, or did until their session ends (`zookeeper.session.timeout.ms`).
    pub brokers: Vec<String>,
}

/// The Kafka cluster under `chroot`. A member that follows its leader at a distance may not know yet what was written a moment ago.
///
/// # Errors
/// When no member answers within `limit` (each one gets 3 s of it), or what is there is no cluster's id: then nothing is known.
pub async fn kafka_under(
    dialer: Arc<dyn Dialer>,
    members: Vec<(String, u16)>,
    chroot: &str,
    limit: Duration,
) -> Result<Lodger, String> {
    let chroot = chroot.trim_end_matches('/');
    let until = Instant::now() + limit;
    let asked = timeout_at(until, read(dialer, members, chroot)).await;
    let (session, data, mut brokers) =
        asked.map_err(|_| format!("no answer within {limit:?}"))?.map_err(|error| error.to_string())?;
    // What was read stands, whether or not the ensemble hears of the session's end.
    let _ = timeout_at(until, session.close()).await;
    brokers.sort();
    let id = data.map(|data| id(&data).ok_or_else(|| format!("{chroot}/cluster/id holds no cluster's id"))).transpose()?;
    Ok(Lodger { id, brokers })
}

/// Reads both; another member is asked when one goes in the middle of it.
async fn read(
    dialer: Arc<dyn Dialer>,
    members: Vec<(String, u16)>,
    chroot: &str,
) -> Result<(Session, Option<Vec<u8>>, Vec<String>), SessionError> {
    let mut others = members.len();
    let mut session = Session::open(dialer, members, SESSION).await?;
    loop {
        let found = match session.get(&format!("{chroot}/cluster/id")).await {
            Ok(id) => session.children(&format!("{chroot}/brokers/ids")).await.map(|brokers| (id, brokers)),
            Err(error) => Err(error),
        };
        match found {
            Ok((id, brokers)) => return Ok((session, id, brokers)),
            Err(SessionError::Lost(_) | SessionError::Expired) if others > 0 => others -= 1,
            Err(error) => return Err(error),
        }
    }
}

/// `{"version":"1","id":"..."}`, as Kafka's `KafkaZkClient` writes it.
fn id(data: &[u8]) -> Option<String> {
    let value: serde_json::Value = serde_json::from_slice(data).ok()?;
    value.get("id")?.as_str().filter(|id| !id.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zookeeper::session::tests::{Ensemble, members};

    const LIMIT: Duration = Duration::from_secs(20);
    const WRITTEN: &[u8] = br#"{"version":"1","id":"c5JQ1cYfTfuTNTVDzPyhVA"}"#;

    async fn ask(ensemble: &Ensemble, chroot: &str) -> Result<Option<String>, String> {
        kafka_under(Arc::new(ensemble.clone()), members(), chroot, LIMIT).await.map(|found| found.id)
    }

    #[tokio::test]
    async fn the_ensemble_tells_which_kafka_cluster_is_under_a_chroot() {
        let ensemble = Ensemble::new();
        let mut session = ensemble.open().await;
        session.create("/kafka/cluster/id", WRITTEN).await.unwrap();
        session.create("/cluster/id", br#"{"version":"1","id":"other"}"#).await.unwrap();
        session.close().await;
        assert_eq!(ask(&ensemble, "/kafka").await, Ok(Some("c5JQ1cYfTfuTNTVDzPyhVA".to_owned())));
        for root in ["", "/"] {
            assert_eq!(ask(&ensemble, root).await, Ok(Some("other".to_owned())));
        }
        assert_eq!(ask(&ensemble, "/elsewhere").await, Ok(None));
        let mut session = ensemble.open().await;
        session.create("/kafka/brokers/ids/1", b"{}").await.unwrap();
        session.create("/kafka/brokers/ids/0", b"{}").await.unwrap();
        session.close().await;
        let found = kafka_under(Arc::new(ensemble.clone()), members(), "/kafka", LIMIT).await.unwrap();
        assert_eq!(found.brokers, ["0", "1"]);
        assert!(ensemble.sessions().is_empty(), "no session is left behind");
    }

    #[tokio::test]
    async fn one_member_is_enough_to_tell_and_without_any_nothing_is_known() {
        let ensemble = Ensemble::new();
        let mut session = ensemble.open().await;
        session.create("/cluster/id", WRITTEN).await.unwrap();
        (0..2).for_each(|member| ensemble.set(member, false));
        assert!(ask(&ensemble, "/").await.unwrap().is_some());
        ensemble.set(2, false);
        let error = ask(&ensemble, "/").await.unwrap_err();
        assert!(error.starts_with("no member of the ensemble answers"), "{error}");
    }

    #[tokio::test]
    async fn what_is_no_cluster_id_is_an_error_and_not_its_absence() {
        let ensemble = Ensemble::new();
        let mut session = ensemble.open().await;
        session.create("/cluster/id", b"").await.unwrap();
        assert_eq!(ask(&ensemble, "/").await.unwrap_err(), "/cluster/id holds no cluster's id");
        for other in [&b"{"[..], b"[]", br#"{"id":""}"#, br#"{"id":7}"#, b"\xff"] {
            assert_eq!(id(other), None);
        }
    }
}

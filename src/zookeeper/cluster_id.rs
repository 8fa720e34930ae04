//! Which Kafka cluster keeps its metadata in an ensemble: the id that its brokers wrote when they first started. Network; the
//! reading of what the znode holds is pure.

use super::session::{Session, SessionError};
use crate::dial::Dialer;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long the ensemble keeps the session, should its end not reach it.
const SESSION: Duration = Duration::from_secs(6);

/// The id of the Kafka cluster under `chroot`; `None` when the ensemble answers and holds none there. A member that follows its
/// leader at a distance may not know yet what was written a moment ago.
///
/// # Errors
/// When no member answers within `limit` (each one gets 3 s of it), or what is there is no cluster's id: then nothing is known.
pub async fn kafka_cluster_id(
    dialer: Arc<dyn Dialer>,
    members: Vec<(String, u16)>,
    chroot: &str,
    limit: Duration,
) -> Result<Option<String>, String> {
    let path = format!("{}/cluster/id", chroot.trim_end_matches('/'));
    let until = Instant::now() + limit;
    let asked = timeout_at(until, read(dialer, members, &path)).await;
    let (session, found) = asked.map_err(|_| format!("no answer within {limit:?}"))?.map_err(|error| error.to_string())?;
    // What was read stands, whether or not the ensemble hears of the session's end.
    let _ = timeout_at(until, session.close()).await;
    match found {
        Some(data) => id(&data).map(Some).ok_or_else(|| format!("{path} holds no cluster's id")),
        None => Ok(None),
    }
}

/// Reads a znode; another member is asked when one goes in the middle of it.
async fn read(
    dialer: Arc<dyn Dialer>,
    members: Vec<(String, u16)>,
    path: &str,
) -> Result<(Session, Option<Vec<u8>>), SessionError> {
    let mut others = members.len();
    let mut session = Session::open(dialer, members, SESSION).await?;
    loop {
        match session.get(path).await {
            Ok(found) => return Ok((session, found)),
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
        kafka_cluster_id(Arc::new(ensemble.clone()), members(), chroot, LIMIT).await
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

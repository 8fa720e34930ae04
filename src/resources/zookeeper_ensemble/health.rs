//! What members say of themselves -> whether the ensemble serves. The judgement is pure; the asking is network.

use super::objects::{CLIENT, hosts};
use super::schema::Ensemble;
use crate::kubernetes::object::Object;
use crate::resources::workload::roll::Health;
use crate::stack::Stack;
use crate::zookeeper::{Mode, mode};
use futures::future::join_all;
use std::time::Duration;

/// How long one member may take to answer: it is asked again anyway.
const ANSWER: Duration = Duration::from_secs(3);

/// Asks every member for its role.
pub async fn check(ensemble: &Ensemble, stack: &Stack, _pods: &[Object]) -> Health {
    let dialer = stack.dialer(ensemble.namespace.text(), ensemble.name.text());
    let port = u16::try_from(CLIENT).unwrap_or_default();
    let hosts = hosts(ensemble);
    let answers = join_all(hosts.iter().map(|host| mode(&*dialer, host, port, ANSWER))).await;
    let pods = hosts.iter().map(|host| host.split('.').next().unwrap_or_default().to_owned());
    judge(&pods.zip(answers).collect::<Vec<_>>())
}

/// An ensemble serves when one member leads and every other one follows it.
fn judge(members: &[(String, Result<Mode, String>)]) -> Health {
    if let Some((pod, Err(why))) = members.iter().find(|(_, answer)| answer.is_err()) {
        return Health::Waiting(format!("member {pod} is not in the quorum: {why}"));
    }
    let leads = |mode: &Mode| matches!(mode, Mode::Leader | Mode::Standalone);
    let leaders: Vec<String> =
        members.iter().filter(|(_, answer)| answer.as_ref().is_ok_and(leads)).map(|(pod, _)| pod.clone()).collect();
    match leaders.len() {
        1 => Health::Healthy { leaders },
        0 => Health::Waiting("no member leads".to_owned()),
        _ => Health::Waiting(format!("more than one member leads: {}", leaders.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(answers: [Result<Mode, &str>; 3]) -> Vec<(String, Result<Mode, String>)> {
        answers.into_iter().enumerate().map(|(i, a)| (format!("zk-{i}"), a.map_err(str::to_owned))).collect()
    }

    #[test]
    fn an_ensemble_serves_when_one_leads_and_the_others_follow() {
        let serving = members([Ok(Mode::Follower), Ok(Mode::Leader), Ok(Mode::Follower)]);
        assert_eq!(judge(&serving), Health::Healthy { leaders: vec!["zk-1".to_owned()] });
        for waiting in [
            members([Ok(Mode::Follower), Ok(Mode::Leader), Err("connection refused")]),
            members([Ok(Mode::Follower), Ok(Mode::Follower), Ok(Mode::Follower)]),
            members([Ok(Mode::Leader), Ok(Mode::Leader), Ok(Mode::Follower)]),
        ] {
            assert!(matches!(judge(&waiting), Health::Waiting(_)), "{waiting:?}");
        }
    }
}

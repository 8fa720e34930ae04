//! What members say of themselves -> how the ensemble is, member by member. Network; [`judge`] is pure, and its judgements are those of
//! `stack::ailments` and `stack::losses`.

use super::schema::Ensemble;
use crate::resources::workload::Spec;
use crate::resources::workload::health::{Duty, Health};
use crate::stack::Stack;
use crate::stack::ailments::of_members;
use crate::stack::facts::{Service, leads};
use crate::stack::losses::takes_quorum;
use crate::stack::names::Id;
use crate::zookeeper::Mode;

/// Asks every member for its role. An ensemble is whole when one member leads and every other one follows it.
pub async fn check(ensemble: &Ensemble, stack: &Stack) -> Health {
    judge(&modes(ensemble, stack).await)
}

/// The pod of the member that leads.
pub async fn leader(ensemble: &Ensemble, stack: &Stack) -> Option<String> {
    modes(ensemble, stack).await.into_iter().find(|(_, mode)| leads(mode)).map(|(pod, _)| pod)
}

async fn modes(ensemble: &Ensemble, stack: &Stack) -> Vec<(String, Result<Mode, String>)> {
    let id = Id::new(ensemble.namespace(), ensemble.name());
    stack.endpoints(Service::Zookeeper, &id, &ensemble.profile()).modes().await
}

/// `modes`: what each member says, by its pod.
fn judge(modes: &[(String, Result<Mode, String>)]) -> Health {
    let serving = modes.iter().filter(|(_, mode)| mode.is_ok()).count();
    let duty = |mode: &Result<Mode, String>| Duty {
        serves: mode.is_ok(),
        behind: false,
        leads: leads(mode),
        always: Vec::new(),
        loss: takes_quorum(modes.len(), serving, mode.is_ok())
            .then(|| format!("{serving} of {} members serve, and without this one there may be no quorum", modes.len())),
    };
    Health::Known {
        waits: of_members(modes).first().map(ToString::to_string),
        duties: modes.iter().map(|(pod, mode)| (pod.clone(), duty(mode))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_may_go_when_the_others_make_a_quorum() {
        let lost = |modes: [Result<Mode, String>; 3]| {
            let modes: Vec<_> = ["zk-0", "zk-1", "zk-2"].iter().map(|pod| (*pod).to_owned()).zip(modes).collect();
            let Health::Known { waits, duties } = judge(&modes) else { panic!() };
            (waits.is_some(), duties.into_values().map(|duty| (duty.serves, duty.leads, duty.loss.is_some())).collect::<Vec<_>>())
        };
        let out = || Err("it serves no requests".to_owned());
        assert_eq!(
            lost([Ok(Mode::Leader), Ok(Mode::Follower), Ok(Mode::Follower)]),
            (false, vec![(true, true, false), (true, false, false), (true, false, false)])
        );
        assert_eq!(
            lost([Ok(Mode::Leader), Ok(Mode::Follower), out()]),
            (true, vec![(true, true, true), (true, false, true), (false, false, false)])
        );
        assert_eq!(lost([out(), out(), out()]), (true, vec![(false, false, false); 3]));
    }
}

//! When a stack is whole again after a pod was taken away, seen in samples. Pure.

use super::recording::{PartitionSample, Sample};
use super::step::broker_id;
use crate::stack::ailments::is_whole;
use crate::stack::facts::{Pod, Service};

/// A pod that was taken away.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The pod as it was.
    pub pod: Pod,
    /// The partitions of the drill's topic that it led.
    pub led: Vec<i32>,
}

/// When what was there again; milliseconds since the load began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Every partition that the broker led has another leader, or the broker back.
    pub new_leader: Option<u64>,
    /// Every replica of the drill's topic is in sync.
    pub full_isr: Option<u64>,
    /// A member leads, and it is not the one that went.
    pub quorum: Option<u64>,
    /// Every pod is ready, the new one too.
    pub ready: Option<u64>,
    /// A replica was seen out of sync.
    dented: bool,
}

impl Taken {
    /// What is taken away, with what it leads by this sample.
    pub fn new(pod: Pod, before: &Sample) -> Self {
        let id = broker_id(&pod);
        let leads = |one: &&PartitionSample| one.leader.map(i64::from) == id;
        let led = match pod.service {
            Service::Kafka => before.partitions.iter().filter(leads).map(|one| one.index).collect(),
            Service::Zookeeper => Vec::new(),
        };
        Self { pod, led }
    }
}

impl Recovery {
    /// Takes in what was seen. What was there once counts: the times are those of the first sight.
    pub fn see(&mut self, taken: &Taken, sample: &Sample, pods: &[Pod]) {
        let note = |time: &mut Option<u64>, holds: bool| {
            if holds && time.is_none() {
                *time = Some(sample.at);
            }
        };
        let back = pods.iter().any(|pod| pod.name == taken.pod.name && pod.uid != taken.pod.uid && pod.ready);
        note(&mut self.ready, back && pods.iter().all(|pod| pod.ready));
        match taken.pod.service {
            Service::Kafka => {
                let id = broker_id(&taken.pod);
                let leader = |index: &i32| sample.partitions.iter().find(|one| one.index == *index).and_then(|one| one.leader);
                let moved = |index: &i32| leader(index).is_some_and(|leader| Some(i64::from(leader)) != id || back);
                note(&mut self.new_leader, !taken.led.is_empty() && taken.led.iter().all(moved));
                let whole = |one: &PartitionSample| is_whole(one.leader, &one.replicas, &one.isr);
                let full = !sample.partitions.is_empty() && sample.partitions.iter().all(whole);
                // Right after the kill nobody has noticed yet.
                self.dented |= !full;
                note(&mut self.full_isr, full && (self.dented || back));
            }
            Service::Zookeeper => {
                let leads = |pod: &str, role: &str| role == "leader" && (pod != taken.pod.name || back);
                note(&mut self.quorum, sample.zookeeper.iter().any(|member| leads(&member.pod, &member.role)));
            }
        }
    }

    /// What is still missing, in words; none: nothing.
    pub fn missing(&self, taken: &Taken) -> Option<&'static str> {
        match taken.pod.service {
            Service::Kafka if !taken.led.is_empty() && self.new_leader.is_none() => Some("a new leader"),
            Service::Zookeeper if self.quorum.is_none() => Some("a ZooKeeper leader"),
            _ if self.ready.is_none() => Some("the pod to be ready"),
            Service::Kafka if self.full_isr.is_none() => Some("every replica to be in sync"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drill::recording::MemberSample;

    fn pod(service: Service, name: &str, uid: &str, ready: bool) -> Pod {
        Pod { service, name: name.into(), uid: uid.into(), ready, node: String::new() }
    }

    fn sample(at: u64, leader: Option<i32>, isr: &[i32]) -> Sample {
        let partition = PartitionSample { index: 0, leader, isr: isr.to_vec(), replicas: vec![1, 0, 2] };
        Sample { at, partitions: vec![partition], ..Sample::default() }
    }

    #[test]
    fn a_broker_is_followed_until_its_replicas_are_in_sync_again() {
        let old = pod(Service::Kafka, "kafka-1", "old", true);
        let taken = Taken::new(old.clone(), &sample(0, Some(1), &[1, 0, 2]));
        assert_eq!(taken.led, [0]);
        let (gone, new) = (pod(Service::Kafka, "kafka-1", "new", false), pod(Service::Kafka, "kafka-1", "new", true));
        let mut recovery = Recovery::default();
        recovery.see(&taken, &sample(10, Some(1), &[1, 0, 2]), &[old]);
        assert_eq!(recovery, Recovery::default(), "nobody has noticed yet");
        assert_eq!(recovery.missing(&taken), Some("a new leader"));
        recovery.see(&taken, &sample(20, Some(0), &[0, 2]), std::slice::from_ref(&gone));
        recovery.see(&taken, &sample(30, Some(0), &[0, 2]), &[gone]);
        assert_eq!(recovery.missing(&taken), Some("the pod to be ready"));
        recovery.see(&taken, &sample(40, Some(0), &[0, 2]), std::slice::from_ref(&new));
        assert_eq!(recovery.missing(&taken), Some("every replica to be in sync"));
        recovery.see(&taken, &sample(50, Some(0), &[0, 2, 1]), &[new]);
        assert_eq!(recovery.missing(&taken), None);
        assert_eq!((recovery.new_leader, recovery.ready, recovery.full_isr), (Some(20), Some(40), Some(50)));
        assert_eq!(recovery.quorum, None);
    }

    #[test]
    fn a_broker_that_led_nothing_has_no_successor() {
        let taken = Taken::new(pod(Service::Kafka, "kafka-2", "old", true), &sample(0, Some(1), &[1, 0, 2]));
        let mut recovery = Recovery::default();
        // It was away between two looks: nobody saw a replica out of sync.
        recovery.see(&taken, &sample(20, Some(1), &[1, 0, 2]), &[pod(Service::Kafka, "kafka-2", "new", true)]);
        assert_eq!((recovery.new_leader, recovery.full_isr, recovery.missing(&taken)), (None, Some(20), None));
    }

    #[test]
    fn a_leader_that_is_on_its_way_out_is_no_quorum() {
        let old = pod(Service::Zookeeper, "zk-1", "old", true);
        let members = |at, leader: &str| {
            let role = |pod: &str| if pod == leader { "leader" } else { "follower" };
            let member = |pod: &str| MemberSample { pod: pod.into(), role: role(pod).into() };
            Sample { at, zookeeper: vec![member("zk-0"), member("zk-1")], ..Sample::default() }
        };
        let taken = Taken::new(old.clone(), &members(0, "zk-1"));
        let mut recovery = Recovery::default();
        recovery.see(&taken, &members(10, "zk-1"), &[old]);
        assert_eq!(recovery.missing(&taken), Some("a ZooKeeper leader"));
        recovery.see(&taken, &members(20, "zk-0"), &[pod(Service::Zookeeper, "zk-1", "new", false)]);
        recovery.see(&taken, &members(30, "zk-0"), &[pod(Service::Zookeeper, "zk-1", "new", true)]);
        assert_eq!((recovery.quorum, recovery.ready, recovery.missing(&taken)), (Some(20), Some(30), None));
    }
}

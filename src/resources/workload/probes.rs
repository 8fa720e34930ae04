//! Probes of a container, with their timing. Pure.

use serde_json::{Value, json};

/// Somebody listens at the port.
pub fn connects(port: i64, period: i64, failures: i64) -> Value {
    json!({"tcpSocket": {"port": port}, "periodSeconds": period, "timeoutSeconds": 5, "failureThreshold": failures})
}

/// A command of the container's succeeds.
pub fn succeeds(command: &[&str], period: i64, failures: i64) -> Value {
    json!({"exec": {"command": command}, "periodSeconds": period, "timeoutSeconds": 5, "failureThreshold": failures})
}

/// Whether the container is to live: a connection, which a starved process must not fail and a frozen one has to.
///
/// A command would run in the starved container and share its crumbs of CPU. A connection is taken by the kernel, and waits in a queue
/// until the process accepts it: Java's queue, and so both services', holds 51. Each probe puts one in.
///
/// - One with 1 % of a CPU accepts slowly, but accepts; if it never did, in two minutes the probes put in 48.
/// - A frozen one has its queue full after 51 x 5 s by this probe alone, in half of that by the readiness probe's too, at once under
///   a storm of clients. Then 12 failures are 60 s: 2 to 5 minutes, and the grace period of a process that cannot heed it.
///
/// Twelve, because a queue that is full for a moment (a collection of garbage while all clients come back) is no frozen process.
pub fn lives(port: i64) -> Value {
    connects(port, 5, 12)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::object::{Kind, Object};
    use crate::resources::{cluster, zookeeper_ensemble};

    fn liveness(objects: &[Object]) -> Value {
        let set = objects.iter().find(|object| object.kind() == Kind::StatefulSet).unwrap();
        set.at("/spec/template/spec/containers/0/livenessProbe").clone()
    }

    #[test]
    fn whether_a_container_lives_is_asked_of_its_port_and_never_by_a_command_in_it() {
        let member = liveness(&zookeeper_ensemble::objects::objects(&Default::default()));
        let broker = liveness(&cluster::objects::objects(&Default::default()));
        for (probe, port) in [(member, 2181), (broker, 9092)] {
            assert_eq!((probe.get("exec"), &probe["tcpSocket"]["port"]), (None, &Value::from(port)));
            let number = |name: &str| probe[name].as_i64().unwrap();
            // The queue of a frozen process by this probe alone, then the failures: about five minutes.
            let (period, failing) = (number("periodSeconds"), number("periodSeconds") * number("failureThreshold"));
            assert!(51 * period + failing <= 320, "{probe}");
            // One that accepts nothing for two minutes, with a readiness probe as frequent.
            assert!(2 * 120 / period < 51 && number("timeoutSeconds") <= period, "{probe}");
        }
    }
}

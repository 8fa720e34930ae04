//! The drill itself: the load runs from before the first step to after the last, pods go one at a time, and the next one goes only
//! when everything is whole again. Network.

use super::figures::duration;
use super::limits::{Halt, Limits};
use super::load::{Clock, Load, Plan};
use super::monitor::Monitor;
use super::order::{Order, Refused};
use super::recording::{Recording, Settings, StepRun};
use super::recovery::{Recovery, Taken};
use super::settle::settle;
use super::step::{How, Step, targets};
use super::znode::Znode;
use crate::kafka::NewTopic;
use crate::kubernetes::{Class, Delete, Eviction, Failure, Key, Kind};
use crate::stack::facts::{Facts, Pod, Service};
use crate::stack::site::Site;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// How long a stack may take to be whole after a pod was taken away. How long it should take is the verdict's to say.
const RECOVER: Duration = Duration::from_secs(300);
/// How long the first acknowledgement may take.
const FIRST: Duration = Duration::from_secs(60);
/// How long the load runs undisturbed before the first step.
const CALM: Duration = Duration::from_secs(2);
/// Between two looks at what gives no sign.
const LOOK: Duration = Duration::from_millis(200);

/// A drill under way.
pub(super) struct Drill<'a> {
    pub site: &'a Site,
    pub order: &'a Order,
    pub limits: &'a Limits,
    pub tell: &'a (dyn Fn(String) + Sync),
    pub name: &'a str,
}

/// What came of it.
pub(super) struct Conducted {
    pub recording: Recording,
    pub unread: Option<String>,
    pub halted: Option<Halt>,
}

/// What runs beside the steps.
struct Scene {
    load: Load,
    clock: Clock,
    monitor: Monitor,
    znode: Option<Znode>,
    steps: Vec<StepRun>,
}

impl Drill<'_> {
    /// Makes topic, znode and load, takes the steps, and ends the load. What was made is left to be cleaned up.
    ///
    /// # Errors
    /// When it came to no step.
    pub async fn conduct(&self) -> Result<Conducted, Refused> {
        self.make_topic().await?;
        let mut znode = self.limits.race(self.write_znode()).await??;
        (self.tell)("the load begins".to_owned());
        let load = self.limits.race(Load::start(self.plan(), self.site.brokers.dialer.clone())).await?;
        let load = load.map_err(Refused::Unprepared)?;
        let (began, clock) = (SystemTime::now(), load.clock());
        if let Some(znode) = &mut znode {
            znode.watch(clock);
        }
        let monitor = Monitor::start(self.site, self.name, clock);
        let mut scene = Scene { load, clock, monitor, znode, steps: Vec::new() };
        let halted = self.take_steps(&mut scene).await.err();
        (self.tell)("the load ends, and everything is read back".to_owned());
        let recorded = scene.load.stop(self.limits).await;
        let (found, unread) = match recorded.found {
            Ok(found) => (Some(found), None),
            Err(why) => (None, Some(why)),
        };
        let znode = match scene.znode {
            Some(znode) => self.limits.race(znode.end()).await.unwrap_or_default(),
            None => Vec::new(),
        };
        let recording = Recording {
            settings: self.settings(),
            began_unix_ms: began.duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(0)),
            ended: clock.now(),
            writes: recorded.writes,
            reads: recorded.reads,
            found,
            znode,
            samples: scene.monitor.samples(),
            steps: scene.steps,
        };
        Ok(Conducted { recording, unread, halted })
    }

    fn plan(&self) -> Plan {
        Plan {
            topic: self.name.to_owned(),
            pace: self.order.pace,
            acks: self.order.demands.acks,
            brokers: self.site.brokers.addresses(),
        }
    }

    fn settings(&self) -> Settings {
        let (demands, pace) = (&self.order.demands, self.order.pace);
        Settings {
            topic: self.name.to_owned(),
            partitions: i32::try_from(pace.partitions).unwrap_or(i32::MAX),
            replication_factor: i32::try_from(demands.replication_factor).unwrap_or(i32::MAX),
            min_insync_replicas: i32::try_from(demands.min_insync_replicas).unwrap_or(i32::MAX),
            acks: demands.acks.name().to_owned(),
            rate: pace.per_second,
        }
    }

    /// Makes the topic, and waits until all of it is in sync.
    async fn make_topic(&self) -> Result<(), Refused> {
        let demands = &self.order.demands;
        let configs = [
            ("min.insync.replicas", demands.min_insync_replicas.to_string()),
            // As it is sent, whatever the brokers' default: the drill's clients know no gzip and no zstd.
            ("compression.type", "producer".to_owned()),
            // Nothing of it goes while it is counted.
            ("cleanup.policy", "delete".to_owned()),
            ("retention.ms", "-1".to_owned()),
            ("retention.bytes", "-1".to_owned()),
        ];
        let new = NewTopic {
            name: self.name.to_owned(),
            partitions: i32::try_from(self.order.pace.partitions).unwrap_or(i32::MAX),
            replication_factor: i16::try_from(demands.replication_factor).unwrap_or(i16::MAX),
            configs: configs.map(|(key, value)| (key.to_owned(), value)).into(),
        };
        let made = self.limits.race(self.site.admin.create_topic(&new, false)).await?;
        made.map_err(|error| Refused::Unprepared(format!("topic {}: {error}", self.name)))?;
        settle(self.site, None, self.limits, FIRST).await.map(drop)
    }

    async fn write_znode(&self) -> Result<Option<Znode>, Refused> {
        let Some(ensemble) = &self.site.ensemble else { return Ok(None) };
        let written = Znode::write(ensemble, &format!("/{}", self.name)).await;
        written.map(Some).map_err(|error| Refused::Unprepared(format!("znode /{}: {error}", self.name)))
    }

    /// Takes the steps; a step that fails is the last one.
    async fn take_steps(&self, scene: &mut Scene) -> Result<(), Halt> {
        let begun = Instant::now();
        while scene.load.acknowledged() == 0 && begun.elapsed() < FIRST {
            self.limits.pause(LOOK).await?;
        }
        self.limits.pause(CALM).await?;
        for (i, step) in self.order.demands.steps.iter().enumerate() {
            (self.tell)(format!("step {} of {}: {}", i + 1, self.order.demands.steps.len(), step.kind.name()));
            self.take_step(scene, step).await?;
            if scene.steps.last().is_some_and(|run| run.error.is_some()) {
                break;
            }
        }
        Ok(())
    }

    async fn take_step(&self, scene: &mut Scene, step: &Step) -> Result<(), Halt> {
        let run = StepRun {
            kind: step.kind.name().to_owned(),
            how: step.how.name().to_owned(),
            began: scene.clock.now(),
            ..StepRun::default()
        };
        let chosen = self.whole("not everything is whole").await?;
        let pods = match chosen.and_then(|facts| targets(step, self.name, &facts)) {
            Ok(pods) => pods,
            Err(why) => {
                scene.steps.push(StepRun { ended: scene.clock.now(), error: Some(why), ..run });
                return Ok(());
            }
        };
        if pods.is_empty() {
            self.limits.pause(step.watch).await?;
            scene.steps.push(StepRun { how: String::new(), ended: scene.clock.now(), ..run.clone() });
        }
        for pod in pods {
            let run = StepRun { target: pod.name.clone(), began: scene.clock.now(), ..run.clone() };
            // It is in the recording from its beginning: an interrupt must not lose what was done.
            scene.steps.push(run);
            let done = self.take_away(scene, step, pod).await?;
            let ended = scene.clock.now();
            let Some(last) = scene.steps.last_mut() else { return Ok(()) };
            last.ended = ended;
            last.error = done.err();
            if last.error.is_some() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Waits until everything is whole; or says why it is not, after these words.
    async fn whole(&self, words: &str) -> Result<Result<Facts, String>, Halt> {
        match settle(self.site, None, self.limits, RECOVER).await {
            Ok(facts) => Ok(Ok(facts)),
            Err(Refused::Halted(halt)) => Err(halt),
            Err(refused) => Ok(Err(format!("{words}: {refused}"))),
        }
    }

    /// Takes one pod away, and follows what comes of it.
    async fn take_away(&self, scene: &mut Scene, step: &Step, pod: Pod) -> Result<Result<(), String>, Halt> {
        if let Err(why) = self.whole("not everything is whole").await? {
            return Ok(Err(why));
        }
        let taken = Taken::new(pod, &scene.monitor.seen().sample);
        if let Err(why) = self.remove(&taken.pod, step.how).await? {
            return Ok(Err(why));
        }
        let killed = scene.clock.now();
        if let Some(run) = scene.steps.last_mut() {
            run.killed = Some(killed);
        }
        (self.tell)(format!("{} is taken away ({})", taken.pod.name, step.how.name()));
        let recovered = self.follow(scene, &taken).await?;
        if let Some(znode) = &scene.znode {
            self.limits.race(znode.check(scene.clock, &format!("read after {}", step.kind.name()))).await?;
        }
        if recovered.is_ok() {
            (self.tell)(format!("everything is whole again after {}", duration(scene.clock.now() - killed)));
            self.limits.pause(step.watch).await?;
        }
        Ok(recovered)
    }

    /// Watches until everything is whole again, and notes when what was there.
    async fn follow(&self, scene: &mut Scene, taken: &Taken) -> Result<Result<(), String>, Halt> {
        let (end, mut recovery) = (Instant::now() + RECOVER, Recovery::default());
        while let Some(missing) = recovery.missing(taken) {
            let why = match (scene.load.is_full(), Instant::now() >= end) {
                (true, _) => Some("too many records to keep"),
                (false, true) => Some("it took too long"),
                (false, false) => None,
            };
            if let Some(why) = why {
                return Ok(Err(format!("{why}; waiting for {missing}")));
            }
            let seen = self.limits.race(scene.monitor.next()).await?;
            recovery.see(taken, &seen.sample, &seen.pods);
            if let Some(run) = scene.steps.last_mut() {
                (run.new_leader, run.full_isr) = (recovery.new_leader, recovery.full_isr);
                (run.quorum, run.ready) = (recovery.quorum, recovery.ready);
            }
        }
        Ok(self.whole("not everything came back").await?.map(drop))
    }

    /// Deletes or evicts a pod; only this very one.
    async fn remove(&self, pod: &Pod, how: How) -> Result<Result<(), String>, Halt> {
        let namespace = match (pod.service, &self.site.ensemble) {
            (Service::Zookeeper, Some(ensemble)) => &ensemble.namespace,
            _ => &self.site.brokers.namespace,
        };
        let key = Key::new(Kind::Pod, namespace.as_str(), pod.name.as_str());
        let end = Instant::now() + RECOVER;
        loop {
            let done = match how {
                How::Evict => {
                    let evicted = self.limits.race(self.site.kubernetes.evict(&key, &pod.uid, None)).await?;
                    evicted.map(|evicted| !matches!(evicted, Eviction::Held(_)))
                }
                How::Delete | How::Kill => {
                    let grace_seconds = (how == How::Kill).then_some(0);
                    let how = Delete { uid: Some(pod.uid.clone()), grace_seconds, ..Delete::default() };
                    self.limits.race(self.site.kubernetes.delete(&key, how)).await?
                }
            };
            match done {
                Ok(true) => return Ok(Ok(())),
                Ok(false) if how == How::Evict && Instant::now() < end => self.limits.pause(LOOK * 5).await?,
                Ok(false) if how == How::Evict => return Ok(Err("its PodDisruptionBudget does not let it go".to_owned())),
                Ok(false) | Err(Failure { class: Class::Stale, .. }) => {
                    return Ok(Err(format!("somebody else took {} away", pod.name)));
                }
                Err(failure) => return Ok(Err(failure.to_string())),
            }
        }
    }
}

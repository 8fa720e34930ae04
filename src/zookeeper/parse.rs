//! What a member writes -> what it means. Pure.

use std::collections::BTreeMap;
use std::str::FromStr;
use thiserror::Error;

/// A member's part in its ensemble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It orders the writes.
    Leader,
    /// It votes.
    Follower,
    /// It is alone.
    Standalone,
    /// It follows without a vote.
    Observer,
}

/// The answer to `srvr` of a member that serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Srvr {
    /// Its part.
    pub mode: Mode,
    /// ZooKeeper's release, as `3.9.5`.
    pub version: String,
    /// The last transaction that it has: epoch in the upper half, counter in the lower.
    pub zxid: u64,
    /// How many znodes there are.
    pub node_count: u64,
    /// Requests that wait.
    pub outstanding: u64,
    /// Clients, this question included.
    pub connections: u64,
}

/// The answer to `mntr`: every figure by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mntr(BTreeMap<String, String>);

/// Text that is not the answer to the word.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("unexpected answer {0:?}")]
pub struct Unparsable(String);

impl Unparsable {
    pub(super) fn new(text: &str) -> Self {
        Self(text.chars().take(120).collect())
    }
}

/// Said to every word but `ruok` while there is no quorum.
pub(super) fn not_serving(text: &str) -> bool {
    text.contains("This ZooKeeper instance is not currently serving requests")
}

/// `srvr is not executed because it is not in the whitelist.`
pub(super) fn not_allowed(text: &str) -> bool {
    text.contains("is not executed because it is not in the whitelist")
}

/// The last line of `srvr` is `Node count: N`.
pub(super) fn srvr_is_whole(text: &str) -> bool {
    text.ends_with('\n') && text.lines().next_back().is_some_and(|line| line.starts_with("Node count: "))
}

impl Mode {
    /// As ZooKeeper itself says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Leader => "leader",
            Self::Follower => "follower",
            Self::Standalone => "standalone",
            Self::Observer => "observer",
        }
    }
}

impl FromStr for Mode {
    type Err = Unparsable;

    /// `srvr` and `mntr` use the same words; a `mntr` of a member that may only be read adds ` (read-only)`.
    fn from_str(text: &str) -> Result<Self, Unparsable> {
        match text.split_whitespace().next() {
            Some("leader") => Ok(Self::Leader),
            Some("follower") => Ok(Self::Follower),
            Some("standalone") => Ok(Self::Standalone),
            Some("observer") => Ok(Self::Observer),
            _ => Err(Unparsable::new(text)),
        }
    }
}

impl FromStr for Srvr {
    type Err = Unparsable;

    fn from_str(text: &str) -> Result<Self, Unparsable> {
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).map(str::trim);
        let number = |name: &str| field(name)?.parse().ok();
        let read = || {
            let version = field("Zookeeper version")?.split(['-', ',', ' ']).next()?.to_owned();
            let zxid = u64::from_str_radix(field("Zxid")?.strip_prefix("0x")?, 16).ok()?;
            Some(Self {
                mode: field("Mode")?.parse().ok()?,
                version,
                zxid,
                node_count: number("Node count")?,
                outstanding: number("Outstanding")?,
                connections: number("Connections").unwrap_or_default(), // not there before 3.5
            })
        };
        read().ok_or_else(|| Unparsable::new(text))
    }
}

impl FromStr for Mntr {
    type Err = Unparsable;

    fn from_str(text: &str) -> Result<Self, Unparsable> {
        let pair = |line: &str| line.split_once('\t').map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
        let all: BTreeMap<_, _> = text.lines().filter_map(pair).collect();
        if all.contains_key("zk_version") { Ok(Self(all)) } else { Err(Unparsable::new(text)) }
    }
}

impl Mntr {
    /// A figure by its name, as `zk_avg_latency`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The member's part.
    pub fn mode(&self) -> Option<Mode> {
        self.get("zk_server_state")?.parse().ok()
    }

    /// How many followers have everything; only a leader knows. 3.4 and 3.9 write `2`, 3.5 `2.0`.
    pub fn synced_followers(&self) -> Option<u32> {
        let digits = self.get("zk_synced_followers")?.split('.').next()?;
        digits.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_leader_of_3_9_is_understood() {
        let text = "Zookeeper version: 3.9.5-abc, built on 2026-01-01 10:00 UTC\nLatency min/avg/max: 0/0.6/30\nReceived: 4\n\
            Sent: 3\nConnections: 2\nOutstanding: 1\nZxid: 0x2000000ff\nMode: leader\nProposal sizes last/min/max: 48/48/92\n\
            Node count: 130\n";
        assert!(srvr_is_whole(text));
        let (mode, version) = (Mode::Leader, "3.9.5".to_owned());
        let expected = Srvr { mode, version, zxid: 0x2_0000_00ff, node_count: 130, outstanding: 1, connections: 2 };
        assert_eq!(text.parse::<Srvr>().unwrap(), expected);
    }

    #[test]
    fn a_lone_member_of_3_4_is_understood() {
        let text = "Zookeeper version: 3.4.13-2d71af4dbe22557fda74f9a9b4309b15a7487f03, built on 06/29/2018\n\
            Latency min/avg/max: 0/0/0\nReceived: 1\nSent: 0\nConnections: 1\nOutstanding: 0\nZxid: 0x0\nMode: standalone\nNode count: 4\n";
        let found: Srvr = text.parse().unwrap();
        assert_eq!((found.mode, found.version.as_str(), found.zxid), (Mode::Standalone, "3.4.13", 0));
    }

    #[test]
    fn half_an_answer_is_not_whole() {
        assert!(!srvr_is_whole("Mode: leader\nNode count: 1"));
        assert!(!srvr_is_whole("Mode: leader\n"));
        assert!("Mode: leader\nNode count: 1\n".parse::<Srvr>().is_err());
    }

    #[test]
    fn a_followers_figures_have_no_synced_followers() {
        let found: Mntr = "zk_version\t3.9.5-abc\nzk_server_state\tfollower\nzk_znode_count\t5\n".parse().unwrap();
        assert_eq!(
            (found.mode(), found.synced_followers(), found.get("zk_znode_count")),
            (Some(Mode::Follower), None, Some("5"))
        );
        let leader: Mntr = "zk_version\t3.5.8\nzk_server_state\tleader\nzk_synced_followers\t2.0\n".parse().unwrap();
        assert_eq!(leader.synced_followers(), Some(2));
        assert!("zk_server_state leader".parse::<Mntr>().is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(Mode: |Zxid: 0x|Node count: |\\PC{0,20}|\n|\t){0,20}") {
            let _ = (text.parse::<Srvr>(), text.parse::<Mntr>(), srvr_is_whole(&text));
        }
    }
}

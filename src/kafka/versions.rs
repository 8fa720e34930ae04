//! A broker's ApiVersions table -> the version to speak of each API, and the Kafka release behind it. Pure.
//!
//! Versions are chosen by the table alone, never by a release or an image tag; the release is for people and for rules
//! that depend on a broker's behaviour.

use super::error::Error;
use super::release::Release;
use kafka_protocol::messages::ApiVersionsResponse;
use kafka_protocol::protocol::{Message, Request};
use std::collections::BTreeMap;

/// What a broker said that it can do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiTable(BTreeMap<i16, (i16, i16)>);

/// The first version of an API that came with a release: (release, API key, version), newest first.
///
/// Read off the tables that brokers of each release answer (2.2, 3.9 and 4.1 by ourselves, the others as published by
/// client projects that keep them); where one exists, an API that KRaft does not forward, because brokers cut forwarded
/// ones down to what their controller knows.
const FIRST_SEEN: &[(Release, i16, i16)] = &[
    (Release::new(4, 1), 0, 13), // Produce, KIP-516: topic ids
    (Release::new(4, 0), 0, 12), // Produce, KIP-890
    (Release::new(3, 9), 1, 17), // Fetch, KIP-853
    (Release::new(3, 8), 0, 11), // Produce, KIP-890
    (Release::new(3, 7), 1, 16), // Fetch, KIP-951
    (Release::new(3, 6), 24, 4), // AddPartitionsToTxn, KIP-890
    (Release::new(3, 5), 1, 15), // Fetch, KIP-903
    (Release::new(3, 4), 4, 7),  // LeaderAndIsr, KIP-866; in ZooKeeper mode only
    (Release::new(3, 3), 35, 4), // DescribeLogDirs, KIP-827
    (Release::new(3, 2), 11, 8), // JoinGroup, KIP-800
    (Release::new(3, 1), 1, 13), // Fetch, KIP-516
    (Release::new(3, 0), 2, 7),  // ListOffsets, KIP-734
    (Release::new(2, 8), 0, 9),  // Produce, KIP-482
    (Release::new(2, 7), 1, 12), // Fetch, KIP-595
    (Release::new(2, 6), 16, 4), // ListGroups, KIP-518
    (Release::new(2, 5), 11, 7), // JoinGroup, KIP-559
    (Release::new(2, 4), 0, 8),  // Produce, KIP-467
    (Release::new(2, 3), 1, 11), // Fetch, KIP-392
    (Release::new(2, 2), 2, 5),  // ListOffsets, KIP-207
    (Release::new(2, 1), 1, 10), // Fetch, KIP-110
    (Release::new(2, 0), 1, 8),  // Fetch, KIP-219
    (Release::new(1, 1), 1, 7),  // Fetch, KIP-227
    (Release::new(1, 0), 3, 5),  // Metadata, KIP-112
];

/// Name and first release of the APIs that this client speaks.
const KNOWN: &[(i16, &str, Release)] = &[
    (3, "Metadata", Release::new(0, 8)),
    (18, "ApiVersions", Release::new(0, 10)),
    (19, "CreateTopics", Release::new(0, 10)),
    (20, "DeleteTopics", Release::new(0, 10)),
    (32, "DescribeConfigs", Release::new(0, 11)),
    (33, "AlterConfigs", Release::new(0, 11)),
    (35, "DescribeLogDirs", Release::new(1, 0)),
    (37, "CreatePartitions", Release::new(1, 0)),
    (44, "IncrementalAlterConfigs", Release::new(2, 3)),
    (45, "AlterPartitionReassignments", Release::new(2, 4)),
    (46, "ListPartitionReassignments", Release::new(2, 4)),
];

/// An API's name in Kafka's documentation.
pub fn api_name(key: i16) -> &'static str {
    KNOWN.iter().find(|(k, ..)| *k == key).map_or("an unknown API", |(_, name, _)| name)
}

impl ApiTable {
    /// The table of an answer.
    pub fn new(answer: &ApiVersionsResponse) -> Self {
        Self(answer.api_keys.iter().map(|api| (api.api_key, (api.min_version, api.max_version))).collect())
    }

    /// A table of (key, min, max).
    pub fn of(rows: impl IntoIterator<Item = (i16, i16, i16)>) -> Self {
        Self(rows.into_iter().map(|(key, min, max)| (key, (min, max))).collect())
    }

    /// (min, max) of an API; none where the broker has none.
    pub fn offered(&self, key: i16) -> Option<(i16, i16)> {
        self.0.get(&key).copied()
    }

    /// The newest version of `R` that both sides speak.
    ///
    /// # Errors
    /// `Error::Unsupported` with the API and the first release that has it.
    pub fn version<R: Request>(&self) -> Result<i16, Error> {
        let ours = <R as Message>::VERSIONS;
        self.offered(R::KEY)
            .map(|(min, max)| (min.max(ours.min), max.min(ours.max)))
            .filter(|(min, max)| min <= max)
            .map(|(_, max)| max)
            .ok_or_else(|| Error::Unsupported {
                api: api_name(R::KEY),
                since: KNOWN.iter().find(|(key, ..)| *key == R::KEY).map_or(Release::new(0, 8), |(.., since)| *since),
                found: self.release(),
            })
    }

    /// The newest known release whose mark the table bears: a release newer than those known here reads as the newest
    /// known one, one older than 1.0 as 0.10. In KRaft mode 3.4 reads as 3.3.
    pub fn release(&self) -> Release {
        let bears = |key: i16, version: i16| self.offered(key).is_some_and(|(_, max)| max >= version);
        FIRST_SEEN.iter().find(|(_, key, version)| bears(*key, *version)).map_or(Release::new(0, 10), |(release, ..)| *release)
    }

    /// Whether the broker keeps its metadata in ZooKeeper: then it takes orders from a controller by LeaderAndIsr (4),
    /// and the controller that it names is the real one.
    pub fn zookeeper_mode(&self) -> bool {
        self.offered(4).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_protocol::messages::{CreateTopicsRequest, IncrementalAlterConfigsRequest, MetadataRequest};

    /// The rows of FIRST_SEEN's APIs as brokers of each release answer them: key -> max.
    const SEEN: &[(Release, &[(i16, i16)])] = &[
        (Release::new(1, 1), &[(0, 5), (1, 7), (2, 2), (3, 5), (4, 1), (11, 2), (16, 1), (24, 0), (35, 0)]),
        (Release::new(2, 0), &[(0, 6), (1, 8), (2, 3), (3, 6), (4, 1), (11, 3), (16, 2), (24, 1), (35, 1)]),
        (Release::new(2, 1), &[(0, 7), (1, 10), (2, 4), (3, 7), (4, 1), (11, 3), (16, 2), (24, 1), (35, 1)]),
        (Release::new(2, 2), &[(0, 7), (1, 10), (2, 5), (3, 7), (4, 2), (11, 4), (16, 2), (24, 1), (35, 1)]),
        (Release::new(2, 3), &[(0, 7), (1, 11), (2, 5), (3, 8), (4, 2), (11, 5), (16, 2), (24, 1), (35, 1)]),
        (Release::new(2, 4), &[(0, 8), (1, 11), (2, 5), (3, 9), (4, 4), (11, 6), (16, 3), (24, 1), (35, 1)]),
        (Release::new(2, 5), &[(0, 8), (1, 11), (2, 5), (3, 9), (4, 4), (11, 7), (16, 3), (24, 1), (35, 1)]),
        (Release::new(2, 6), &[(0, 8), (1, 11), (2, 5), (3, 9), (4, 4), (11, 7), (16, 4), (24, 1), (35, 2)]),
        (Release::new(2, 7), &[(0, 8), (1, 12), (2, 5), (3, 9), (4, 4), (11, 7), (16, 4), (24, 2), (35, 2)]),
        (Release::new(2, 8), &[(0, 9), (1, 12), (2, 6), (3, 11), (4, 5), (11, 7), (16, 4), (24, 3), (35, 2)]),
        (Release::new(3, 0), &[(0, 9), (1, 12), (2, 7), (3, 11), (4, 5), (11, 7), (16, 4), (24, 3), (35, 2)]),
        (Release::new(3, 1), &[(0, 9), (1, 13), (2, 7), (3, 12), (4, 5), (11, 7), (16, 4), (24, 3), (35, 2)]),
        (Release::new(3, 2), &[(0, 9), (1, 13), (2, 7), (3, 12), (4, 6), (11, 9), (16, 4), (24, 3), (35, 3)]),
        (Release::new(3, 3), &[(0, 9), (1, 13), (2, 7), (3, 12), (4, 6), (11, 9), (16, 4), (24, 3), (35, 4)]),
        (Release::new(3, 4), &[(0, 9), (1, 13), (2, 7), (3, 12), (4, 7), (11, 9), (16, 4), (24, 3), (35, 4)]),
        (Release::new(3, 5), &[(0, 9), (1, 15), (2, 8), (3, 12), (4, 7), (11, 9), (16, 4), (24, 3), (35, 4)]),
        (Release::new(3, 6), &[(0, 9), (1, 15), (2, 8), (3, 12), (4, 7), (11, 9), (16, 4), (24, 4), (35, 4)]),
        (Release::new(3, 7), &[(0, 10), (1, 16), (2, 8), (3, 12), (4, 7), (11, 9), (16, 4), (24, 4), (35, 4)]),
        (Release::new(3, 8), &[(0, 11), (1, 16), (2, 8), (3, 12), (4, 7), (11, 9), (16, 5), (24, 5), (35, 4)]),
        (Release::new(3, 9), &[(0, 11), (1, 17), (2, 9), (3, 12), (4, 7), (11, 9), (16, 5), (24, 5), (35, 4)]),
        (Release::new(4, 0), &[(0, 12), (1, 17), (2, 10), (3, 13), (11, 9), (16, 5), (24, 5), (35, 4)]),
        (Release::new(4, 1), &[(0, 13), (1, 18), (2, 10), (3, 13), (11, 9), (16, 5), (24, 5), (35, 4)]),
    ];

    #[test]
    fn every_release_is_told_from_its_neighbours() {
        for (release, rows) in SEEN {
            let table = ApiTable::of(rows.iter().map(|(key, max)| (*key, 0, *max)));
            assert_eq!(table.release(), *release);
            assert_eq!(table.zookeeper_mode(), *release < Release::new(4, 0), "{release}");
        }
    }

    #[test]
    fn the_newest_version_that_both_sides_speak_is_chosen() {
        assert_eq!(ApiTable::of([(3, 0, 7)]).version::<MetadataRequest>().unwrap(), 7);
        assert_eq!(ApiTable::of([(3, 0, 99)]).version::<MetadataRequest>().unwrap(), 13);
        assert_eq!(ApiTable::of([(19, 2, 3)]).version::<CreateTopicsRequest>().unwrap(), 3);
    }

    #[test]
    fn an_api_that_is_not_offered_is_named_with_its_first_release() {
        let error = ApiTable::of([(2, 0, 5)]).version::<IncrementalAlterConfigsRequest>().unwrap_err();
        assert_eq!(error.to_string(), "IncrementalAlterConfigs needs Kafka 2.3 or later, and the broker is Kafka 2.2");
        let too_old = ApiTable::of([(19, 0, 1)]).version::<CreateTopicsRequest>();
        assert!(matches!(too_old, Err(Error::Unsupported { api: "CreateTopics", .. })));
    }
}

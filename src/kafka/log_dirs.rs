//! What brokers keep on their disks (DescribeLogDirs, KIP-113; size of the volume since 3.3, KIP-827). Touches the network.

use super::admin::Admin;
use super::error::{Error, Refusal, Resource};
use super::pool::Lane;
use super::router::Target;
use super::versions::api_name;
use kafka_protocol::messages::describe_log_dirs_response::DescribeLogDirsResult;
use kafka_protocol::messages::{DescribeLogDirsRequest, DescribeLogDirsResponse};

/// DescribeLogDirs.
const KEY: i16 = 35;

/// A directory in which a broker keeps partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogDir {
    /// Its path in the broker's pod.
    pub path: String,
    /// Whether the broker can use it.
    pub online: bool,
    /// What its partitions take, in bytes.
    pub bytes: u64,
    /// Size of the volume, in bytes; none from brokers before 3.3.
    pub total: Option<u64>,
    /// What is left of it, in bytes; none from brokers before 3.3.
    pub usable: Option<u64>,
}

impl Admin {
    /// The directories of one broker, from itself: no other one knows them.
    ///
    /// # Errors
    /// `Error::NoSuchBroker`; when it cannot be asked, or refuses.
    pub async fn log_dirs(&self, broker: i32) -> Result<Vec<LogDir>, Error> {
        let build = |_, _| DescribeLogDirsRequest::default().with_topics(None);
        let read = |answer: DescribeLogDirsResponse, _| {
            Refusal::check(api_name(KEY), Resource::Broker(broker), answer.error_code, None)?;
            Ok(answer.results.iter().map(LogDir::new).collect())
        };
        self.router.ask(Target::Broker(broker), Lane::Read, &build, &read).await
    }
}

impl LogDir {
    fn new(answer: &DescribeLogDirsResult) -> Self {
        let partitions = answer.topics.iter().flat_map(|topic| &topic.partitions);
        Self {
            path: answer.log_dir.to_string(),
            online: answer.error_code == 0,
            bytes: partitions.filter_map(|partition| u64::try_from(partition.partition_size).ok()).sum(),
            // -1 where the broker does not know, and the default of a version that has no such field.
            total: u64::try_from(answer.total_bytes).ok(),
            usable: u64::try_from(answer.usable_bytes).ok(),
        }
    }
}

//! Finds a cluster: its anchor tells where its brokers are, and by which id its Kafka is told from another one that answers under
//! its names. Network.

use super::names::Id;
use super::profile::Profile;
use super::{Stack, Target};
use crate::kubernetes::failure::Failure;
use crate::kubernetes::object::Object;

/// The resource's type of a cluster, without the provider's name.
pub const CLUSTER: &str = "cluster";
/// The resource's type of an ensemble, without the provider's name.
pub const ENSEMBLE: &str = "zookeeper_ensemble";

/// Kafka's own id of the cluster whose anchor this is; none where it is not known, or was taken out.
pub fn cluster_id(anchor: &Object) -> Option<String> {
    Some(anchor.text("/data/cluster_id")).filter(|id| !id.is_empty()).map(str::to_owned)
}

impl Stack {
    /// What the anchor says of a workload that is such a resource; none where there is no such one that the provider made.
    ///
    /// # Errors
    /// When Kubernetes does not say.
    pub async fn profile(&self, id: &Id, resource: &str) -> Result<Option<Profile>, Failure> {
        let anchor = self.kubernetes.get(&id.anchor()).await?;
        Ok(anchor.and_then(|anchor| Profile::read(&anchor, resource)))
    }

    /// A cluster by its anchor.
    pub(super) async fn anchored(&self, id: &Id) -> Result<Option<(Target, Profile)>, Failure> {
        let Some(anchor) = self.kubernetes.get(&id.anchor()).await? else { return Ok(None) };
        let Some(profile) = Profile::read(&anchor, CLUSTER) else { return Ok(None) };
        let cluster_id = self.proof(profile.ephemeral, cluster_id(&anchor));
        let target = Target { id: id.clone(), port: profile.port, brokers: profile.replicas, cluster_id };
        Ok(Some((target, profile)))
    }

    /// Where the brokers of a cluster are. Without its anchor, `remembered` counts as long as there is a StatefulSet of that name.
    /// None: there is no such cluster.
    ///
    /// # Errors
    /// When Kubernetes does not say.
    pub async fn cluster(&self, id: &Id, remembered: Option<Target>) -> Result<Option<Target>, Failure> {
        if let Some((target, _)) = self.anchored(id).await? {
            return Ok(Some(target));
        }
        let set = self.kubernetes.get(&id.set()).await?;
        Ok(remembered.filter(|_| set.is_some()))
    }

    /// The id that a cluster's Kafka has to prove, of what its anchor says.
    pub fn proof(&self, ephemeral: bool, noted: Option<String>) -> Option<String> {
        // What keeps its data in its pods is another Kafka when all of them are new; through the tunnel these are its own.
        let passing = ephemeral && !self.is_direct();
        noted.filter(|_| !passing)
    }
}

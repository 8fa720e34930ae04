//! The provider block: its settings -> the [`Stack`] that resources are given; and the list of what there is. Opens no
//! connection: a plan of what is not there yet needs none.

use crate::diagnostics;
use crate::kubernetes::settings::{Exec as ExecSettings, Settings};
use crate::kubernetes::{Kubernetes, Origin};
use crate::plugin::diagnostic::Diagnostics;
use crate::plugin::model::{Attr, Typed};
use crate::plugin::provider::{Offers, Provider};
use crate::plugin::schema::{optional, required};
use crate::resources::{cluster, drift, ha_drill, health, storage, topic, zookeeper_ensemble};
use crate::secret::Secret;
use crate::stack::{Access, Stack};
use crate::{choice, model};
use std::collections::BTreeMap;

model! {
    /// A command that prints credentials, as in a kubeconfig.
    pub struct Exec {
        /// The version of the protocol, such as `client.authentication.k8s.io/v1`.
        api_version: String = required(),
        /// The command. It gets no standard input.
        command: String = required(),
        /// Its arguments.
        args: Vec<String> = optional(),
        /// More environment variables.
        env: BTreeMap<String, String> = optional(),
    }
}

model! {
    /// Which Kubernetes cluster, and as whom. What is set here goes before the environment (`KUBECONFIG`,
    /// `KUBE_CONFIG_PATH`, `KUBE_CTX`, `KUBE_HOST`, `KUBE_TOKEN`, ...), that before `~/.kube/config`, and that before the
    /// service account of a pod.
    pub struct KubernetesSettings {
        /// The kubeconfig file.
        config_path: String = optional(),
        /// Several kubeconfig files, merged in this order.
        config_paths: Vec<String> = optional(),
        /// The context; otherwise the file's current one.
        config_context: String = optional(),
        /// The API server, such as `https://10.0.0.1:6443`.
        host: String = optional(),
        /// A bearer token.
        token: String = optional().sensitive(),
        /// The certificate authority of the API server, PEM.
        cluster_ca_certificate: String = optional(),
        /// The client's certificate, PEM.
        client_certificate: String = optional(),
        /// The client's key, PEM.
        client_key: String = optional().sensitive(),
        /// Do not check the API server's certificate. For tests.
        insecure: bool = optional(),
        /// A proxy: `http://host:3128` or `socks5://host:1080`.
        proxy_url: String = optional(),
        /// The name that the API server's certificate has, where it is not that of `host`.
        tls_server_name: String = optional(),
        /// A command that prints credentials.
        exec: Exec = optional(),
    }
}

choice! {
    /// How brokers are reached.
    pub enum Way {
        /// Whichever fits where the provider runs.
        Auto = "auto",
        /// Through the Kubernetes API server.
        PortForward = "port_forward",
        /// By their own names.
        Direct = "direct",
    }
}

model! {
    /// How brokers are reached.
    pub struct KafkaSettings {
        /// `port_forward`: through the Kubernetes API server, so that no listener has to be exposed; `direct`: by the brokers'
        /// own names, from inside the cluster's network; `auto` (the default): `direct` where the provider runs in a pod and
        /// uses that pod's service account, for then it is inside; `port_forward` wherever a kubeconfig, host or variable says
        /// which Kubernetes cluster.
        access: Way = optional(),
        /// Brokers of a cluster that is not a `kafkastack_cluster`, as `host:port`, for topics that name no `cluster`. They are
        /// reached directly.
        bootstrap_servers: Vec<String> = optional().check(bootstrap_servers),
    }
}

model! {
    /// A Kafka cluster, its ZooKeeper ensemble, the storage of both and the topics inside, on any Kubernetes cluster: no
    /// operator, no helm, no exposed listener.
    pub struct ProviderSettings {
        /// The Kubernetes cluster.
        kubernetes: KubernetesSettings = optional(),
        /// How brokers are reached.
        kafka: KafkaSettings = optional(),
    }
}

/// The provider.
#[derive(Debug)]
pub struct Kafkastack;

impl Provider for Kafkastack {
    type Model = ProviderSettings;
    type Client = Stack;
    const NAME: &'static str = "kafkastack";

    async fn configure(&self, config: ProviderSettings) -> Result<Option<Stack>, Diagnostics> {
        // Settings may come from what this very run makes: then there is no client before apply.
        if !config.encode().is_wholly_known() {
            return Ok(None);
        }
        let kafka = config.kafka.unwrap_or_default();
        let servers = kafka.bootstrap_servers.unwrap_or_default().iter().filter_map(|server| host_and_port(server)).collect();
        let (kubernetes, origin) = match Kubernetes::connect(&settings(&config.kubernetes.unwrap_or_default())).await {
            Ok(connected) => connected,
            // Topics of a Kafka cluster that is reached directly need no Kubernetes cluster.
            Err(error) if config.kubernetes.is_null() && !kafka.bootstrap_servers.is_null() => {
                (Kubernetes::not_configured(error), Origin::default())
            }
            Err(error) => return Err(diagnostics::not_configured(&error).into()),
        };
        Ok(Some(Stack::new(kubernetes, access(kafka.access.unwrap_or(Way::Auto), origin), servers)))
    }

    fn offers(&self) -> Offers<Stack> {
        Offers::of([
            storage::offers(),
            zookeeper_ensemble::offers(),
            cluster::offers(),
            topic::offers(),
            ha_drill::offers(),
            drift::offers(),
            health::offers(),
        ])
    }
}

/// A pod's own network has the brokers' names, and a runner's pod may be in another cluster than the one it works on: there the
/// same names lead to another Kafka, or nowhere.
fn access(way: Way, origin: Origin) -> Access {
    match (way, origin) {
        (Way::Direct, _) | (Way::Auto, Origin::ServiceAccount) => Access::Direct,
        (Way::PortForward, _) | (Way::Auto, Origin::Named) => Access::PortForward,
    }
}

fn settings(given: &KubernetesSettings) -> Settings {
    let text = |attr: &Attr<String>| attr.known().cloned();
    let secret = |attr: &Attr<String>| attr.known().cloned().map(Secret::new);
    let mut config_paths = given.config_paths.unwrap_or_default();
    config_paths.extend(text(&given.config_path));
    Settings {
        config_paths,
        config_context: text(&given.config_context),
        host: text(&given.host),
        token: secret(&given.token),
        cluster_ca_certificate: text(&given.cluster_ca_certificate),
        client_certificate: text(&given.client_certificate),
        client_key: secret(&given.client_key),
        exec: given.exec.known().map(|exec| ExecSettings {
            api_version: exec.api_version.text().to_owned(),
            command: exec.command.text().to_owned(),
            args: exec.args.unwrap_or_default(),
            env: exec.env.unwrap_or_default(),
        }),
        insecure: given.insecure.known().copied(),
        proxy_url: text(&given.proxy_url),
        tls_server_name: text(&given.tls_server_name),
    }
}

/// `host:port`.
fn host_and_port(text: &str) -> Option<(String, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    Some((host.to_owned(), port.parse().ok().filter(|port| *port > 0)?)).filter(|_| !host.is_empty())
}

fn bootstrap_servers(servers: &[String]) -> Result<(), String> {
    match servers.iter().find(|server| host_and_port(server).is_none()) {
        Some(bad) => Err(format!("{bad:?} is not `host:port`.")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_is_direct_only_where_the_client_came_from_the_pods_own_service_account() {
        let is_direct = |way, origin| matches!(access(way, origin), Access::Direct);
        assert!(is_direct(Way::Auto, Origin::ServiceAccount));
        assert!(!is_direct(Way::Auto, Origin::Named));
        for origin in [Origin::ServiceAccount, Origin::Named] {
            assert!(is_direct(Way::Direct, origin));
            assert!(!is_direct(Way::PortForward, origin));
        }
    }
}

//! Which cluster, and as whom: the provider's settings and the environment turned into one source of configuration. Pure.
//!
//! Names and meaning are those that users of the hashicorp/kubernetes provider know. What is set explicitly goes before the
//! environment, that before `~/.kube/config`, and that before the service account of a pod.

use crate::secret::Secret;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// What the user set, all optional.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Kubeconfig files, merged in this order (`config_path`, `config_paths`).
    pub config_paths: Vec<String>,
    /// The context; otherwise the file's current one.
    pub config_context: Option<String>,
    /// The API server: `https://host:6443`.
    pub host: Option<String>,
    /// A bearer token.
    pub token: Option<Secret<String>>,
    /// PEM.
    pub cluster_ca_certificate: Option<String>,
    /// PEM.
    pub client_certificate: Option<String>,
    /// PEM.
    pub client_key: Option<Secret<String>>,
    /// A command that prints credentials.
    pub exec: Option<Exec>,
    /// Do not check the server's certificate.
    pub insecure: Option<bool>,
    /// `http://proxy:3128` or `socks5://proxy:1080`.
    pub proxy_url: Option<String>,
    /// The name that the server's certificate must have.
    pub tls_server_name: Option<String>,
}

/// A command that prints credentials, as in a kubeconfig.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exec {
    /// `client.authentication.k8s.io/v1`
    pub api_version: String,
    /// The command.
    pub command: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Set in its environment.
    pub env: BTreeMap<String, String>,
}

/// Why there is no connection to any cluster. Names files, contexts and commands, never contents.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Nothing says which cluster.
    #[error(
        "no cluster is configured: set config_path or host, or KUBECONFIG, KUBE_CONFIG_PATH or KUBE_HOST in the environment; {default} does not exist"
    )]
    Nothing {
        /// Where the default kubeconfig would be.
        default: String,
    },
    /// A kubeconfig cannot be read.
    #[error("kubeconfig {file}: {why}")]
    Unreadable {
        /// Its path.
        file: String,
        /// The system's words.
        why: String,
    },
    /// A file is there but is not a kubeconfig.
    #[error("{file} is not a kubeconfig")]
    Malformed {
        /// Its path.
        file: String,
    },
    /// The context that was asked for is not there. Another one is never taken instead.
    #[error("context {context:?} is not in {files}; there are: {there}")]
    NoContext {
        /// The context.
        context: String,
        /// The files looked at.
        files: String,
        /// The contexts in them.
        there: String,
    },
    /// No context was asked for and the files name no current one.
    #[error("{files} names no current context; set config_context to one of: {there}")]
    NoCurrentContext {
        /// The files looked at.
        files: String,
        /// The contexts in them.
        there: String,
    },
    /// A context's cluster or user is not as it should be.
    #[error("context {context:?} in {files}: {why}")]
    BrokenContext {
        /// The context.
        context: String,
        /// The files looked at.
        files: String,
        /// What is wrong.
        why: String,
    },
    /// A setting has a value that cannot be used.
    #[error("{setting}: {why}")]
    Setting {
        /// Its name.
        setting: &'static str,
        /// What is wrong with it, without the value.
        why: String,
    },
    /// The command that prints credentials failed.
    #[error("credentials: {0}")]
    Credentials(String),
}

/// Where the configuration comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// These files, named by that setting or variable.
    Files {
        /// Merged in this order.
        paths: Vec<PathBuf>,
        /// Whether files that do not exist are passed over as long as there is one.
        lenient: bool,
    },
    /// No file: host and credentials are all there is.
    Host,
    /// `~/.kube/config` when it is there, otherwise the pod's service account when in a pod.
    Default {
        /// The file.
        file: PathBuf,
        /// Whether this is a pod.
        in_cluster: bool,
    },
}

/// Whose word it is that a client goes by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// Settings, the environment or a file: the cluster may be any, wherever the provider runs.
    #[default]
    Named,
    /// The service account of the pod that the provider runs in: the cluster is the one around it.
    ServiceAccount,
}

impl Source {
    /// Whose word it is; `is_there` tells whether the default file exists.
    pub fn origin(&self, is_there: impl Fn(&Path) -> bool) -> Origin {
        match self {
            Self::Default { file, in_cluster: true } if !is_there(file) => Origin::ServiceAccount,
            Self::Default { .. } | Self::Files { .. } | Self::Host => Origin::Named,
        }
    }
}

/// Reads the environment where the settings leave something open.
///
/// A kubeconfig that is named explicitly is taken as it is: host and credentials in the environment are about another cluster.
/// The variables are those of the hashicorp/kubernetes provider, then `KUBECONFIG`.
pub fn resolve(settings: &Settings, env: &BTreeMap<String, String>, home: &Path) -> (Settings, Source) {
    let get = |name: &str| env.get(name).filter(|value| !value.is_empty()).cloned();
    let files_are_explicit = !settings.config_paths.is_empty();
    let mut whole = settings.clone();
    whole.config_context = whole.config_context.or_else(|| get("KUBE_CTX"));
    if !files_are_explicit {
        from_environment(&mut whole, get);
    }
    let separator = if cfg!(windows) { ';' } else { ':' };
    let from_env = ["KUBE_CONFIG_PATHS", "KUBE_CONFIG_PATH", "KUBECONFIG"].into_iter().find_map(get);
    let split = |list: &str| list.split(separator).filter(|path| !path.is_empty()).map(|path| expand(path, home)).collect();
    let source = if files_are_explicit {
        Source::Files { paths: settings.config_paths.iter().map(|path| expand(path, home)).collect(), lenient: false }
    } else if settings.host.is_some() {
        Source::Host
    } else if let Some(list) = from_env {
        Source::Files { paths: split(&list), lenient: true }
    } else if whole.host.is_some() {
        Source::Host
    } else {
        Source::Default { file: home.join(".kube/config"), in_cluster: get("KUBERNETES_SERVICE_HOST").is_some() }
    };
    (whole, source)
}

fn from_environment(settings: &mut Settings, get: impl Fn(&str) -> Option<String>) {
    let fill = |slot: &mut Option<String>, name: &str| {
        if slot.is_none() {
            *slot = get(name);
        }
    };
    fill(&mut settings.host, "KUBE_HOST");
    fill(&mut settings.cluster_ca_certificate, "KUBE_CLUSTER_CA_CERT_DATA");
    fill(&mut settings.proxy_url, "KUBE_PROXY_URL");
    fill(&mut settings.tls_server_name, "KUBE_TLS_SERVER_NAME");
    settings.insecure = settings.insecure.or_else(|| get("KUBE_INSECURE").map(|text| text == "true" || text == "1"));
    // One way to say who we are: credentials of the environment never mix with explicit ones.
    if settings.token.is_none() && settings.exec.is_none() && settings.client_certificate.is_none() {
        settings.token = get("KUBE_TOKEN").map(Secret::new);
        settings.client_certificate = get("KUBE_CLIENT_CERT_DATA");
        settings.client_key = settings.client_key.take().or_else(|| get("KUBE_CLIENT_KEY_DATA").map(Secret::new));
    }
}

fn expand(path: &str, home: &Path) -> PathBuf {
    match path.strip_prefix('~') {
        Some("") => home.to_owned(),
        Some(rest) if rest.starts_with('/') => home.join(rest.trim_start_matches('/')),
        _ => PathBuf::from(path),
    }
}

/// Whether `NO_PROXY` excepts this host: names and their subdomains, addresses, CIDR ranges, `*`; the loopback always.
pub(super) fn bypasses_proxy(no_proxy: &str, host: &str) -> bool {
    let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
    let address: Option<std::net::IpAddr> = host.parse().ok();
    if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
        return true;
    }
    no_proxy.split([',', ' ']).map(|entry| entry.trim().to_ascii_lowercase()).filter(|entry| !entry.is_empty()).any(|entry| {
        let domain = entry.trim_start_matches("*.").trim_start_matches('.');
        entry == "*"
            || domain == host
            || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
            || address.is_some_and(|address| in_range(&entry, address))
    })
}

fn in_range(range: &str, address: std::net::IpAddr) -> bool {
    let Some((network, length)) = range.split_once('/') else { return false };
    let (Ok(network), Ok(length)) = (network.parse::<std::net::IpAddr>(), length.parse::<u32>()) else { return false };
    let bits = |address| match address {
        std::net::IpAddr::V4(address) => (u128::from(std::net::Ipv4Addr::to_bits(address)) << 96, 32),
        std::net::IpAddr::V6(address) => (std::net::Ipv6Addr::to_bits(address), 128),
    };
    let ((network, width), (address, own_width)) = (bits(network), bits(address));
    let mask = u128::MAX.checked_shl(128 - length.min(width)).unwrap_or(0);
    width == own_width && network & mask == address & mask
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn source(settings: &Settings, pairs: &[(&str, &str)]) -> Source {
        resolve(settings, &env(pairs), Path::new("/home/me")).1
    }

    fn files(paths: &[&str], lenient: bool) -> Source {
        Source::Files { paths: paths.iter().map(PathBuf::from).collect(), lenient }
    }

    #[test]
    fn explicit_settings_go_before_the_environment_that_before_the_default_file_and_that_before_the_pod() {
        let none = Settings::default();
        let explicit = Settings { config_paths: vec!["~/a".into()], ..Settings::default() };
        let host = Settings { host: Some("https://h".into()), ..Settings::default() };
        let all =
            [("KUBE_CONFIG_PATH", "/p"), ("KUBECONFIG", "/k:/l"), ("KUBE_HOST", "https://e"), ("KUBERNETES_SERVICE_HOST", "x")];
        assert_eq!(source(&explicit, &all), files(&["/home/me/a"], false));
        assert_eq!(source(&host, &all), Source::Host);
        assert_eq!(source(&none, &all), files(&["/p"], true));
        assert_eq!(source(&none, &all[1..]), files(&["/k", "/l"], true));
        assert_eq!(source(&none, &all[2..]), Source::Host);
        let default = |in_cluster| Source::Default { file: "/home/me/.kube/config".into(), in_cluster };
        assert_eq!(source(&none, &all[3..]), default(true));
        assert_eq!(source(&none, &[("KUBECONFIG", "")]), default(false));
    }

    #[test]
    fn only_a_pod_that_nothing_else_speaks_for_goes_by_its_service_account() {
        let in_a_pod = ("KUBERNETES_SERVICE_HOST", "10.96.0.1");
        let origin =
            |settings: &Settings, more: &[(&str, &str)]| source(settings, &[&[in_a_pod], more].concat()).origin(|_| false);
        let none = Settings::default();
        assert_eq!(origin(&none, &[]), Origin::ServiceAccount);
        assert_eq!(source(&none, &[]).origin(|_| false), Origin::Named, "not in a pod");
        let default = Path::new("/home/me/.kube/config");
        assert_eq!(source(&none, &[in_a_pod]).origin(|file| file == default), Origin::Named, "the default file is there");
        for named in ["KUBE_CONFIG_PATH", "KUBE_CONFIG_PATHS", "KUBECONFIG", "KUBE_HOST"] {
            assert_eq!(origin(&none, &[(named, "https://elsewhere")]), Origin::Named, "{named}");
        }
        let file = Settings { config_paths: vec!["/a".into()], ..Settings::default() };
        let host = Settings { host: Some("https://10.96.0.1".into()), ..Settings::default() };
        assert_eq!([origin(&file, &[]), origin(&host, &[])], [Origin::Named; 2]);
    }

    #[test]
    fn the_environment_does_not_send_its_credentials_to_the_cluster_of_an_explicit_file() {
        let explicit = Settings { config_paths: vec!["/a".into()], ..Settings::default() };
        let pairs = env(&[("KUBE_TOKEN", "t"), ("KUBE_HOST", "https://e"), ("KUBE_CTX", "prod")]);
        let (whole, _) = resolve(&explicit, &pairs, Path::new("/"));
        assert_eq!(whole, Settings { config_context: Some("prod".into()), ..explicit });
        let (whole, _) = resolve(&Settings { host: Some("https://h".into()), ..Settings::default() }, &pairs, Path::new("/"));
        assert_eq!((whole.host.as_deref(), whole.token), (Some("https://h"), Some(Secret::new("t".to_owned()))));
        let exec = Settings { exec: Some(Exec::default()), ..Settings::default() };
        assert_eq!(resolve(&exec, &pairs, Path::new("/")).0.token, None);
    }

    #[test]
    fn a_host_without_proxy_is_a_name_a_subdomain_an_address_or_a_range() {
        for (list, host, bypasses) in [
            ("", "example.com", false),
            ("", "127.0.0.1", true),
            ("", "[::1]", true),
            ("example.com", "api.example.com", true),
            (".example.com", "example.com", true),
            ("example.com", "badexample.com", false),
            ("a, 10.0.0.0/8", "10.1.2.3", true),
            ("10.0.0.0/8", "11.1.2.3", false),
            ("fd00::/8", "[fd00::1]", true),
            ("0.0.0.0/0", "[fd00::1]", false),
            ("10.0.0.1", "10.0.0.1", true),
            ("*", "anything", true),
        ] {
            assert_eq!(bypasses_proxy(list, host), bypasses, "{list:?} {host}");
        }
    }
}

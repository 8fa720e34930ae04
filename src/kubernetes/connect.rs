//! Settings turned into a client: reads kubeconfig files, runs exec plugins, builds the connection stack. Files, processes.
//!
//! The stack is our own because kube's leaves Nagle's algorithm on (40 ms stalls with every tunnel) and retries silently.

use super::{
    client::Kubernetes,
    failure::auth_words,
    retry::Patience,
    settings::{ConfigError, Origin, Settings, Source, bypasses_proxy, resolve},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use kube::{
    Config,
    client::{Body, ConfigExt},
    config::{
        AuthInfo, Cluster, Context, ExecConfig, ExecInteractiveMode, KubeConfigOptions, Kubeconfig, KubeconfigError,
        NamedAuthInfo, NamedCluster, NamedContext,
    },
};
use std::{
    collections::{BTreeMap, HashMap},
    error::Error,
    io::ErrorKind,
    path::{Path, PathBuf},
    time::Duration,
};
use tower::{BoxError, Layer, ServiceExt, util::option_layer};

/// How long an exec plugin may take.
const EXEC: Duration = Duration::from_secs(30);

impl Kubernetes {
    /// Makes a client from the settings, the environment and the files that they name, and says whose word it went by. Runs the
    /// exec plugin if there is one; does not ask the API server anything yet.
    pub async fn connect(settings: &Settings) -> Result<(Self, Origin), ConfigError> {
        let env: BTreeMap<_, _> =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect();
        let home = env.get("HOME").or_else(|| env.get("USERPROFILE")).map(PathBuf::from).unwrap_or_default();
        let (whole, source) = resolve(settings, &env, &home);
        let origin = source.origin(Path::exists);
        let config = configuration(&whole, &source, origin, &env).await?;
        let command = config.auth_info.exec.as_ref().and_then(|exec| exec.command.clone()).unwrap_or_default();
        let first = config.clone();
        let built = tokio::task::spawn_blocking(move || build(&first));
        let client = match tokio::time::timeout(EXEC, built).await {
            Ok(Ok(client)) => client?,
            Ok(Err(_)) => return Err(ConfigError::Credentials("preparing them failed".to_owned())),
            Err(_) => {
                let why = format!("{command:?} did not end within {} s", EXEC.as_secs());
                return Err(ConfigError::Credentials(why));
            }
        };
        Ok((Self::with(client, Patience::default(), Some(Box::new(move || build(&config).ok()))), origin))
    }
}

async fn configuration(
    settings: &Settings,
    source: &Source,
    origin: Origin,
    env: &BTreeMap<String, String>,
) -> Result<Config, ConfigError> {
    if origin == Origin::ServiceAccount {
        let config = Config::incluster().map_err(|error| ConfigError::Credentials(words(&error)))?;
        return Ok(tune(config, settings, env));
    }
    let (mut kubeconfig, files) = match source {
        Source::Files { paths, lenient } => (read_all(paths, *lenient)?, names(paths)),
        Source::Host => (Kubeconfig::default(), String::new()),
        Source::Default { file, .. } if file.exists() => (read(file)?, names(std::slice::from_ref(file))),
        Source::Default { file, .. } => return Err(ConfigError::Nothing { default: file.display().to_string() }),
    };
    let context = if *source == Source::Host { add_host(&mut kubeconfig) } else { choose(&kubeconfig, settings, &files)? };
    overlay(&mut kubeconfig, &context, &files, settings)?;
    let options = KubeConfigOptions { context: Some(context.clone()), ..Default::default() };
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(|error| {
        let why = words(&error);
        match &error {
            KubeconfigError::ParseProxyUrl(_) => ConfigError::Setting { setting: "proxy_url", why },
            _ if files.is_empty() => ConfigError::Setting { setting: "host", why },
            _ => ConfigError::BrokenContext { context, files, why },
        }
    })?;
    Ok(tune(config, settings, env))
}

/// What kube would do otherwise: wait without end for a terminal that is not there, retry, ignore `NO_PROXY`.
fn tune(mut config: Config, settings: &Settings, env: &BTreeMap<String, String>) -> Config {
    if let Some(exec) = &mut config.auth_info.exec {
        // Standard input belongs to core.
        exec.interactive_mode = Some(ExecInteractiveMode::Never);
    }
    config.default_retry = false;
    config.read_timeout = None;
    let no_proxy = env.get("NO_PROXY").or_else(|| env.get("no_proxy")).map_or("", String::as_str);
    let host = config.cluster_url.host().unwrap_or_default();
    if settings.proxy_url.is_none() && bypasses_proxy(no_proxy, host) {
        config.proxy_url = None;
    }
    config
}

fn read_all(paths: &[PathBuf], lenient: bool) -> Result<Kubeconfig, ConfigError> {
    let mut merged: Option<Kubeconfig> = None;
    let mut missing = None;
    for path in paths {
        let next = match read(path) {
            Err(error) if lenient && !path.exists() => {
                missing = missing.or(Some(error));
                continue;
            }
            other => other?,
        };
        merged = Some(match merged {
            None => next,
            Some(before) => before.merge(next).map_err(|_| ConfigError::Malformed { file: path.display().to_string() })?,
        });
    }
    let nothing = || ConfigError::Nothing { default: names(paths) };
    merged.ok_or_else(|| missing.unwrap_or_else(nothing))
}

fn read(path: &Path) -> Result<Kubeconfig, ConfigError> {
    let file = path.display().to_string();
    // kube 5.0 panics on UTF-16 with half a character at its end.
    let bytes = std::fs::read(path).map_err(|error| ConfigError::Unreadable { file: file.clone(), why: error.to_string() })?;
    if bytes.len() % 2 == 1 && (bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff])) {
        return Err(ConfigError::Malformed { file });
    }
    Kubeconfig::read_from(path).map_err(|error| match error {
        KubeconfigError::ReadConfig(error, _) if error.kind() != ErrorKind::InvalidData => {
            ConfigError::Unreadable { file, why: error.to_string() }
        }
        _ => ConfigError::Malformed { file },
    })
}

fn names(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// The context to take: the one asked for or the current one, and no other.
fn choose(kubeconfig: &Kubeconfig, settings: &Settings, files: &str) -> Result<String, ConfigError> {
    let there: Vec<_> = kubeconfig.contexts.iter().map(|context| context.name.as_str()).collect();
    let listed = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
    let asked = settings.config_context.clone().or_else(|| kubeconfig.current_context.clone().filter(|name| !name.is_empty()));
    match asked {
        Some(context) if there.contains(&context.as_str()) => Ok(context),
        Some(context) => Err(ConfigError::NoContext { context, files: files.to_owned(), there: listed }),
        None => Err(ConfigError::NoCurrentContext { files: files.to_owned(), there: listed }),
    }
}

fn add_host(kubeconfig: &mut Kubeconfig) -> String {
    let name = "settings".to_owned();
    let context = Context { cluster: name.clone(), user: Some(name.clone()), ..Default::default() };
    kubeconfig.contexts = vec![NamedContext { name: name.clone(), context: Some(context), ..Default::default() }];
    let cluster = Some(Cluster::default());
    kubeconfig.clusters = vec![NamedCluster { name: name.clone(), cluster, ..Default::default() }];
    kubeconfig.auth_infos =
        vec![NamedAuthInfo { name: name.clone(), auth_info: Some(AuthInfo::default()), ..Default::default() }];
    name
}

/// Puts the settings over what the file says about the context's cluster and user.
fn overlay(kubeconfig: &mut Kubeconfig, context: &str, files: &str, settings: &Settings) -> Result<(), ConfigError> {
    let broken = |why: String| ConfigError::BrokenContext { context: context.to_owned(), files: files.to_owned(), why };
    let found = kubeconfig.contexts.iter().find(|named| named.name == context).and_then(|named| named.context.clone());
    let found = found.ok_or_else(|| broken("it is empty".to_owned()))?;
    let cluster = kubeconfig.clusters.iter_mut().find(|named| named.name == found.cluster);
    let cluster = cluster.and_then(|named| named.cluster.as_mut());
    let cluster = cluster.ok_or_else(|| broken(format!("cluster {:?} is not defined", found.cluster)))?;
    overlay_cluster(cluster, settings);
    let user = found.user.unwrap_or_default();
    let identity = identity(settings);
    match kubeconfig.auth_infos.iter_mut().find(|named| named.name == user) {
        Some(named) => named.auth_info = identity.or(named.auth_info.take()),
        // A user that is not there would silently be nobody.
        None if identity.is_none() && !user.is_empty() => return Err(broken(format!("user {user:?} is not defined"))),
        None => {
            kubeconfig.auth_infos.push(NamedAuthInfo { name: user.clone(), auth_info: identity, ..Default::default() });
            if let Some(named) = kubeconfig.contexts.iter_mut().find(|named| named.name == context)
                && let Some(context) = &mut named.context
            {
                context.user = Some(user);
            }
        }
    }
    Ok(())
}

fn overlay_cluster(cluster: &mut Cluster, settings: &Settings) {
    let over = |slot: &mut Option<String>, value: &Option<String>| {
        if value.is_some() {
            slot.clone_from(value);
        }
    };
    let host = settings.host.as_ref().map(|host| if host.contains("://") { host.clone() } else { format!("https://{host}") });
    over(&mut cluster.server, &host);
    over(&mut cluster.proxy_url, &settings.proxy_url);
    over(&mut cluster.tls_server_name, &settings.tls_server_name);
    over(&mut cluster.certificate_authority_data, &settings.cluster_ca_certificate.as_ref().map(|pem| STANDARD.encode(pem)));
    cluster.insecure_skip_tls_verify = settings.insecure.or(cluster.insecure_skip_tls_verify);
}

/// Credentials from the settings; `None` when there are none, so that the file's stay.
fn identity(settings: &Settings) -> Option<AuthInfo> {
    let exec = settings.exec.as_ref().map(|exec| ExecConfig {
        api_version: Some(exec.api_version.clone()),
        command: Some(exec.command.clone()),
        args: Some(exec.args.clone()),
        env: Some(exec.env.iter().map(|(name, value)| pair(name, value)).collect()),
        ..Default::default()
    });
    let identity = AuthInfo {
        token: settings.token.as_ref().map(|token| token.expose().clone().into()),
        client_certificate_data: settings.client_certificate.as_ref().map(|pem| STANDARD.encode(pem)),
        client_key_data: settings.client_key.as_ref().map(|pem| STANDARD.encode(pem.expose()).into()),
        exec,
        ..Default::default()
    };
    let any = identity.token.is_some() || identity.client_certificate_data.is_some() || identity.exec.is_some();
    any.then_some(identity)
}

fn pair(name: &str, value: &str) -> HashMap<String, String> {
    HashMap::from([("name".to_owned(), name.to_owned()), ("value".to_owned(), value.to_owned())])
}

/// The connection stack. Blocks while an exec plugin runs.
fn build(config: &Config) -> Result<kube::Client, ConfigError> {
    // `main` installs it first; a test has no `main`. That it is installed already is no failure.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    if config.proxy_url.is_some() {
        return Err(ConfigError::Setting { setting: "proxy_url", why: "proxies are not supported yet".to_owned() });
    }
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(Duration::from_secs(10)));
    let tls = config.rustls_https_connector_with_connector(tcp).map_err(setup_failed)?;
    let http = Client::builder(TokioExecutor::new()).build::<_, Body>(tls).map_err(BoxError::from);
    let with_headers = config.extra_headers_layer().map_err(setup_failed)?.layer(http);
    let with_auth = option_layer(config.auth_layer().map_err(|error| no_credentials(config, error))?).layer(with_headers);
    let service = config.base_uri_layer().layer(with_auth);
    Ok(kube::Client::new(service, config.default_namespace.clone()))
}

/// Names the command: it is the first thing to look at.
fn no_credentials(config: &Config, error: kube::Error) -> ConfigError {
    let command = config.auth_info.exec.as_ref().and_then(|exec| exec.command.as_deref());
    match (setup_failed(error), command) {
        (ConfigError::Credentials(why), Some(command)) => ConfigError::Credentials(format!("{command:?}: {why}")),
        (error, _) => error,
    }
}

fn setup_failed(error: kube::Error) -> ConfigError {
    ConfigError::Credentials(match &error {
        kube::Error::Auth(auth) => auth_words(auth),
        other => words(other),
    })
}

/// An error with its causes.
fn words(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        let more = deeper.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = deeper.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::settings::Exec;

    const FILE: &str = r#"
current-context: gone
contexts:
- {name: one, context: {cluster: c, user: u}}
- {name: two, context: {cluster: absent, user: u}}
- {name: three, context: {cluster: c, user: nobody}}
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: canary}}]
"#;

    async fn error(settings: Settings) -> String {
        Kubernetes::connect(&settings).await.expect_err("it connected").to_string()
    }

    fn with(file: &Path, context: Option<&str>) -> Settings {
        Settings {
            config_paths: vec![file.display().to_string()],
            config_context: context.map(str::to_owned),
            ..Settings::default()
        }
    }

    #[tokio::test]
    async fn a_kubeconfig_that_cannot_be_used_is_named_with_what_is_wrong_and_without_its_contents() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        let name = file.display();
        let absent = error(with(&file, None)).await;
        assert_eq!(absent, format!("kubeconfig {name}: No such file or directory (os error 2)"));
        std::fs::write(&file, "users: [token: canary").unwrap();
        assert_eq!(error(with(&file, None)).await, format!("{name} is not a kubeconfig"));
        std::fs::write(&file, [0xff, 0xfe, 0x00]).unwrap();
        assert_eq!(error(with(&file, None)).await, format!("{name} is not a kubeconfig"));
        std::fs::write(&file, FILE).unwrap();
        let there = "there are: one, two, three";
        assert_eq!(error(with(&file, None)).await, format!("context \"gone\" is not in {name}; {there}"));
        assert_eq!(error(with(&file, Some("four"))).await, format!("context \"four\" is not in {name}; {there}"));
        let cluster = "cluster \"absent\" is not defined";
        assert_eq!(error(with(&file, Some("two"))).await, format!("context \"two\" in {name}: {cluster}"));
        let user = "user \"nobody\" is not defined";
        assert_eq!(error(with(&file, Some("three"))).await, format!("context \"three\" in {name}: {user}"));
        Kubernetes::connect(&with(&file, Some("one"))).await.unwrap();
    }

    fn exec(script: &str) -> Settings {
        let args = vec!["-c".to_owned(), script.to_owned()];
        let exec = Exec { api_version: "client.authentication.k8s.io/v1".into(), command: "sh".into(), args, ..Exec::default() };
        Settings { host: Some("https://127.0.0.1:1".into()), exec: Some(exec), ..Settings::default() }
    }

    #[tokio::test]
    async fn an_exec_plugin_that_fails_is_named_without_what_it_printed() {
        let failed = error(exec("echo canary; echo canary >&2; exit 3")).await;
        assert_eq!(failed, "credentials: \"sh\": the exec plugin failed with exit status: 3");
        let garbage = error(exec("echo canary")).await;
        assert_eq!(garbage, "credentials: \"sh\": the exec plugin did not print credentials");
        let mut absent = exec("");
        absent.exec.as_mut().unwrap().command = "/absent/plugin".into();
        let absent = error(absent).await;
        let start = "the exec plugin cannot be started: No such file or directory (os error 2)";
        assert_eq!(absent, format!("credentials: \"/absent/plugin\": {start}"));
    }

    #[tokio::test]
    async fn an_exec_plugin_gets_no_standard_input_and_its_token_is_used() {
        let token = r#"{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "t"}}"#;
        let script = format!("cat; case \"$KUBERNETES_EXEC_INFO\" in *'\"interactive\":false'*) echo '{token}';; esac");
        Kubernetes::connect(&exec(&script)).await.unwrap();
    }

    #[tokio::test]
    async fn settings_that_cannot_be_used_are_named_without_their_value() {
        let host = |host: &str| Settings { host: Some(host.into()), ..Settings::default() };
        let error = error(host("https://user name:canary@")).await;
        assert!(error.starts_with("host: ") && !error.contains("canary"), "{error}");
    }
}

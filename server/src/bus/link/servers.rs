//! Which Redis to use, in each of the three ways to run it.

use crate::{
    Error, Result,
    config::{Redis, RedisMode},
};
use firstlight_protocol::Secret;
use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo,
    RedisError, TlsCertificates, TlsMode,
    aio::{MultiplexedConnection, PubSubStream},
    sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType},
};
use std::{
    fmt,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tokio::sync::Mutex;

/// A server answers within this.
const ANSWER: Duration = Duration::from_secs(2);
/// All the sentinels together do within this.
const ASKING: Duration = Duration::from_secs(5);

/// How to reach Redis.
pub struct Servers {
    channel: String,
    places: Places,
}

/// Connected to a server, and subscribed.
pub(super) struct Connections {
    /// What is heard.
    pub(super) heard: PubSubStream,
    /// Where to say something.
    pub(super) said: MultiplexedConnection,
}

enum Places {
    /// One server.
    Single(Client),
    /// Whichever server Sentinel says is the master.
    Sentinel(Mutex<SentinelClient>),
    /// Any node of the cluster: each passes on what any of them is told (Redis Cluster's bus carries PUBLISH).
    Cluster(Vec<Client>, AtomicUsize),
}

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Servers").field("channel", &self.channel).finish_non_exhaustive()
    }
}

impl Servers {
    /// What the configuration says; nothing if it names no Redis.
    ///
    /// # Errors
    /// With a sentence for the operator where a file can't be used.
    pub fn new(config: &Redis) -> Result<Option<Self>> {
        if config.urls.is_empty() {
            return Ok(None);
        }
        // Whoever comes first names it; a second time is no mistake.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let (password, tls) = (config.password()?, certificates(config)?);
        let infos = config.urls.iter().map(|url| info(url, password.as_ref()));
        let infos = infos.collect::<redis::RedisResult<Vec<_>>>().map_err(unusable)?;
        let clients = || infos.iter().map(|info| client(info.clone(), tls.as_ref())).collect::<Result<Vec<_>>>();
        let places = match config.mode {
            RedisMode::Single => Places::Single(clients()?.swap_remove(0)),
            RedisMode::Cluster => Places::Cluster(clients()?, AtomicUsize::new(0)),
            RedisMode::Sentinel => {
                let own = config.sentinel_password()?;
                let sentinel = sentinel(config, &infos, password.as_ref(), own.as_ref(), tls).map_err(unusable)?;
                Places::Sentinel(Mutex::new(sentinel))
            }
        };
        Ok(Some(Self { channel: format!("{}:bus", config.prefix), places }))
    }

    /// The channel that carries everything.
    pub(super) fn channel(&self) -> &str {
        &self.channel
    }

    /// A connection that hears and one that says; or why not, in words.
    pub(super) async fn connect(&self) -> std::result::Result<Connections, String> {
        match &self.places {
            Places::Single(client) => self.reach(client).await,
            Places::Sentinel(sentinel) => {
                let mut sentinel = sentinel.lock().await;
                let client = in_time(ASKING, sentinel.async_get_client()).await?;
                self.reach(&client).await
            }
            Places::Cluster(clients, turn) => {
                // Another first each time, so that one bad node is not asked again and again.
                let first = turn.fetch_add(1, Ordering::Relaxed) % clients.len();
                let (after, before) = (&clients[first..], &clients[..first]);
                let mut found = Err("it has no nodes".into());
                for client in after.iter().chain(before) {
                    match self.reach(client).await {
                        Ok(mut connections) => {
                            // One that is cut off from the others says so; but if all do, this is the best there is.
                            let whole = is_whole(&mut connections.said).await;
                            found = Ok(connections);
                            if whole {
                                break;
                            }
                        }
                        Err(why) if found.is_err() => found = Err(why),
                        Err(_) => {}
                    }
                }
                found
            }
        }
    }

    async fn reach(&self, client: &Client) -> std::result::Result<Connections, String> {
        let connect = async {
            let (mut sink, heard) = client.get_async_pubsub().await?.split();
            sink.subscribe(&self.channel).await?;
            let config =
                AsyncConnectionConfig::new().set_connection_timeout(Some(ANSWER)).set_response_timeout(Some(ANSWER));
            let said = client.get_multiplexed_async_connection_with_config(&config).await?;
            Ok(Connections { heard, said })
        };
        in_time(ANSWER, connect).await
    }
}

async fn in_time<T>(
    patience: Duration,
    answer: impl Future<Output = redis::RedisResult<T>>,
) -> std::result::Result<T, String> {
    match tokio::time::timeout(patience, answer).await {
        Ok(answer) => answer.map_err(|error| reason(&error)),
        Err(_) => Err("it does not answer".into()),
    }
}

/// Whether a node of a cluster sees all of it.
async fn is_whole(said: &mut MultiplexedConnection) -> bool {
    let info: redis::RedisResult<String> = redis::cmd("CLUSTER").arg("INFO").query_async(said).await;
    info.is_ok_and(|info| info.contains("cluster_state:ok"))
}

fn info(url: &str, password: Option<&Secret>) -> redis::RedisResult<ConnectionInfo> {
    let info = url.into_connection_info()?;
    let Some(password) = password else { return Ok(info) };
    let settings = info.redis_settings().clone().set_password(password.reveal());
    Ok(info.set_redis_settings(settings))
}

fn is_tls(info: &ConnectionInfo) -> bool {
    matches!(info.addr(), ConnectionAddr::TcpTls { .. })
}

fn client(info: ConnectionInfo, tls: Option<&TlsCertificates>) -> Result<Client> {
    let client = match tls {
        Some(tls) if is_tls(&info) => Client::build_with_tls(info, tls.clone()),
        _ => Client::open(info),
    };
    client.map_err(unusable)
}

/// The sentinels are named by the configuration, and reached as it says; the servers they name are reached likewise.
fn sentinel(
    config: &Redis,
    sentinels: &[ConnectionInfo],
    password: Option<&Secret>,
    sentinel_password: Option<&Secret>,
    tls: Option<TlsCertificates>,
) -> redis::RedisResult<SentinelClient> {
    let addresses = sentinels.iter().map(|info| info.addr().clone());
    let mut builder = SentinelClientBuilder::new(addresses, &config.master, SentinelServerType::Master)?;
    let user = sentinels.first().and_then(|info| info.redis_settings().username());
    if let Some(user) = user {
        builder = builder.set_client_to_redis_username(user);
    }
    if let Some(password) = password {
        builder = builder.set_client_to_redis_password(password.reveal());
    }
    if let Some(password) = sentinel_password {
        builder = builder.set_client_to_sentinel_password(password.reveal());
    }
    if sentinels.iter().all(is_tls) {
        builder =
            builder.set_client_to_redis_tls_mode(TlsMode::Secure).set_client_to_sentinel_tls_mode(TlsMode::Secure);
        if let Some(tls) = tls {
            builder = builder.set_client_to_redis_certificates(tls.clone()).set_client_to_sentinel_certificates(tls);
        }
    }
    builder.build()
}

fn certificates(config: &Redis) -> Result<Option<TlsCertificates>> {
    let read = |setting: &str, path: &std::path::Path| match path.as_os_str().is_empty() {
        true => Ok(None),
        false => std::fs::read(path)
            .map(Some)
            .map_err(|e| Error::internal(format!("{setting}: the file {} can't be read ({e})", path.display()))),
    };
    let root_cert = read("redis.ca_file", &config.ca_file)?;
    let cert = read("redis.cert_file", &config.cert_file)?;
    let key = read("redis.key_file", &config.key_file)?;
    let client_tls = cert.zip(key).map(|(client_cert, client_key)| ClientTlsConfig { client_cert, client_key });
    Ok((root_cert.is_some() || client_tls.is_some()).then_some(TlsCertificates { client_tls, root_cert }))
}

fn unusable(error: RedisError) -> Error {
    Error::internal(format!("redis.urls: {}", reason(&error)))
}

/// What is wrong, in words for the operator. A password is in none of redis's errors.
pub(super) fn reason(error: &RedisError) -> String {
    let refused = matches!(error.code(), Some("WRONGPASS" | "NOAUTH"));
    if refused || error.kind() == ErrorKind::AuthenticationFailed {
        return "it refuses the password: see redis.password_file".into();
    }
    if error.code() == Some("NOPERM") {
        return "its access rules forbid the bus's channel: allow SUBSCRIBE and PUBLISH on redis.prefix".into();
    }
    error.to_string()
}

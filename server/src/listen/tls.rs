//! TLS in front of a connection, with a certificate that is replaced while the server runs.
//!
//! The pair is kept until a better one is read: whatever happens to the files, nobody is turned away who wasn't before.
//! Open connections go on with the pair that they began with.

use super::{
    pair::{self, Pair, provider},
    stream::Guarded,
};
use crate::{Error, Result, bus::lock, clock::Clock, config};
use firstlight_protocol::Timestamp;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::Notify;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs::Ticketer,
        server::{ClientHello, ResolvesServerCert},
        sign::CertifiedKey,
    },
    server::TlsStream,
};
use tokio_util::sync::CancellationToken;

/// The only protocol here: websockets need it, and HTTP/2 would bring bounds of its own.
const ALPN: &[u8] = b"http/1.1";
/// A certificate that ends sooner than this is somebody's business.
pub(crate) const SOON: Duration = Duration::from_secs(14 * 86_400);

/// TLS for a listener.
pub struct Tls {
    settings: config::Tls,
    acceptor: TlsAcceptor,
    shown: Arc<Shown>,
    again: Notify,
}

/// The pair that handshakes show, and what became of the last one that was read.
#[derive(Debug)]
struct Shown(Mutex<State>);

#[derive(Debug)]
struct State {
    pair: Pair,
    trouble: Option<String>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&lock(&self.0).pair.key))
    }
}

impl Tls {
    /// Reads the pair; `None` where a proxy does TLS. One that has ended is shown all the same: it is for the clients to
    /// refuse it, and for the operator to hear of it.
    ///
    /// # Errors
    /// A sentence for the operator where the files can't be used.
    pub fn open(settings: &config::Tls, now: Timestamp) -> Result<Option<Arc<Self>>> {
        if !settings.is_on() {
            return Ok(None);
        }
        let pair = pair::read(&settings.certificate_file, &settings.key_file).map_err(Error::internal)?;
        if pair.ends_at <= now {
            tracing::error!("the TLS certificate has ended: clients will refuse it");
        }
        let shown = Arc::new(Shown(Mutex::new(State { pair, trouble: None })));
        let mut server = ServerConfig::builder_with_provider(Arc::new(provider()))
            .with_safe_default_protocol_versions()
            .map_err(Error::internal)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&shown) as Arc<dyn ResolvesServerCert>);
        server.alpn_protocols = vec![ALPN.to_vec()];
        // After a restart of its network every device comes back at once: resumption costs no signature, and tickets no
        // memory.
        server.ticketer = Ticketer::new().map_err(Error::internal)?;
        let acceptor = TlsAcceptor::from(Arc::new(server));
        Ok(Some(Arc::new(Self { settings: settings.clone(), acceptor, shown, again: Notify::new() })))
    }

    /// The handshake; `None` if it fails or takes too long.
    pub(super) async fn accept(&self, stream: Guarded) -> Option<TlsStream<Guarded>> {
        let patience = self.settings.handshake_timeout_ms.into();
        match tokio::time::timeout(patience, self.acceptor.accept(stream)).await {
            Ok(Ok(stream)) => Some(stream),
            Ok(Err(error)) => {
                tracing::debug!(%error, "a TLS handshake failed");
                None
            }
            Err(_) => {
                tracing::debug!("a TLS handshake took too long");
                None
            }
        }
    }

    /// When the certificate that is shown ends.
    pub fn ends_at(&self) -> Timestamp {
        lock(&self.shown.0).pair.ends_at
    }

    /// Why the files that are there now are not what is shown, if they are not.
    pub fn trouble(&self) -> Option<String> {
        lock(&self.shown.0).trouble.clone()
    }

    /// Has the files looked at in this moment.
    pub fn look_again(&self) {
        self.again.notify_one();
    }

    /// Looks at the files, now and then and when told to, until `stop`.
    pub async fn keep(self: Arc<Self>, clock: Clock, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(self.settings.reload_every_ms.into()) => {}
                () = self.again.notified() => {}
            }
            let this = Arc::clone(&self);
            let now = clock.now();
            // Reading a file may block: a credential may be on a network.
            if tokio::task::spawn_blocking(move || this.look(now)).await.is_err() {
                tracing::error!("looking at the TLS certificate panicked");
            }
        }
    }

    fn look(&self, now: Timestamp) {
        let read = pair::read(&self.settings.certificate_file, &self.settings.key_file).and_then(|pair| {
            let ended = "The new TLS certificate has ended already.".to_owned();
            if pair.ends_at <= now { Err(ended) } else { Ok(pair) }
        });
        let mut state = lock(&self.shown.0);
        match read {
            Ok(pair) => {
                state.trouble = None;
                if pair.key.cert != state.pair.key.cert {
                    let days = pair.ends_at.since(now).as_secs() / 86_400;
                    tracing::info!(days, "a new TLS certificate is shown from now on");
                    state.pair = pair;
                }
            }
            // What is shown may have ended meanwhile and be in the files still: that is no new trouble.
            Err(trouble) if state.trouble.as_ref() != Some(&trouble) => {
                tracing::error!(trouble, "the new TLS certificate can't be used; the old one is shown");
                state.trouble = Some(trouble);
            }
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;

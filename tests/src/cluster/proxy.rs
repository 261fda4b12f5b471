//! A bad line: a TCP proxy on loopback that delays, holds, throttles, cuts and refuses, as a test says, at any moment.
//!
//! It never loses bytes in the middle of a connection, because a network doesn't either: what is held comes through
//! later, unless the connection was cut. That is the nasty case: a request that arrives long after its sender gave up.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a harness: what fails here fails the test")]

use crate::world::free_address;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    time::sleep,
};

/// What is moved at once.
const PIECE: usize = 16 << 10;

/// What happens to bytes on their way in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// They pass.
    Pass,
    /// Each piece is this late.
    Delay(Duration),
    /// So many bytes pass in a second.
    Throttle(u32),
    /// Nothing comes through, and nobody is told.
    Hold,
}

#[derive(Debug, Clone, Copy)]
struct Line {
    to_server: Way,
    to_client: Way,
    refuse: bool,
    /// Counts cuts: a connection ends when it is another number than at its beginning.
    cuts: usize,
}

/// A line from whoever connects to [`Self::address`] to its upstream. It ends, with its connections, when dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    line: watch::Sender<Line>,
    open: Arc<AtomicUsize>,
}

impl Proxy {
    /// A good line to `upstream`.
    ///
    /// # Panics
    /// If it can't listen.
    pub fn to(upstream: SocketAddr) -> Self {
        let (line, seen) = watch::channel(Line { to_server: Way::Pass, to_client: Way::Pass, refuse: false, cuts: 0 });
        let open = Arc::new(AtomicUsize::new(0));
        let (tell, told) = mpsc::channel();
        let counted = open.clone();
        // On a thread of its own: a test that blocks must not stop its lines.
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("an event loop");
            runtime.block_on(async {
                let listener = TcpListener::bind(free_address()).await.expect("a port");
                tell.send(listener.local_addr().expect("an address")).expect("somebody who waits for it");
                serve(listener, upstream, seen, counted).await;
            });
        });
        Self { address: told.recv().expect("a listening proxy"), line, open }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections it holds.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Everything passes again, and what was held comes through.
    pub fn pass(&self) {
        self.both(Way::Pass);
    }

    /// The same in both directions, for connections that are there and those that come.
    pub fn both(&self, way: Way) {
        self.set(way, way);
    }

    /// A black hole: connections are taken, and nothing comes through in either direction.
    pub fn black_hole(&self) {
        self.both(Way::Hold);
    }

    /// Each direction on its own.
    pub fn set(&self, to_server: Way, to_client: Way) {
        self.line.send_modify(|line| (line.to_server, line.to_client, line.refuse) = (to_server, to_client, false));
    }

    /// Connections that are there are reset; new ones are as before.
    pub fn cut(&self) {
        self.line.send_modify(|line| line.cuts += 1);
    }

    /// Nobody listens here any more, and connections that were there are reset; until [`Self::pass`] or [`Self::set`].
    pub fn refuse(&self) {
        self.line.send_modify(|line| (line.refuse, line.cuts) = (true, line.cuts + 1));
    }
}

async fn serve(first: TcpListener, upstream: SocketAddr, mut seen: watch::Receiver<Line>, open: Arc<AtomicUsize>) {
    let address = first.local_addr().expect("an address");
    let mut listener = Some(first);
    loop {
        let refuse = seen.borrow_and_update().refuse;
        if refuse {
            listener = None;
        } else if listener.is_none() {
            listener = Some(TcpListener::bind(address).await.expect("the port that it had"));
        }
        let accepted = async {
            match &listener {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            accepted = accepted => {
                if let Ok((client, _)) = accepted {
                    let (seen, open) = (seen.clone(), open.clone());
                    tokio::spawn(async move {
                        open.fetch_add(1, Ordering::Relaxed);
                        connection(client, upstream, seen).await;
                        open.fetch_sub(1, Ordering::Relaxed);
                    });
                }
            }
            changed = seen.changed() => {
                if changed.is_err() {
                    return;
                }
            }
        }
    }
}

/// Until either side has ended it, or it is cut.
async fn connection(client: TcpStream, upstream: SocketAddr, mut seen: watch::Receiver<Line>) {
    let cuts = seen.borrow().cuts;
    let mut held = seen.clone();
    // A black hole does not reach the server either.
    let reached = async {
        passes(&mut held, |line| line.to_server).await?;
        TcpStream::connect(upstream).await.ok()
    };
    let server = tokio::select! {
        server = reached => server,
        _ = seen.wait_for(|line| line.cuts != cuts) => None,
    };
    let Some(server) = server else {
        let _ = client.set_zero_linger();
        return;
    };
    let _ = (server.set_nodelay(true), client.set_nodelay(true));
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), server.into_split());
    let both = async {
        tokio::join!(
            pump(&mut from_client, &mut to_server, held.clone(), |line| line.to_server),
            pump(&mut from_server, &mut to_client, held.clone(), |line| line.to_client),
        )
    };
    tokio::select! {
        _ = both => {}
        _ = seen.wait_for(|line| line.cuts != cuts) => {
            let _ = (to_client.as_ref().set_zero_linger(), to_server.as_ref().set_zero_linger());
        }
    }
}

/// Waits while nothing comes through. `None`: the proxy is gone.
async fn passes(seen: &mut watch::Receiver<Line>, pick: fn(&Line) -> Way) -> Option<Way> {
    seen.wait_for(|line| pick(line) != Way::Hold).await.ok().map(|line| pick(&line))
}

async fn pump(
    from: &mut OwnedReadHalf,
    to: &mut OwnedWriteHalf,
    mut seen: watch::Receiver<Line>,
    pick: fn(&Line) -> Way,
) -> Option<()> {
    let mut piece = vec![0; PIECE];
    loop {
        let read = from.read(&mut piece).await.unwrap_or(0);
        // What had not come through when the line went bad is held like the rest.
        match passes(&mut seen, pick).await? {
            Way::Delay(late) => sleep(late).await,
            Way::Throttle(rate) => sleep(Duration::from_secs_f64(read as f64 / f64::from(rate.max(1)))).await,
            Way::Pass | Way::Hold => {}
        }
        passes(&mut seen, pick).await?;
        if read == 0 {
            return to.shutdown().await.ok();
        }
        to.write_all(piece.get(..read)?).await.ok()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inproc::run;
    use std::{future::Future, time::Instant};
    use tokio::time::timeout;

    const SHORT: Duration = Duration::from_millis(150);
    const LONG: Duration = Duration::from_secs(20);

    /// Says everything back.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = socket.split();
                    let _ = tokio::io::copy(&mut from, &mut to).await;
                });
            }
        });
        address
    }

    async fn say(socket: &mut TcpStream, text: &[u8]) -> std::io::Result<()> {
        socket.write_all(text).await?;
        hear(socket, text).await
    }

    async fn hear(socket: &mut TcpStream, text: &[u8]) -> std::io::Result<()> {
        let mut back = vec![0; text.len()];
        socket.read_exact(&mut back).await?;
        assert_eq!(back, text);
        Ok(())
    }

    async fn in_time<T>(what: impl Future<Output = T>) -> T {
        timeout(LONG, what).await.expect("it comes through")
    }

    #[test]
    fn a_line_holds_delays_throttles_cuts_and_refuses_when_it_is_told() {
        run(async {
            let proxy = Proxy::to(echo().await);
            let mut old = TcpStream::connect(proxy.address()).await.unwrap();
            in_time(say(&mut old, b"one")).await.unwrap();
            assert_eq!(proxy.open(), 1);

            proxy.black_hole();
            old.write_all(b"two").await.unwrap();
            let mut new = TcpStream::connect(proxy.address()).await.unwrap();
            new.write_all(b"new").await.unwrap();
            assert!(timeout(SHORT, hear(&mut old, b"two")).await.is_err(), "nothing comes through");
            assert!(timeout(SHORT, hear(&mut new, b"new")).await.is_err());
            proxy.pass();
            in_time(hear(&mut old, b"two")).await.unwrap();
            in_time(hear(&mut new, b"new")).await.unwrap();

            proxy.set(Way::Pass, Way::Hold);
            old.write_all(b"ask").await.unwrap();
            assert!(timeout(SHORT, hear(&mut old, b"ask")).await.is_err(), "the answer is held");
            let began = Instant::now();
            proxy.both(Way::Delay(SHORT));
            in_time(hear(&mut old, b"ask")).await.unwrap();
            in_time(say(&mut old, b"late")).await.unwrap();
            assert!(began.elapsed() >= SHORT * 3, "{:?}", began.elapsed());

            let began = Instant::now();
            proxy.set(Way::Throttle(10_000), Way::Pass);
            in_time(say(&mut old, &[7; 5_000])).await.unwrap();
            assert!(began.elapsed() >= Duration::from_millis(450), "{:?}", began.elapsed());

            proxy.pass();
            proxy.cut();
            assert!(in_time(say(&mut old, b"cut")).await.is_err(), "an old connection is gone");
            let mut new = TcpStream::connect(proxy.address()).await.unwrap();
            in_time(say(&mut new, b"new")).await.unwrap();

            proxy.refuse();
            assert!(in_time(say(&mut new, b"gone")).await.is_err());
            let refused = in_time(async {
                loop {
                    match TcpStream::connect(proxy.address()).await {
                        // The proxy hears of it a moment later.
                        Ok(_) => sleep(Duration::from_millis(5)).await,
                        Err(e) => return e,
                    }
                }
            });
            assert_eq!(refused.await.kind(), std::io::ErrorKind::ConnectionRefused);
            proxy.pass();
            let mut back = in_time(async {
                loop {
                    match TcpStream::connect(proxy.address()).await {
                        Ok(socket) => return socket,
                        Err(_) => sleep(Duration::from_millis(5)).await,
                    }
                }
            })
            .await;
            in_time(say(&mut back, b"back")).await.unwrap();
        });
    }
}

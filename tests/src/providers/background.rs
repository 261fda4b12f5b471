//! A place for a stand-in to run in, beside a test that may be asynchronous or not.

use std::{future::Future, net::SocketAddr, sync::mpsc, thread};
use tokio::{net::TcpListener, runtime::Builder};

/// Serves `router` on a free port of this machine until the process ends. Answers when it listens.
pub(super) fn serve(router: axum::Router) -> SocketAddr {
    let (tell, told) = mpsc::channel();
    run(async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        tell.send(listener.local_addr().expect("an address")).expect("somebody who waits for it");
        axum::serve(listener, router).await.expect("a server that runs");
    });
    told.recv().expect("a listening server")
}

/// Runs a future on a thread of its own.
fn run(future: impl Future<Output = ()> + Send + 'static) {
    thread::spawn(move || {
        Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("an event loop").block_on(future);
    });
}

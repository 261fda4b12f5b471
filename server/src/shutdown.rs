//! What the operator tells the process by signals.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM (a service manager) and SIGINT (Ctrl-C) stop it; SIGHUP has it look at its certificate again.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    /// Takes over these signals; from here on they no longer end the process by themselves.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits until the process is to stop, and gives the signal's name; `hung_up` is called at each SIGHUP before.
    pub async fn stop(&mut self, hung_up: impl Fn()) -> &'static str {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return "SIGTERM",
                _ = self.interrupt.recv() => return "SIGINT",
                _ = self.hangup.recv() => hung_up(),
            }
        }
    }
}

//! A socket that has not said who it is.

use super::{close, live::Session};
use crate::Shared;
use axum::extract::ws::{Message, WebSocket};
use firstlight_protocol::{
    ErrorCode, Problem,
    stream::{ClientFrame, Hello, close_code},
    wire::from_cbor,
};
use std::time::Duration;

/// A socket without a caller.
pub(super) struct Stranger {
    pub(super) socket: WebSocket,
}

impl Stranger {
    /// Waits for the ticket. Whatever else comes, or nothing, ends the socket.
    pub(super) async fn identify(mut self, app: Shared) -> Option<Session> {
        let deadline = Duration::from(app.config.limits.hello_timeout_ms);
        let hello = match tokio::time::timeout(deadline, self.hello()).await {
            Ok(Ok(hello)) => hello,
            Ok(Err(problem)) => {
                close(self.socket, close_code::BAD_FRAME, problem).await;
                return None;
            }
            Err(_) => {
                let problem = Problem::with(ErrorCode::Timeout, "No ticket came.");
                close(self.socket, close_code::UNAUTHENTICATED, problem).await;
                return None;
            }
        };
        let caller = match app.redeem_ticket(&hello.ticket).await {
            Ok(caller) => caller,
            Err(error) => {
                close(self.socket, close_code::UNAUTHENTICATED, error.problem()).await;
                return None;
            }
        };
        if app.bus.connections_of(caller.device) >= app.config.limits.sockets_per_device {
            let problem = Problem::with(ErrorCode::RateLimited, "This device has enough open connections.");
            close(self.socket, close_code::BAD_FRAME, problem).await;
            return None;
        }
        // What supervisors see as "last connected" is nobody's reason to wait.
        let (seen, device) = (Shared::clone(&app), caller.device);
        tokio::spawn(async move { seen.store.device_seen(device, seen.clock.now()).await });
        match Session::open(app, caller, hello, self.socket).await {
            Ok(session) => Some(session),
            Err((socket, error)) => {
                close(socket, close_code::DRAIN, error.problem()).await;
                None
            }
        }
    }

    async fn hello(&mut self) -> Result<Hello, Problem> {
        loop {
            match self.socket.recv().await {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Binary(bytes))) => {
                    return match from_cbor(&bytes) {
                        Ok(ClientFrame::Hello(hello)) => Ok(hello),
                        _ => Err(Problem::with(ErrorCode::Unauthenticated, "The first frame has to be hello.")),
                    };
                }
                _ => return Err(Problem::with(ErrorCode::BadRequest, "Frames are binary messages.")),
            }
        }
    }
}

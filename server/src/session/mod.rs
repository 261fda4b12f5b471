//! The websocket `/v1/stream`: one task per socket, and two types for its two states.
//!
//! A socket starts as a [`hello::Stranger`], which can do one thing: present a ticket before the deadline. That turns it
//! into a [`live::Session`], which has a caller. Nothing that needs a caller exists before.

mod hello;
mod live;
mod rooms;

use crate::{Error, Shared};
use axum::{
    extract::{
        State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade},
    },
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use firstlight_protocol::{
    ErrorCode, Problem,
    limits::{MAX_FRAME, MAX_SERVER_FRAME},
    stream::{Closing, SUBPROTOCOL, ServerFrame},
    wire::to_cbor,
};
use futures_util::SinkExt;
use std::time::Duration;

/// Read buffer of a socket. The library's default costs every idle connection 128 KiB.
const READ_BUFFER: usize = 4 << 10;
/// Frames are handed to the system in pieces of about this size: many frames share one system call.
const WRITE_BUFFER: usize = 16 << 10;
/// A reader this far behind has its socket closed; it resumes by cursor. The largest frame fits behind others.
const MAX_WRITE_BUFFER: usize = MAX_SERVER_FRAME + (1 << 20);
/// How long a socket may take to accept what it is sent.
const WRITE_DEADLINE: Duration = Duration::from_secs(20);

/// Upgrades to the websocket. No token in the URL, no cookie: the first frame carries a single-use ticket.
pub async fn stream(State(app): State<Shared>, headers: HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    // A browser always says where its page came from; only pages that the operator has allowed may connect.
    if let Some(origin) = headers.get(header::ORIGIN)
        && !origin.to_str().is_ok_and(|origin| app.config.allows_origin(origin))
    {
        let detail = "Pages from this origin may not connect.";
        return Error::from(Problem::with(ErrorCode::Forbidden, detail)).into_response();
    }
    let upgrade = upgrade
        .protocols([SUBPROTOCOL])
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(MAX_WRITE_BUFFER)
        .max_message_size(MAX_FRAME)
        .max_frame_size(MAX_FRAME);
    if upgrade.selected_protocol().is_none() {
        let detail = format!("Ask for the websocket subprotocol {SUBPROTOCOL}.");
        return Error::from(Problem::with(ErrorCode::BadRequest, detail)).into_response();
    }
    upgrade.on_upgrade(move |socket| async move {
        // On the heap, like every step of a session: a task keeps room for its largest future as long as it lives, and
        // an idle socket has nothing but its task.
        let identified = Box::pin(hello::Stranger { socket }.identify(app)).await;
        if let Some(session) = identified {
            session.run().await;
        }
    })
}

/// Says why, and closes. The peer gets a moment to take it; then the socket goes whether it did or not.
async fn close(mut socket: WebSocket, code: u16, problem: Problem) {
    let reason = problem.code.as_str();
    let frame = ServerFrame::Closing(Closing { problem });
    let goodbye = async {
        socket.feed(Message::Binary(to_cbor(&frame).into())).await?;
        socket.send(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await
    };
    let _ = tokio::time::timeout(Duration::from_secs(2), goodbye).await;
}

//! Attachments of rooms: sealed by the sender's client, kept by the server as chunks that it can't read.

use crate::id::{AttachmentId, MessageId};
use serde::{Deserialize, Serialize};

/// `POST /v1/rooms/{room}/attachments`: announces the chunks that will come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BeginAttachment {
    /// Chosen by the client; the idempotency key.
    pub id: AttachmentId,
    /// The message that the same device will announce it with: whoever may read that may read the attachment, and it is
    /// kept as long as that is.
    pub message: MessageId,
    /// Bytes of all sealed chunks together: each has 262,160, the last one what is left.
    pub size: u64,
}

/// An attachment as its sender, and whoever may read it, sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttachmentView {
    /// Id.
    pub id: AttachmentId,
    /// Bytes of all sealed chunks together.
    pub size: u64,
    /// How many chunks there are.
    pub chunks: u32,
    /// Numbers of those that the server has, from 0 on, in order.
    pub received: Vec<u32>,
    /// All are there, and none can be changed any more.
    pub complete: bool,
}

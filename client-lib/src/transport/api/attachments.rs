//! Files in rooms.

use super::{Api, Call, TokenVault, TransportError};
use firstlight_protocol::{
    AttachmentId, RoomId,
    api::{AttachmentView, BeginAttachment},
};

impl<V: TokenVault> Api<V> {
    /// `POST /v1/rooms/{room}/attachments`.
    pub async fn begin_attachment(
        &self,
        room: RoomId,
        body: &BeginAttachment,
    ) -> Result<AttachmentView, TransportError> {
        self.call(Call::post(format!("/v1/rooms/{room}/attachments"), body)).await
    }

    /// `PUT /v1/rooms/{room}/attachments/{attachment}/chunks/{n}`.
    pub async fn put_chunk(
        &self,
        room: RoomId,
        attachment: AttachmentId,
        n: u32,
        chunk: Vec<u8>,
    ) -> Result<(), TransportError> {
        self.call(Call::put_octets(format!("/v1/rooms/{room}/attachments/{attachment}/chunks/{n}"), chunk)).await
    }

    /// `POST /v1/rooms/{room}/attachments/{attachment}/complete`.
    pub async fn complete_attachment(
        &self,
        room: RoomId,
        attachment: AttachmentId,
    ) -> Result<AttachmentView, TransportError> {
        self.call(Call::post(format!("/v1/rooms/{room}/attachments/{attachment}/complete"), &())).await
    }

    /// `GET /v1/rooms/{room}/attachments/{attachment}/chunks/{n}`.
    pub async fn chunk(&self, room: RoomId, attachment: AttachmentId, n: u32) -> Result<Vec<u8>, TransportError> {
        self.bytes(Call::get(format!("/v1/rooms/{room}/attachments/{attachment}/chunks/{n}"))).await
    }
}

//! The MLS delivery service.

use super::{Api, Call, TokenVault, TransportError};
use firstlight_protocol::{
    DeviceId, RoomId,
    api::{
        Acks, ClaimKeyPackages, ClaimedKeyPackage, CommitBundle, Committed, CreateRoom, GroupState, InboxPage,
        KeyPackageCount, LogPage, PublishKeyPackages, RoomView, SendMessage, Sent, WelcomeBundle,
    },
};

impl<V: TokenVault> Api<V> {
    /// `POST /v1/key-packages`.
    pub async fn publish_key_packages(&self, body: &PublishKeyPackages) -> Result<KeyPackageCount, TransportError> {
        self.call(Call::post_once("/v1/key-packages", body)).await
    }

    /// `GET /v1/key-packages`.
    pub async fn key_packages(&self) -> Result<KeyPackageCount, TransportError> {
        self.call(Call::get("/v1/key-packages")).await
    }

    /// `POST /v1/key-packages/claim`: never repeated, because each claim uses up a key package of somebody else.
    pub async fn claim_key_packages(
        &self,
        suite: u16,
        devices: Vec<DeviceId>,
    ) -> Result<Vec<ClaimedKeyPackage>, TransportError> {
        self.call(Call::post_once("/v1/key-packages/claim", &ClaimKeyPackages { suite, devices })).await
    }

    /// `POST /v1/rooms`.
    pub async fn create_room(&self, body: &CreateRoom) -> Result<RoomView, TransportError> {
        self.call(Call::post("/v1/rooms", body)).await
    }

    /// `GET /v1/rooms`.
    pub async fn rooms(&self) -> Result<Vec<RoomView>, TransportError> {
        self.call(Call::get("/v1/rooms")).await
    }

    /// `GET /v1/rooms/{room}`.
    pub async fn room(&self, room: RoomId) -> Result<RoomView, TransportError> {
        self.call(Call::get(format!("/v1/rooms/{room}"))).await
    }

    /// `POST /v1/rooms/{room}/commits`.
    pub async fn commit(&self, room: RoomId, body: &CommitBundle) -> Result<Committed, TransportError> {
        self.call(Call::post(format!("/v1/rooms/{room}/commits"), body)).await
    }

    /// `POST /v1/rooms/{room}/messages`.
    pub async fn send_message(&self, room: RoomId, body: &SendMessage) -> Result<Sent, TransportError> {
        self.call(Call::post(format!("/v1/rooms/{room}/messages"), body)).await
    }

    /// `GET /v1/rooms/{room}/log`: entries after `after`, at most `limit`.
    pub async fn log(&self, room: RoomId, after: u64, limit: usize) -> Result<LogPage, TransportError> {
        self.call(Call::get(format!("/v1/rooms/{room}/log?after={after}&limit={limit}"))).await
    }

    /// `GET /v1/rooms/{room}/group-info`.
    pub async fn group_state(&self, room: RoomId) -> Result<GroupState, TransportError> {
        self.call(Call::get(format!("/v1/rooms/{room}/group-info"))).await
    }

    /// `GET /v1/rooms/{room}/welcomes/{epoch}`.
    pub async fn welcome(&self, room: RoomId, epoch: u64) -> Result<WelcomeBundle, TransportError> {
        self.call(Call::get(format!("/v1/rooms/{room}/welcomes/{epoch}"))).await
    }

    /// `GET /v1/inbox`: items after `after`, at most `limit`.
    pub async fn inbox(&self, after: u64, limit: usize) -> Result<InboxPage, TransportError> {
        self.call(Call::get(format!("/v1/inbox?after={after}&limit={limit}"))).await
    }

    /// `POST /v1/acks`: cumulative, so repeatable.
    pub async fn ack(&self, body: &Acks) -> Result<(), TransportError> {
        self.call(Call::post("/v1/acks", body)).await
    }
}

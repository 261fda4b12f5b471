//! The MLS delivery service: it orders, validates and stores what it can't read (RFC 9750).

pub mod acks;
pub(crate) mod append;
mod check;
pub mod groups;
mod inbox;
pub mod keys;
pub(crate) mod log;
mod members;
mod public_storage;
mod rooms;

pub use members::Stretch;

use crate::Shared;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this part of the house.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(keys::publish, keys::count))
        .routes(routes!(keys::claim))
        .routes(routes!(rooms::create, log::rooms))
        .routes(routes!(log::room))
        .routes(routes!(rooms::commit))
        .routes(routes!(log::send))
        .routes(routes!(log::log))
        .routes(routes!(log::group_info))
        .routes(routes!(log::welcome))
        .routes(routes!(log::inbox))
        .routes(routes!(acks::ack))
}

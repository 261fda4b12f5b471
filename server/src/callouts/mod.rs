//! Callouts, policy and pages over HTTP, and what the rest of the server tells dispatch.
//!
//! Handlers check who asks, then hand over to the runner, where one transaction does the whole step (`runner/step.rs`).
//! Who may do what to a callout is the engine's decision; what somebody may not know of is "not found".

pub(crate) mod documents;
mod handlers;
mod pages;
mod policy;
mod room;
#[cfg(test)]
pub(crate) mod tests;

pub use pages::page_seen;
pub(crate) use room::{members_added, room_created};

use crate::app::Shared;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this part of the house.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(handlers::open, handlers::list))
        .routes(routes!(handlers::get))
        .routes(routes!(handlers::timeline))
        .routes(routes!(handlers::team))
        .routes(routes!(handlers::act))
        .routes(routes!(pages::seen))
        .routes(routes!(pages::list))
        .routes(routes!(policy::get_policy, policy::put_policy))
}

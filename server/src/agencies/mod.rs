//! Other agencies' notices over HTTP: an agency's people list and acknowledge their own, and see nothing else of a
//! callout (DOMAIN.md, "Who uses it"). What becomes of a notice is the engine's decision (`dispatch/agencies.rs`); it is
//! carried out in `runner/agencies.rs`.

mod handlers;
mod rules;

pub(crate) use rules::check_rules;

use crate::app::Shared;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this part of the house.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(handlers::list)).routes(routes!(handlers::acknowledge))
}

//! Profiles of people: what dispatch matches a responder by, and what keeps them from being called.
//!
//! | file | what |
//! |---|---|
//! | `rights` | who may change what: a pure comparison of before and after |
//! | `store` | where a profile is kept, and what the engine is given of it |
//! | `handlers` | the routes |

mod handlers;
mod rights;
mod store;

pub(crate) use store::read_profile;

use crate::app::Shared;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this part of the house.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(handlers::get, handlers::put))
}

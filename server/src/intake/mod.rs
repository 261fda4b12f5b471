//! Officers without an app: agencies' lines to the duty number, and the intake for their dispatch systems.
//!
//! | file | what |
//! |---|---|
//! | `lines`, `store` | `/v1/lines`: who keeps them, and where |
//! | `codes`, `slow` | agencies' codes: made, looked up, kept from being tried out |
//! | `keys` | keys of dispatch systems, and who holds one |
//! | `opening` | how a line opens a callout: once for each call, message or request, within its quota |
//! | `callouts` | `/v1/intake/callouts` |

mod callouts;
mod codes;
mod keys;
mod lines;
mod opening;
mod slow;
mod store;

pub(crate) use codes::{Codes, Tried, caller_digest, try_code};
pub(crate) use lines::must_know_lines;
pub(crate) use opening::{Asking, Opened, RequestId};
pub(crate) use slow::{Slow, same};

use crate::app::Shared;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this part of the house.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(lines::list, lines::add))
        .routes(routes!(lines::change, lines::remove))
        .routes(routes!(lines::renew_code))
        .routes(routes!(keys::list, keys::add))
        .routes(routes!(keys::revoke))
        .routes(routes!(callouts::open))
        .routes(routes!(callouts::get))
        .routes(routes!(callouts::cancel))
}

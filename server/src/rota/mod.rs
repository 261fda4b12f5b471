//! The rota over HTTP, calendar feeds, and what people hear of it by themselves.
//!
//! Who is on duty is computed by the protocol crate's pure functions from one document. Everything that changes it is one
//! transaction: read, change, check, replace, audit.
//!
//! | file | what |
//! |---|---|
//! | `plan` | the document as a whole |
//! | `changes` | overrides and absences, one at a time |
//! | `swaps` | offered by one person, answered by another |
//! | `import` | absences from a calendar |
//! | `reads` | who is on call, the schedule, gaps, fairness |
//! | `feeds`, `ical` | secret addresses, and the calendars behind them |
//! | `duty` | tells who goes on and off duty, and of new gaps |

mod changes;
mod duty;
mod feeds;
mod ical;
mod import;
mod plan;
mod reads;
mod swaps;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use duty::run;
pub use feeds::Feeds;
pub(crate) use plan::{KEEPERS, require_host};

use crate::app::Shared;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this part of the house.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(plan::get_rota, plan::put_rota))
        .routes(routes!(changes::add_override))
        .routes(routes!(changes::remove_override))
        .routes(routes!(changes::add_absence))
        .routes(routes!(changes::remove_absence))
        .routes(routes!(import::import))
        .routes(routes!(swaps::offer))
        .routes(routes!(swaps::answer))
        .routes(routes!(reads::on_call))
        .routes(routes!(reads::schedule))
        .routes(routes!(reads::gaps))
        .routes(routes!(reads::fairness))
        .routes(routes!(feeds::make, feeds::list))
        .routes(routes!(feeds::revoke))
        .routes(routes!(ical::get))
}

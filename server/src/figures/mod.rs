//! After the night: the record of each callout, figures over all of them, and what may leave the organisation.
//!
//! | file | what |
//! |---|---|
//! | `facts` | what remains of a callout, written in the transaction of its step |
//! | `record` | one callout's after-action record, and how its responders are |
//! | `period`, `compute`, `suppress` | pure: local months; facts to figures; what is left out of what leaves the house |
//! | `table`, `csv` | one table, and its form for a spreadsheet |
//! | `report` | the printable page |
//! | `handlers` | the routes: who may see what, and the audit trail's line for what was given out |

mod compute;
mod csv;
mod facts;
mod handlers;
mod period;
mod record;
mod report;
mod suppress;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use facts::make_up;

use crate::app::Shared;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this part of the house.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(record::get))
        .routes(routes!(record::put_welfare))
        .routes(routes!(handlers::figures))
        .routes(routes!(handlers::export))
        .routes(routes!(handlers::report))
}

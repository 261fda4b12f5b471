//! Several nodes on PostgreSQL and Redis, beside one on SQLite: what they take, and what it costs when one dies.
//!
//! Everything shares this machine's cores: nodes, PostgreSQL, Redis and the generator. More nodes therefore show what
//! sharing costs, not what more machines would bring.

mod death;
mod growth;
mod reconnect;
mod silence;

use crate::report::Report;
use std::time::Duration;

/// Nodes of a cluster here.
const NODES: usize = 3;

pub(crate) async fn measure(report: &mut Report, time: Duration, quick: bool) {
    growth::measure(report, time, quick).await;
    death::measure(report, time).await;
    silence::measure(report, time).await;
    reconnect::measure(report, if quick { 500 } else { 5_000 }).await;
}

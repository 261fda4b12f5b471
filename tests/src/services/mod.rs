//! Real PostgreSQL and Redis for tests, on loopback.
//!
//! # How a test gets a database of its own
//!
//! ```no_run
//! use firstlight_tests::services::Database;
//!
//! # async fn migrate(_url: String) {}
//! # async fn scenario() {
//! // A copy of a template, which is made once (by whichever test is first) under this name: name it after everything
//! // that decides what is in it, such as the newest migration. `migrate` gets the URL of an empty database, fills it,
//! // and must have closed its connections when it returns.
//! let database = Database::copy_of("firstlight_0016", migrate).await;
//! let url: &str = database.url(); // postgres://postgres@127.0.0.1:PORT/test_…: give it to the server
//! # drop(url);
//! drop(database); // ends whoever is still connected and drops it; keep it for as long as the server runs
//! # }
//! ```
//!
//! [`Database::empty`] is the same without a template, for tests of the migrations themselves.
//!
//! They live on the PostgreSQL of `FIRSTLIGHT_TEST_POSTGRES` (the URL of a superuser's database), which `tests/services
//! run COMMAND…` starts and stops: `tests/services run cargo nextest run -p firstlight-tests NAME`; so does `tests/run`. It
//! syncs nothing to the disk and takes any password. Where the variable is missing, a test starts such a server for itself
//! (some three seconds) and stops it, so that any test runs by itself.
//!
//! # How a test gets a server that it may break
//!
//! [`Postgres::start`] and [`Redis::start`] give servers of the test's own, synced to the disk as an operator's is, and
//! with a password: `kill9`, `stop`, `pause`, `resume` and `restart` are theirs ([`Service`]).
//!
//! How either is installed and started stands in `tests/services` alone, a script; Rust only asks it to.

mod postgres;
mod redis;
mod service;

pub use postgres::{Database, Postgres};
pub use redis::Redis;
pub use service::Service;

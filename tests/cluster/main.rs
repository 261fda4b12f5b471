//! Several nodes on real PostgreSQL and Redis, and what may happen to each of them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod logs;
mod nights;
mod paging;
mod services;

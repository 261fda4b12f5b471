//! One SQL text for both databases.
//!
//! The two drivers of sqlx have different types for everything, and its `Any` driver knows too few of them. Here a query
//! is written once, with `$1` for its values, and run on whichever database the connection leads to. What the texts may
//! use is what both understand: five kinds of [`Value`], `ON CONFLICT`, `RETURNING`; truth is a number (0 or 1) in tables.
//! Where the databases really differ, [`Conn::database`] tells which it is.

mod conn;
mod query;
mod row;
mod value;

pub use conn::{Acquired, Conn, Pool};
pub use query::{Done, Executor, Query, Scalar, Target, query, query_scalar};
pub use row::{Column, Row};
pub use value::Value;

/// The databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    /// A file beside the server.
    Sqlite,
    /// A server that several nodes share.
    Postgres,
}

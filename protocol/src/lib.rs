//! Wire types, typed ids, limits, error codes, roles and room kinds, and certificate rules of Firstlight.
//!
//! Everything both sides must agree on stands here, and nothing else: no I/O, no clock, no randomness. Times and
//! random bytes come in as parameters, so that the crate builds for servers and for browsers alike.

pub mod admission;
pub mod agency;
pub mod api;
pub mod attachment;
pub mod attention;
pub mod callout;
pub mod cert;
pub mod error;
pub mod figures;
pub mod id;
pub mod invite;
pub mod limits;
pub mod line;
pub mod mls;
pub mod policy;
pub mod profile;
pub mod record;
pub mod role;
pub mod rota;
pub mod signed;
pub mod stream;
pub mod time;
pub mod wire;

pub use error::{ErrorCode, Problem};
pub use id::*;
pub use role::{OrgKind, Role, RoomKind};
pub use time::Timestamp;
pub use wire::{Bytes, Secret};

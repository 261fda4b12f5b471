//! Several nodes on one PostgreSQL and one Redis, and bad lines between them.

mod nodes;
mod proxy;

pub use nodes::{Cluster, Node};
pub use proxy::{Proxy, Way};

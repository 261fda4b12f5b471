//! What those who run a server see of it and do to it while it works.

mod drain;
mod monitoring;
mod tls;
mod traces;

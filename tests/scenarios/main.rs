//! Scenarios over real sockets and a real SQLite file. Where time matters it is virtual: nothing sleeps.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what fails here fails the test")]

mod after;
mod agencies;
mod answering;
mod attachments;
mod backups;
mod callout_room;
mod channels;
mod complaints;
mod consent;
mod contract;
mod documents;
mod escalation;
mod key_packages;
mod operating;
mod paging;
mod phone;
mod projections;
mod proof;
mod recovery;
mod refused;
mod restart;
mod retention;
mod revocation;
mod rooms;
mod shared;
mod stream;

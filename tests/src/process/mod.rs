//! The product as real processes: `firstlight-server` and `firstlight`, started, killed and read like an operator's.
//!
//! | file | what |
//! |---|---|
//! | `binaries` | where the two programs are; builds them if need be |
//! | `lines` | what a process writes, line by line, waited for with a deadline and never by sleeping |
//! | `server` | a server on a directory: start, kill -9, restart, its own commands |
//! | `cli` | a person's device: one command at a time, or a `watch` that runs on |
//! | `world` | a host organisation, a police agency, their people, a rota and a policy with short timers |
//! | `receiver` | a small HTTP server that takes pages as a webhook |

pub mod binaries;
mod cli;
mod failed;
mod lines;
mod receiver;
mod server;
mod world;

pub use cli::{Cli, Refused, Watch};
pub use failed::{Failed, Result, fail};
pub use lines::{Line, Lines};
pub use receiver::{Answer, Receiver, Request, VERIFY};
pub use server::ServerProcess;
pub use world::{Plan, Timers, World, enrol, person};

use futures_util::FutureExt;
use std::time::Duration;

/// How long anything may take that should take a moment: long enough for a machine that is busy with something else.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What a state on a disk answers: a browser's makes one wait, this one never does.
pub fn at_once<F: Future>(asked: F) -> F::Output {
    match asked.now_or_never() {
        Some(answer) => answer,
        None => unreachable!("a state directory made somebody wait"),
    }
}

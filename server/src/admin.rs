//! What an operator does beside the running server: look after the audit trail, copy the data, ask how it is.
//!
//! Most commands open the database for reading only; `hold` and the note of a backup write to it as another node would. All
//! are safe while the server runs, but those of `moving`.

mod audit;
mod backup;
mod hold;
mod keys;
mod moving;
mod probe;

pub use audit::{show, verify};
pub use backup::backup;
pub use hold::{add_hold, list_holds, release_hold};
pub use keys::{make_keys, print_bootstrap_token};
pub use moving::{move_to_postgres, restored};
pub use probe::{drain, ready};

use crate::{Result, config::Config, store::Store};
use serde::Serialize;
use std::io::{self, Write};

/// How a command ended, beyond an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All is well.
    Good,
    /// The audit trail does not verify.
    Broken,
}

/// Where a command's answer goes: sentences for people or JSON for programs.
#[derive(Debug)]
pub struct Output<W> {
    /// Usually standard output.
    pub to: W,
    /// JSON instead of sentences.
    pub json: bool,
}

/// The server's database, for reading beside it.
async fn look(config: &Config) -> Result<Store> {
    match config.database.url()? {
        None => Store::open_read_only(&config.data_dir).await,
        Some(url) => Store::open_shared_read_only(&url).await,
    }
}

impl<W: Write> Output<W> {
    /// Writes one answer: `value` as a line of JSON, or the sentence.
    fn say(&mut self, value: &impl Serialize, sentence: impl FnOnce() -> String) -> Result<()> {
        let text = if self.json { serde_json::to_string(value).map_err(crate::Error::internal)? } else { sentence() };
        match writeln!(self.to, "{text}") {
            // A reader that has seen enough (`| head`) is no failure.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(crate::Error::internal(error)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;

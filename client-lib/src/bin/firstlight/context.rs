//! What every command shares: where the state is, what opens it, how answers look.

use super::{
    failure::Failure,
    output::{Output, Page, When},
    passphrase,
};
use clap::Args;
use firstlight_client::{
    session::{Session, SessionError, State, now},
    storage::StorageError,
};
use firstlight_protocol::ErrorCode;
use std::path::PathBuf;

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Directory of this device's sealed state
    #[arg(long, global = true, help_heading = "Every command", value_name = "DIR", env = "FIRSTLIGHT_STATE")]
    pub(crate) state: Option<PathBuf>,
    /// One JSON value on standard output instead of text
    #[arg(long, global = true, help_heading = "Every command")]
    pub(crate) json: bool,
    /// File whose first line is the passphrase [else FIRSTLIGHT_PASSPHRASE, else asked for]
    #[arg(long, global = true, help_heading = "Every command", value_name = "FILE", conflicts_with = "key_file")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// File with a random key instead of a passphrase; made if it is missing
    #[arg(long, global = true, help_heading = "Every command", value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// Allow http to another machine (anybody on the way can read the sign-in)
    #[arg(long, global = true, help_heading = "Every command")]
    pub(crate) insecure_http: bool,
}

/// Options, and where the answer goes.
#[derive(Debug)]
pub(crate) struct Context {
    global: Global,
    /// Where answers go.
    pub(crate) out: Output,
}

impl Context {
    /// For one command.
    pub(crate) fn new(global: Global, out: Output) -> Self {
        Self { global, out }
    }

    /// Whether http to another machine is allowed.
    pub(crate) fn insecure_http(&self) -> bool {
        self.global.insecure_http
    }

    /// An empty page, for times around now.
    pub(crate) fn page(&self) -> Page {
        self.out.page(&When::here(now()))
    }

    /// The state directory of a device that is set up, or being set up.
    pub(crate) fn state(&self) -> Result<State, Failure> {
        let dir = self.dir()?;
        if !dir.is_dir() {
            return Err(SessionError::NotSetUp.into());
        }
        match State::open(&dir, &passphrase::unlock(&self.global, false)?) {
            Err(SessionError::Storage(StorageError::Missing(_))) => Err(SessionError::NotSetUp.into()),
            other => Ok(other?),
        }
    }

    /// A new state directory, or one in which setting up was begun.
    pub(crate) fn new_state(&self) -> Result<State, Failure> {
        let dir = self.dir()?;
        let fresh = std::fs::read_dir(&dir).map_or(true, |mut files| files.next().is_none());
        let unlock = passphrase::unlock(&self.global, fresh)?;
        match State::create(&dir, &unlock) {
            Err(SessionError::Storage(StorageError::Exists(_))) => Ok(State::open(&dir, &unlock)?),
            other => Ok(other?),
        }
    }

    /// A set-up device's session.
    pub(crate) async fn session(&self) -> Result<Session, Failure> {
        Ok(Session::new(self.state()?, self.global.insecure_http).await?)
    }

    /// Catches up before a command answers. Trouble with one room must not keep a person from another: it is said beside
    /// the answer.
    pub(crate) async fn catch_up(&self, session: &Session) -> Result<(), Failure> {
        let (caught, result) = session.sync().await;
        for trouble in &caught.troubles {
            self.out.aside(&trouble.to_string());
        }
        Ok(result?)
    }

    fn dir(&self) -> Result<PathBuf, Failure> {
        if let Some(dir) = &self.global.state {
            return Ok(dir.clone());
        }
        let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|dir| dir.is_absolute());
        let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
        data.or_else(home).map(|dir| dir.join("firstlight")).ok_or_else(|| {
            Failure::local(ErrorCode::InvalidValue, "There is no home directory: name a place with --state.")
        })
    }
}

//! One device at work: drives the engine against the server.
//!
//! What comes from the server goes into the engine, its step is stored, and only then are its effects carried out, until
//! nothing is left to do (`drive`). Short commands catch up once over HTTP ([`Session::sync`]); a watching one holds a
//! websocket ([`Live`]). Every multi-step thing a person wants (a callout with its room, an enrolment, a revocation) has
//! its module here, and is stored before its first request, so that a crash in between is repaired and never doubled.

mod actions;
#[cfg(feature = "native")]
mod addresses;
mod admission;
#[cfg(feature = "native")]
mod attachments;
mod callout_room;
mod drive;
mod enrolment;
mod error;
mod founding;
mod handed;
mod invites;
mod live;
mod members;
mod partners;
mod random;
mod recovery;
mod revoking;
mod roomless;
mod rooms;
mod sheet;
mod state;
mod sync;
mod unseen;

pub use crate::clock::now;
#[cfg(target_arch = "wasm32")]
pub use crate::clock::sleep;
pub use actions::Opening;
#[cfg(feature = "native")]
pub use attachments::SentFile;
pub use callout_room::RoomBuilt;
pub use drive::CaughtUp;
pub use enrolment::{Joining, PendingDevice};
pub use error::SessionError;
pub use founding::{Founding, FoundingAllowance};
pub use invites::{MadeInvite, StoredInvite};
pub use live::{Happening, Live};
pub use members::{Candidates, LeftOut};
pub use partners::PendingPartner;
pub use random::random;
pub use recovery::{RecoveringAdmin, Recovery};
pub use sheet::{InvalidSheet, OwnSheet, RecoverySheet};
pub use state::State;

use crate::{
    storage::Outcome,
    transport::{Api, Http, ServerUrl, SignIn},
};
use handed::Handed;
use std::{pin::Pin, sync::Arc};

/// A future that is compiled once. An async fn is compiled again into every crate that awaits it, with all it awaits.
#[cfg(feature = "native")]
type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
#[cfg(target_arch = "wasm32")]
type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// A set-up device and its connection.
#[derive(Debug, Clone)]
pub struct Session {
    state: Arc<State>,
    api: Api<State>,
    handed: Arc<Handed>,
}

impl Session {
    /// Over an opened state directory of a device that has a server; nothing is sent yet.
    ///
    /// `insecure_http` allows a server that was set up over http on another machine.
    pub async fn new(state: impl Into<Arc<State>>, insecure_http: bool) -> Result<Self, SessionError> {
        let state = state.into();
        let place = state.server().await?.ok_or(SessionError::NotSetUp)?;
        let http = Http::new(ServerUrl::parse(&place.address, insecure_http || place.insecure)?)?;
        let sign_in = SignIn::new(state.clone());
        let session = Self { api: Api::new(http, sign_in), state, handed: Arc::default() };
        #[cfg(feature = "native")]
        session.recall_addresses().await?;
        Ok(session)
    }

    /// The HTTP API, signed in as this device.
    pub fn api(&self) -> &Api<State> {
        &self.api
    }

    /// What this device keeps.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Gives what was stored beside an open [`Live`] to it: its requests go out there, and what changed is shown.
    pub fn hand_over(&self, outcome: Outcome) {
        self.handed.give(outcome);
    }

    /// Carries out what a step asks for, and all that follows from it. An error means that nothing more could be done:
    /// what was left open stays in the outbox.
    pub async fn drive(&self, outcome: Outcome) -> Result<CaughtUp, SessionError> {
        let mut caught = CaughtUp::default();
        drive::until_quiet(self, outcome, &mut caught).await?;
        Ok(caught)
    }
}

//! What can happen to a callout.

use crate::Actor;
use firstlight_protocol::{
    ActionId, CalloutId, PageId, RoomId,
    callout::{Action, FailReason, Phone, Purpose, Receipt, Routing},
};

/// Opens a callout.
#[derive(Debug, Clone)]
pub struct Open {
    /// Its id, chosen by the officer's client.
    pub id: CalloutId,
    /// Who opens it.
    pub by: Actor,
    /// The routing fields.
    pub routing: Routing,
    /// Why it is opened.
    pub purpose: Purpose,
    /// Where an officer without an app is told by SMS what becomes of it.
    pub caller: Option<Phone>,
}

/// Something that happens to a callout.
#[derive(Debug, Clone)]
pub enum Input {
    /// A person does something.
    Act {
        /// Who.
        by: Actor,
        /// The action's id; the same one again changes nothing.
        id: ActionId,
        /// What.
        action: Action,
    },
    /// The callout's timer, or the sweeper. Harmless at any time: what is not due does not happen.
    Timer,
    /// What became of pages. As many as the runner has gathered, in any order; unknown and repeated ones are ignored.
    Receipts(Vec<PageReceipt>),
    /// Somebody of another agency acknowledges its notice. The same again changes nothing.
    NoticeAcknowledged {
        /// Who.
        by: Actor,
    },
    /// The callout's room exists.
    RoomLinked {
        /// The room.
        room: RoomId,
    },
}

/// What became of one page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageReceipt {
    /// The page.
    pub page: PageId,
    /// What became of it.
    pub outcome: PageOutcome,
}

/// What became of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageOutcome {
    /// It came this far.
    Reached(Receipt),
    /// The channel could not take it.
    Failed(FailReason),
}

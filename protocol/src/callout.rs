//! The callout on the wire: what an officer sends, what people do with it, what each role sees of it (DOMAIN.md,
//! "The callout").
//!
//! Every text here is a code of a fixed shape. No field can hold a young person's name, an address or free text: those
//! travel end-to-end encrypted in the callout's room, on their own path.

mod action;
mod code;
mod routing;
mod state;
mod view;

pub use action::{Action, CancelReason, MAX_ASKED, MAX_ETA_MINUTES, OutcomeReason, Support, Welfare};
pub use code::{Code, InvalidCode, Language, Phone};
pub use routing::{
    AgeBand, MAX_LANGUAGES, MAX_TRAINING, MAX_WANTED, MAX_YOUNG_PEOPLE, OpenCallout, Preference, Purpose, Routing,
};
pub use state::{Alarm, CalloutState, Constraint, Event, FailReason, NextStep, Receipt, ResponderState, Tier};
pub use view::{CalloutView, NextAction, Outcome, PageView, RaisedAlarm, ResponderView, StepView, TimelineEntry};

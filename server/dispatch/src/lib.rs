//! The dispatch engine: a pure state machine for one callout.
//!
//! A callout, an input, the policy and rota of the moment and the time go in; a new callout and effects come out
//! ([`open()`], [`step()`]). No clock, no randomness, no I/O: the runner stores the new callout *and* its effects in one
//! transaction, then acts on them. What a person sees of a callout is computed here too ([`view()`]).
//!
//! The rules are DOMAIN.md's ("The callout"); where it leaves a choice, the choice is this:
//!
//! - **Tiers.** Everyone on duty in a tier is called at once, those who speak the language first; a language or a
//!   preference never keeps somebody from being called. A tier lasts from its own first page for as long as the policy
//!   puts between it and the next one. So a tier that costs no time (nobody on duty, or all of it has answered without
//!   filling the callout) brings everything after it forward; nothing is ever later than the policy says.
//! - **A call** is one page on the person's next channel. A channel that fails, or has not taken the page within
//!   `channel_stall_ms`, is passed over at once, each channel once per call. After `calls_per_turn` calls a person's turn
//!   is over; the slow rounds that begin once everyone has been called go on calling them.
//! - **Acknowledging** pauses the calls to that person for `acknowledge_grace_ms` and stops nothing else.
//! - **Never silent.** Until as many have accepted as are wanted, there is always a timer: the next tier, or the next
//!   slow round, which also reads rota and people again and tells the officer once more.
//! - **Nobody is called after they declined or withdrew**, and nobody after they were stood down, with two exceptions:
//!   a reopened callout (a responder withdrew, or more are wanted) begins a new round that calls those who were stood
//!   down again; and a supervisor may ask people by name (`call_more`). Somebody who declined may still accept.
//! - **Late timers** (a server that was down) run on the schedule they had: one step catches up with every tier that
//!   should have been called by now, and calls each person once.

mod act;
mod agencies;
mod call;
mod callout;
mod climb;
mod context;
mod effect;
mod facts;
mod input;
mod key;
mod matching;
pub mod readiness;
mod refused;
mod step;
mod timers;
mod view;
mod watch;

pub use agencies::{AgencyEffect, AgencyEvent, AgencyPerson, agency_notice_view};
pub use callout::{Callout, MAX_PAGES_KEPT};
pub use context::{Actor, Context, Qualified, RecentCallout, Rule};
pub use effect::{Audience, CallerNews, Effect, Notice};
pub use facts::{Facts, PageNews, facts, page_news, parts};
pub use input::{Input, Open, PageOutcome, PageReceipt};
pub use key::page_id;
pub use refused::Refused;
pub use step::{open, step};
pub use view::{room_people, view};

//! Whether a page would reach the people on duty, and whom to test when. Pure, like the rest: the rota, what is known
//! of each person's ways, and the time go in; a judgement and the tests to send come out.
//!
//! - **What is proven** is a way (the app, or one verified contact method): the person has shown that something sent
//!   that way had reached them. Verifying a contact method shows that too.
//! - **A proof counts** for a shift if it is younger than `fresh_for` when the shift begins; it need not be repeated
//!   during the shift. Somebody on duty for longer than `fresh_for` without a break proves their ways anew every
//!   `fresh_for`; until `ahead` later the old proof still counts.
//! - **A test goes out** `ahead` before the shift, or as soon as the rota tells of it. A test is no reason to wake
//!   anybody: between 21:00 and 08:00 in the rota's time zone it waits for the morning, unless the shift begins before
//!   that. Once the shift has begun, tests wait for the morning in any case: then the board is red already.
//! - **Red** is a way that is not proven when its shift begins, or whose second test was met with silence too, or that
//!   could not take the test; and a person whom no page could reach. Before that it is amber.

mod duty;
mod judge;
mod plan;

pub use duty::{Duty, duties};
pub use judge::{Reach, Way, WayState, judge};
pub use plan::{Check, Order, orders};

use firstlight_protocol::{PersonId, Timestamp};

/// How often one check is sent at most: the test and its reminders.
pub const MAX_SENT: u32 = 6;

/// A duty with what is known of its person.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The person's ways.
    pub reach: &'a Reach,
    /// Their duty; `None` for somebody who is not on the rota now or soon.
    pub duty: Option<&'a Duty>,
    /// The time.
    pub now: Timestamp,
}

impl Case<'_> {
    /// Who.
    pub fn person(&self) -> PersonId {
        self.reach.person
    }
}

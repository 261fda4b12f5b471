//! The telephone: a called responder's menu, answers by SMS, and the duty number for officers without an app.
//!
//! | file | what |
//! |---|---|
//! | `menu`, `duty` | the two dialogues, sans-IO: what was heard goes in, what to say or do comes out |
//! | `sms` | what somebody's SMS means |
//! | `texts`, `twiml` | what is said and written, per language; the XML in which the provider gets it |

mod duty;
mod menu;
mod sms;
mod texts;
mod twiml;

use crate::{intake::Codes, limit::RateLimit};
use std::time::Duration;

/// What the telephone keeps in memory: limits.
#[derive(Debug)]
pub struct Phone {
    /// Agencies' codes.
    pub(crate) codes: Codes,
    /// Requests of one intake key.
    pub(crate) intake: RateLimit,
}

impl Default for Phone {
    fn default() -> Self {
        Self { codes: Codes::default(), intake: RateLimit::new(60, Duration::from_secs(1)) }
    }
}

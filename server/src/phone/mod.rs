//! The telephone: a called responder's menu, answers by SMS, and the duty number for officers without an app.
//!
//! | file | what |
//! |---|---|
//! | `menu`, `duty` | the two dialogues, sans-IO: what was heard goes in, what to say or do comes out |
//! | `sms` | what somebody's SMS means |
//! | `voice`, `calls` | the voice routes, and how far each call is |
//! | `incoming`, `answers` | the SMS route; whose an answer is, and what becomes of it |
//! | `pins` | PINs for answers by call |
//! | `texts`, `twiml` | what is said and written, per language; the XML in which the provider gets it |

mod answers;
mod calls;
mod duty;
mod incoming;
mod menu;
mod pins;
mod sms;
mod texts;
mod twiml;
mod voice;

use crate::{
    app::Shared,
    bus::Bus,
    intake::{Codes, Slow},
    limit::RateLimit,
};
use std::time::Duration;
use utoipa_axum::{router::OpenApiRouter, routes};

/// What the telephone keeps in memory: limits.
#[derive(Debug)]
pub struct Phone {
    /// Agencies' codes.
    pub(crate) codes: Codes,
    /// Requests of one intake key.
    pub(crate) intake: RateLimit,
    /// Digests of PINs.
    slow: Slow,
    /// Calls of one number to the duty number.
    calls: RateLimit,
    /// SMS of one number.
    messages: RateLimit,
    /// Answers to a number that is nobody's.
    strangers: RateLimit,
}

impl Phone {
    /// Nobody has called yet.
    pub fn new(bus: &Bus) -> Self {
        Self {
            codes: Codes::new(bus),
            intake: bus.limit("phone.intake", 60, Duration::from_secs(1)),
            slow: Slow::default(),
            calls: bus.limit("phone.calls", 20, Duration::from_secs(30)),
            messages: bus.limit("phone.messages", 20, Duration::from_secs(10)),
            strangers: bus.limit("phone.strangers", 1, Duration::from_secs(3600)),
        }
    }
}

/// The routes of this part of the house.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(voice::answered))
        .routes(routes!(voice::keyed))
        .routes(routes!(voice::incoming))
        .routes(routes!(incoming::incoming))
        .routes(routes!(pins::put))
}

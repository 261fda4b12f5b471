//! The channels, each against a stand-in that behaves as the real provider, its faults included.

mod alarms;
mod blocked;
mod callbacks;
mod desk;
mod email;
mod failover;
mod hand_offs;
mod push;
mod rules;
mod stalled;
mod verifying;
mod voice;
mod web;

pub(crate) use desk::{
    ADVOCATE, Desk, FIRST, PAGE, SECOND, browser, by, desk, desk_with, email, id, is_content_free, legs, rule, sms,
    voice,
};

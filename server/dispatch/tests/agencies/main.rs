//! Other agencies' notices: the rules one by one, and over random histories that they never touch anything else.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod parallel;
#[path = "../histories/random.rs"]
mod random;
mod rules;
mod seen;
mod town;

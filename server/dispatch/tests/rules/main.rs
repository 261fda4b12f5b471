//! The rules of DOMAIN.md, one by one, in virtual time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a test may panic and print")]

mod answering;
mod callers;
mod calling;
mod company;
mod ending;
mod escalation;
mod filling;
mod matching;
mod persons;
mod steps;
mod views;
mod watching;
mod world;

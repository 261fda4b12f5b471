//! The rules of DOMAIN.md, one by one, in virtual time.

mod answering;
mod calling;
mod ending;
mod escalation;
mod filling;
mod views;
mod watching;
mod world;

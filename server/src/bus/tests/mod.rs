//! One suite for every way in which a bus can stand between who says something and who hears it.

mod conformance;
mod outages;
pub(super) mod reader;
mod redis;
mod topologies;

//! What nobody may do: each a typed problem in a plain sentence, with nothing changed.

mod frames;
mod http;
mod identity;
mod messages;
mod slow;

//! Ids that the engine makes. It has no randomness, so they follow from what they name; a step that is computed twice
//! makes the same ones.

use firstlight_protocol::{
    ActionId, CalloutId, OrgId, PageId, PersonId,
    callout::{Action, Code},
    policy::Channel,
    wire::to_cbor,
};
use sha2::{Digest, Sha256};

/// The id of the `attempt`th page to a person in a callout, by that channel.
pub fn page_id(callout: CalloutId, person: PersonId, attempt: u32, channel: Channel) -> PageId {
    PageId(short_digest(
        b"firstlight page",
        &[callout.as_bytes(), person.as_bytes(), &attempt.to_be_bytes(), &to_cbor(&channel)],
    ))
}

/// The id of the `attempt`th attempt to notify a person of another agency about a callout, by that channel.
pub(crate) fn notice_id(callout: CalloutId, agency: OrgId, person: PersonId, attempt: u32, channel: Channel) -> PageId {
    PageId(short_digest(
        b"firstlight notice",
        &[callout.as_bytes(), agency.as_bytes(), person.as_bytes(), &attempt.to_be_bytes(), &to_cbor(&channel)],
    ))
}

/// The id of what a step tells somebody outside: once in each walk of each round.
pub(crate) fn outside_id(callout: CalloutId, round: u32, walk: u8, step: usize, code: &Code) -> PageId {
    let place = [round.to_be_bytes(), u32::from(walk).to_be_bytes(), (step as u32).to_be_bytes()].concat();
    PageId(short_digest(b"firstlight outside", &[callout.as_bytes(), &place, code.as_str().as_bytes()]))
}

/// The id of the `n`th message to an officer without an app.
pub(crate) fn caller_id(callout: CalloutId, n: u32) -> PageId {
    PageId(short_digest(b"firstlight caller", &[callout.as_bytes(), &n.to_be_bytes()]))
}

/// Tells whether an action that comes again under the same id is the same one.
pub(crate) fn action_digest(by: PersonId, id: ActionId, action: &Action) -> [u8; 16] {
    short_digest(b"firstlight action", &[by.as_bytes(), id.as_bytes(), &to_cbor(action)])
}

/// All parts but the last have a fixed length, so no two lists of parts have the same bytes.
fn short_digest(label: &[u8], parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = Sha256::new_with_prefix(label);
    for part in parts {
        hash.update(part);
    }
    let mut short = [0; 16];
    short.copy_from_slice(&hash.finalize()[..16]);
    short
}

//! The two-person rule: another class of organisation comes into a room only if two people want it (DOMAIN.md).
//!
//! A class is the kind of an organisation. A commit that adds the first device of a class to a room carries, in its
//! authenticated data, a [`Consent`]: what another member has signed. Server and members check it alike, from the
//! certificates in the room's tree and the log's own times, so that all of them decide the same.

use crate::{
    DeviceId, ErrorCode, MessageId, OrgKind, PersonId, Problem, RoomId, Timestamp,
    cert::DeviceIdentity,
    mls::RoomContext,
    signed::{Signed, Statement},
};
use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a question is open, and a consent to it good, after the question stood in the room's log.
pub const CONSENT_LIFE: Duration = Duration::from_secs(24 * 3_600);

/// What a second person agrees to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdmissionConsent {
    /// The room.
    pub room: RoomId,
    /// Organisations of this kind may come in.
    pub org_kind: OrgKind,
    /// Who asked, and may add them.
    pub to: PersonId,
    /// The message that asked.
    pub ask: MessageId,
    /// The room's epoch when it was given: a class that leaves after that takes the consent along.
    pub epoch: u64,
    /// First moment at which it is worth nothing any more: [`CONSENT_LIFE`] after the log's time of the question, so that
    /// no clock but the server's counts.
    pub expires_at: Timestamp,
}

impl Statement for AdmissionConsent {
    const CONTEXT: &'static str = "admission-consent";
}

/// A signed consent. The signer's certificates stand in the room's tree, so that it carries no chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The member's device that signed.
    pub by: DeviceId,
    /// What it signed.
    pub statement: Signed<AdmissionConsent>,
}

impl Consent {
    /// Signs with the key of the device's leaf.
    pub fn give(statement: &AdmissionConsent, by: DeviceId, key: &SigningKey) -> Self {
        Self { by, statement: Signed::sign(statement, key, Vec::new()) }
    }
}

/// Why a consent does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// There is none for this class.
    #[error("nobody else has agreed yet")]
    Missing,
    /// Whoever gave it is not a member (any more).
    #[error("whoever agreed is not a member of the room")]
    NotAMember,
    /// It is not what that member's device signed.
    #[error("the agreement is not signed by the member that it names")]
    Signature,
    /// It was given for another room.
    #[error("the agreement is for another room")]
    OtherRoom,
    /// It was given to another person than the one who adds.
    #[error("the agreement was given to somebody else")]
    OtherPerson,
    /// Whoever adds gave it, perhaps with another device.
    #[error("the one who agreed is the same person")]
    SamePerson,
    /// Whoever gave it may not decide this.
    #[error("whoever agreed may not decide this: it takes a person of the organisation that the room belongs to")]
    NotEntitled,
    /// Its time is over, or ends too far ahead.
    #[error("the agreement has expired")]
    Expired,
    /// The class was in the room since, and has left.
    #[error("the agreement was given before those people left the room")]
    Spent,
}

/// A class of organisation that may not come in yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{} can't be let into this room by one person alone: {why}", .org_kind.plain())]
pub struct NotAdmitted {
    /// The class.
    pub org_kind: OrgKind,
    /// Why.
    pub why: Flaw,
}

impl From<NotAdmitted> for Problem {
    fn from(refused: NotAdmitted) -> Self {
        Self::with(
            ErrorCode::NeedsConsent,
            format!(
                "To let {} in, ask in the room; another person of the organisation that the room belongs to has to \
                 agree. Namely, {}.",
                refused.org_kind.plain(),
                refused.why
            ),
        )
    }
}

/// A change of a room that consents are checked for.
#[derive(Debug, Clone, Copy)]
pub struct Admission<'a> {
    /// The room.
    pub room: RoomId,
    /// What it is.
    pub context: &'a RoomContext,
    /// Who commits the change.
    pub committer: PersonId,
    /// The epoch that the commit ends.
    pub epoch: u64,
    /// When: the server's clock, or the time that the log gives to the commit, which is the same.
    pub at: Timestamp,
}

impl Admission<'_> {
    /// Whether one of these consents lets a class in that the room does not hold.
    ///
    /// `left` is the first epoch without the class, if it was in the room before. `member` finds a member, before the
    /// change, by what its certificates say.
    pub fn check(
        &self,
        org_kind: OrgKind,
        left: Option<u64>,
        consents: &[Consent],
        member: impl Fn(DeviceId) -> Option<DeviceIdentity>,
    ) -> Result<(), NotAdmitted> {
        let mut why = Flaw::Missing;
        for consent in consents {
            match self.check_one(org_kind, left, consent, &member) {
                Ok(()) => return Ok(()),
                // Of another class: it says nothing about this one.
                Err(Flaw::Missing) => {}
                Err(flaw) => why = flaw,
            }
        }
        Err(NotAdmitted { org_kind, why })
    }

    fn check_one(
        &self,
        org_kind: OrgKind,
        left: Option<u64>,
        consent: &Consent,
        member: impl Fn(DeviceId) -> Option<DeviceIdentity>,
    ) -> Result<(), Flaw> {
        let by = member(consent.by).ok_or(Flaw::NotAMember)?;
        let given = consent.statement.verify(&by.key).map_err(|_| Flaw::Signature)?;
        let ends_too_late = given.expires_at > self.at + CONSENT_LIFE;
        match () {
            () if given.org_kind != org_kind => Err(Flaw::Missing),
            () if given.room != self.room => Err(Flaw::OtherRoom),
            () if by.person == self.committer => Err(Flaw::SamePerson),
            () if given.to != self.committer => Err(Flaw::OtherPerson),
            () if !decides(&by, self.context) => Err(Flaw::NotEntitled),
            () if given.expires_at <= self.at || ends_too_late => Err(Flaw::Expired),
            () if given.epoch > self.epoch || left.is_some_and(|left| given.epoch < left) => Err(Flaw::Spent),
            () => Ok(()),
        }
    }
}

/// Whether a member's agreement counts in a room: they work for the organisation that the room belongs to, and decide
/// about who reads (an interpreter is in it for a session, care staff for kits and counts).
pub fn decides(member: &DeviceIdentity, context: &RoomContext) -> bool {
    member.org == context.org && member.role.decides_about_readers()
}

#[cfg(test)]
mod tests;

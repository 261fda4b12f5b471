//! The two-person rule on this device (`firstlight_protocol::admission`): who asked to let another class of organisation
//! into a room, who agreed, and whether what comes in was agreed to.

use super::{
    Engine, EngineError, OutOfSync, RoomState, Step,
    settle::Place,
    state::{MemberRecord, RoomRecord, Wish, key},
    view::{Answered, Ask},
};
use firstlight_protocol::{
    MessageId, OrgKind, PersonId, RoomId, Timestamp,
    admission::{Admission, AdmissionConsent, CONSENT_LIFE, Consent, Flaw, NotAdmitted, decides},
    cert::DeviceIdentity,
    mls::Content,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Questions of a room that are kept; older ones are forgotten.
const KEPT: usize = 16;

/// What a device knows about a room's classes of organisations, beside its members.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Admissions {
    /// Questions that are open, oldest first.
    asks: Vec<AskRecord>,
    /// Classes that were in the room and left: the first epoch without them.
    left: BTreeMap<OrgKind, u64>,
}

/// Somebody asked to let a class in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct AskRecord {
    id: MessageId,
    org_kind: OrgKind,
    by: DeviceIdentity,
    at: Timestamp,
    answers: Vec<AnswerRecord>,
}

/// A person's newest answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct AnswerRecord {
    by: DeviceIdentity,
    at: Timestamp,
    consent: Option<Consent>,
}

fn classes<'a>(identities: impl IntoIterator<Item = &'a DeviceIdentity>) -> BTreeSet<OrgKind> {
    identities.into_iter().map(|identity| identity.org_kind).collect()
}

fn classes_of(members: &[MemberRecord]) -> BTreeSet<OrgKind> {
    classes(members.iter().map(|m| &m.identity))
}

/// Classes that are in `after` and not in `before`, if it takes two people to let them into such a room.
pub(super) fn coming<'a>(
    record: &RoomRecord,
    before: &[MemberRecord],
    after: impl IntoIterator<Item = &'a DeviceIdentity>,
) -> BTreeSet<OrgKind> {
    match record.context.kind.takes_two() {
        true => &classes(after) - &classes_of(before),
        false => BTreeSet::new(),
    }
}

impl Engine {
    /// Asks the room to let a class of organisation in. Once another person has agreed, [`Self::add`] adds its people.
    pub fn ask_to_admit(
        &mut self,
        room: RoomId,
        org_kind: OrgKind,
        id: MessageId,
        now: Timestamp,
    ) -> Result<Step, EngineError> {
        let record = self.usable_room(room)?;
        let kind = record.context.kind;
        let why = match () {
            () if !kind.takes_two() => "people of this kind of room are added without asking",
            () if !kind.admits_org(org_kind) => "a room of this kind never admits that kind of organisation",
            () if classes_of(&self.members(room)?).contains(&org_kind) => "that kind of organisation is in it already",
            () => return self.wish(record, id, now, |_, _| Ok(Some(send(Content::AskToAdmit { org_kind })))),
        };
        Err(EngineError::RoomNotUsable { room, why })
    }

    /// Answers somebody's question. To agree, this device signs a consent; the one who asked takes the question back by not
    /// agreeing.
    pub fn answer_ask(
        &mut self,
        room: RoomId,
        ask: MessageId,
        agrees: bool,
        id: MessageId,
        now: Timestamp,
    ) -> Result<Step, EngineError> {
        let record = self.usable_room(room)?;
        let asked = self.admissions(room)?.asks.into_iter().find(|a| a.id == ask && now < a.at + CONSENT_LIFE);
        let unusable = |why| EngineError::RoomNotUsable { room, why };
        let asked = asked.ok_or(unusable("nobody asks that (any more)"))?;
        let own = self.identity().cloned().ok_or(EngineError::NotEnrolled)?;
        if !agrees {
            return self.wish(record, id, now, |_, _| Ok(Some(send(Content::Disagree { ask }))));
        }
        if let Some(why) = unfit(&own, &asked.by, &record) {
            return Err(NotAdmitted { org_kind: asked.org_kind, why }.into());
        }
        let given = AdmissionConsent {
            room,
            org_kind: asked.org_kind,
            to: asked.by.person,
            ask,
            epoch: record.epoch,
            expires_at: asked.at + CONSENT_LIFE,
        };
        let consent = Consent::give(&given, own.device, self.signing_key()?);
        self.wish(record, id, now, |_, _| Ok(Some(send(Content::Agree { ask, consent }))))
    }

    /// Whether this device may add people of these organisations' kinds now: refused with what is missing.
    pub fn check_admission(&self, room: RoomId, kinds: &[OrgKind], now: Timestamp) -> Result<(), EngineError> {
        let record = self.usable_room(room)?;
        let members = self.members(room)?;
        if !record.context.kind.takes_two() {
            return Ok(());
        }
        let present = classes_of(&members);
        let coming = kinds.iter().copied().filter(|kind| !present.contains(kind)).collect();
        self.consents_for(&record, &members, coming, now).map(drop)
    }

    /// A person was told that a class came in unseen, and goes on with the room as it is.
    pub fn accept_members(&mut self, room: RoomId) -> Result<Step, EngineError> {
        let mut record = self.room_record(room)?.ok_or(EngineError::NoSuchRoom { room })?;
        self.step(|engine, _| {
            // Only what they were told of: a room that was lost for another reason comes back as it was, or not at all.
            let unseen = RoomState::OutOfSync(OutOfSync::UnseenConsent);
            record.accepts = record.state == unseen || record.lost == Some(OutOfSync::UnseenConsent);
            engine.save_room(&record);
            Ok(())
        })
    }

    /// Open questions of a room, as people see them.
    pub(super) fn asks(&self, record: &RoomRecord) -> Vec<Ask> {
        let asks = self.admissions(record.room).unwrap_or_default().asks;
        let Some(own) = self.identity() else { return Vec::new() };
        asks.into_iter()
            .map(|ask| Ask {
                id: ask.id,
                org_kind: ask.org_kind,
                until: ask.at + CONSENT_LIFE,
                agreed: ask.answers.iter().any(|a| a.consent.is_some()),
                may_agree: unfit(own, &ask.by, record).is_none(),
                answers: ask.answers.into_iter().map(|a| Answered { agrees: a.consent.is_some(), by: a.by }).collect(),
                by: ask.by,
            })
            .collect()
    }

    /// Takes in what a message says about the rule. A consent that would not count is worth nothing here either.
    pub(super) fn note_ask(
        &self,
        record: &RoomRecord,
        sender: &DeviceIdentity,
        content: &Content,
        place: Place,
    ) -> Result<(), EngineError> {
        let room = record.room;
        let mut known = self.admissions(room)?;
        let answer = |consent| AnswerRecord { by: sender.clone(), at: place.at, consent };
        match content {
            Content::AskToAdmit { org_kind } => {
                let present = classes_of(&self.members(room)?).contains(org_kind);
                if present || !record.context.kind.takes_two() || known.asks.iter().any(|ask| ask.id == place.id) {
                    return Ok(());
                }
                let (by, at) = (sender.clone(), place.at);
                known.asks.push(AskRecord { id: place.id, org_kind: *org_kind, by, at, answers: Vec::new() });
                let surplus = known.asks.len().saturating_sub(KEPT);
                known.asks.drain(..surplus);
            }
            Content::Agree { ask, consent } => {
                let members = self.members(room)?;
                let left = known.left.clone();
                let Some(asked) = known.asks.iter_mut().find(|a| a.id == *ask) else { return Ok(()) };
                let admission = admission(record, asked.by.person, place.at);
                let counts = consent.by == sender.device
                    && check(&admission, asked.org_kind, &left, std::slice::from_ref(consent), &members).is_ok();
                if counts {
                    asked.answers.retain(|a| a.by.person != sender.person);
                    asked.answers.push(answer(Some(consent.clone())));
                }
            }
            Content::Disagree { ask } => {
                known.asks.retain(|a| a.id != *ask || a.by.person != sender.person);
                if let Some(asked) = known.asks.iter_mut().find(|a| a.id == *ask) {
                    asked.answers.retain(|a| a.by.person != sender.person);
                    asked.answers.push(answer(None));
                }
            }
            Content::Text { .. } | Content::Details(_) | Content::Profile { .. } | Content::Attachment(_) => {
                return Ok(());
            }
        }
        self.save_admissions(room, &known);
        Ok(())
    }

    /// Members changed: what was asked for is there, and what has left takes the consents before it along. `epoch` is the
    /// first one in which it can have been so.
    pub(super) fn note_classes(
        &self,
        record: &RoomRecord,
        before: &[MemberRecord],
        after: &[MemberRecord],
        epoch: u64,
    ) -> Result<(), EngineError> {
        let (before, after) = (classes_of(before), classes_of(after));
        if before == after || !record.context.kind.takes_two() {
            return Ok(());
        }
        let mut known = self.admissions(record.room)?;
        let gone = &before - &after;
        known.asks.retain(|ask| !after.contains(&ask.org_kind));
        known.left.extend(gone.into_iter().map(|class| (class, epoch)));
        self.save_admissions(record.room, &known);
        Ok(())
    }

    /// Consents that let these classes in when this device adds them now.
    pub(super) fn consents_for(
        &self,
        record: &RoomRecord,
        members: &[MemberRecord],
        coming: BTreeSet<OrgKind>,
        now: Timestamp,
    ) -> Result<Vec<Consent>, EngineError> {
        if coming.is_empty() {
            return Ok(Vec::new());
        }
        let own = self.identity().ok_or(EngineError::NotEnrolled)?.person;
        let known = self.admissions(record.room)?;
        let mut consents = Vec::with_capacity(coming.len());
        for org_kind in coming {
            let mut found = Err(NotAdmitted { org_kind, why: Flaw::Missing });
            let asks = known.asks.iter().filter(|ask| ask.org_kind == org_kind && ask.by.person == own);
            for answer in asks.flat_map(|ask| &ask.answers) {
                let Some(consent) = &answer.consent else { continue };
                // It can't be earlier than when the consent was given, whatever this device's clock says.
                let admission = admission(record, own, now.max(answer.at));
                let one = std::slice::from_ref(consent);
                match check(&admission, org_kind, &known.left, one, members) {
                    Ok(()) => found = Ok(consent.clone()),
                    Err(refused) if found.is_err() => found = Err(refused),
                    Err(_) => {}
                }
            }
            consents.push(found?);
        }
        Ok(consents)
    }

    /// Whether what somebody's commit brings in was agreed to.
    pub(super) fn check_consents(
        &self,
        record: &RoomRecord,
        before: &[MemberRecord],
        coming: BTreeSet<OrgKind>,
        committer: PersonId,
        consents: &[Consent],
        at: Timestamp,
    ) -> Result<(), EngineError> {
        if coming.is_empty() {
            return Ok(());
        }
        let left = self.admissions(record.room)?.left;
        let admission = admission(record, committer, at);
        coming.into_iter().try_for_each(|class| check(&admission, class, &left, consents, before).map_err(Into::into))
    }

    pub(super) fn admissions(&self, room: RoomId) -> Result<Admissions, EngineError> {
        Ok(self.provider.store.get(&key::admissions(room), "a room's questions")?.unwrap_or_default())
    }

    fn save_admissions(&self, room: RoomId, known: &Admissions) {
        self.provider.store.put(key::admissions(room), known);
    }
}

fn send(content: Content) -> Wish {
    Wish::Send { content }
}

fn admission(record: &RoomRecord, committer: PersonId, at: Timestamp) -> Admission<'_> {
    Admission { room: record.room, context: &record.context, committer, epoch: record.epoch, at }
}

fn check(
    admission: &Admission<'_>,
    org_kind: OrgKind,
    left: &BTreeMap<OrgKind, u64>,
    consents: &[Consent],
    members: &[MemberRecord],
) -> Result<(), NotAdmitted> {
    let member = |device| members.iter().find(|m| m.identity.device == device).map(|m| m.identity.clone());
    admission.check(org_kind, left.get(&org_kind).copied(), consents, member)
}

/// Why a member's agreement to somebody's question would not count.
fn unfit(member: &DeviceIdentity, asked_by: &DeviceIdentity, record: &RoomRecord) -> Option<Flaw> {
    match () {
        () if member.person == asked_by.person => Some(Flaw::SamePerson),
        () if !decides(member, &record.context) => Some(Flaw::NotEntitled),
        () => None,
    }
}

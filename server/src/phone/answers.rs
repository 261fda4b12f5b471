//! A responder's answer by keypress or SMS: whose it is, which callout it means, and what becomes of it.
//!
//! Late and repeated ones are harmless: an action's id follows from the provider's id of the call or message, only somebody
//! who is being called can accept or decline, and nobody drops out by telephone. A number can be forged, so an answer
//! tells nothing of any callout, and what is written back goes to the true owner of the number.

use super::{calls::Sid, menu::Told};
use crate::store::sql;
use crate::{
    Result,
    error::Error,
    runner::load_callout,
    store::{Tx, id, word},
};
use firstlight_dispatch::Callout;
use firstlight_protocol::{
    ActionId, CalloutId, ContactId, ErrorCode, PageId, PersonId, Timestamp,
    api::MessageKind,
    callout::{Action, Language, Purpose, ResponderState},
    wire::to_cbor,
};
use sha2::{Digest, Sha256};

/// How many of a person's newest pages are looked at for one that still waits.
const PAGES: i64 = 50;
/// How many open callouts of a person are looked at.
const CALLOUTS: i64 = 50;

/// A page that a call is made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Called {
    pub(super) person: PersonId,
    pub(super) callout: CalloutId,
}

/// What an action's id is made from: the call, and which of its questions was answered.
pub(super) fn action_id_of(sid: Sid, step: u32) -> Vec<u8> {
    [sid.0.as_slice(), &step.to_be_bytes()].concat()
}

/// The id of an action: the same request again is the same action.
fn action_id(request: &[u8], action: &Action) -> ActionId {
    let hash = Sha256::new_with_prefix(b"firstlight answer").chain_update(request).chain_update(to_cbor(action));
    let mut id = [0; 16];
    id.copy_from_slice(&hash.finalize()[..16]);
    ActionId(id)
}

fn state(callout: &Callout, person: PersonId) -> Option<ResponderState> {
    callout.responders().find(|(known, _)| *known == person).map(|(_, state)| state)
}

/// On the way or about to be, so that an ETA or an arrival makes sense.
fn is_coming(state: ResponderState) -> bool {
    matches!(state, ResponderState::Accepted | ResponderState::EnRoute)
}

impl Tx<'_> {
    /// For whom, and for which callout, a page was ordered; `None` for other messages.
    pub(super) async fn called(&mut self, page: PageId) -> Result<Option<Called>> {
        let row = sql::query(
            "SELECT person, callout FROM outbox
             WHERE page = $1 AND kind = 'page' AND person IS NOT NULL AND callout IS NOT NULL",
        )
        .bind(page.as_bytes())
        .fetch_optional(&mut *self.conn)
        .await?;
        row.map(|row| Ok(Called { person: id(row.get("person"))?, callout: id(row.get("callout"))? })).transpose()
    }

    /// What a call says that is no page of a callout: a code, a test, a notice.
    pub(super) async fn message_of(&mut self, page: PageId) -> Result<Option<(MessageKind, PersonId, i64)>> {
        let row = sql::query(
            "SELECT kind, person, arg FROM outbox WHERE page = $1 AND kind <> 'page' AND person IS NOT NULL",
        )
        .bind(page.as_bytes())
        .fetch_optional(&mut *self.conn)
        .await?;
        row.map(|row| Ok((word(row.get("kind"))?, id(row.get("person"))?, row.get("arg")))).transpose()
    }

    /// Whether a callout is a drill.
    pub(super) async fn is_drill(&mut self, callout: CalloutId) -> Result<bool> {
        let callout = load_callout(self.conn, callout).await?;
        Ok(callout.is_some_and(|callout| callout.purpose() == Purpose::Drill))
    }

    /// Whether somebody's answer to a callout still means anything.
    pub(super) async fn waits_for(&mut self, called: &Called) -> Result<bool> {
        let callout = load_callout(self.conn, called.callout).await?;
        Ok(callout.is_some_and(|callout| {
            callout.is_open() && state(&callout, called.person).is_some_and(ResponderState::is_called)
        }))
    }

    /// The languages that somebody speaks.
    pub(super) async fn languages_of(&mut self, person: PersonId) -> Result<Vec<Language>> {
        let languages: Option<String> = sql::query_scalar("SELECT languages FROM people WHERE person = $1")
            .bind(person.as_bytes())
            .fetch_optional(&mut *self.conn)
            .await?;
        Ok(languages.unwrap_or_default().split_whitespace().filter_map(|code| code.parse().ok()).collect())
    }

    /// The one person whose verified text-message number this is. A number of two people is nobody's.
    pub(super) async fn person_of_number(&mut self, number: &str) -> Result<Option<PersonId>> {
        let people: Vec<Vec<u8>> =
            self.contacts_of_number(number, "verified").await?.into_iter().map(|c| c.0).collect();
        match people.as_slice() {
            [first, rest @ ..] if rest.iter().all(|person| person == first) => Ok(Some(id(first.clone())?)),
            _ => Ok(None),
        }
    }

    /// Text-message contacts with this number in a state: person, contact.
    async fn contacts_of_number(&mut self, number: &str, state: &str) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let rows = sql::query(
            "SELECT person, contact FROM contacts WHERE kind = 'sms' AND state = $2
                AND replace(replace(address, ' ', ''), '-', '') = $1 ORDER BY person, contact",
        )
        .bind(number)
        .bind(state)
        .fetch_all(&mut *self.conn)
        .await?;
        Ok(rows.into_iter().map(|row| (row.get("person"), row.get("contact"))).collect())
    }

    /// The number's verified contacts, for "STOP".
    pub(super) async fn reached_by_number(&mut self, number: &str) -> Result<Vec<(PersonId, ContactId)>> {
        let found = self.contacts_of_number(number, "verified").await?;
        found.into_iter().map(|(person, contact)| Ok((id(person)?, id(contact)?))).collect()
    }

    /// "START": what "STOP" had blocked reaches them again. Whoever forges this makes us write to the number's owner.
    pub(super) async fn unblock_number(&mut self, number: &str, now: Timestamp) -> Result<()> {
        for (person, contact) in self.contacts_of_number(number, "blocked").await? {
            let (person, contact): (PersonId, ContactId) = (id(person)?, id(contact)?);
            sql::query(
                "UPDATE contacts SET state = 'verified'
                 WHERE person = $1 AND contact = $2 AND state = 'blocked' AND verified_at IS NOT NULL",
            )
            .bind(person.as_bytes())
            .bind(contact.as_bytes())
            .execute(&mut *self.conn)
            .await?;
            self.audit(now, None, "contact.unblocked", person, contact).await?;
        }
        Ok(())
    }

    /// The open callout whose newest page to this person still waits for an answer: a drill's only where no real one does.
    pub(super) async fn newest_unanswered(&mut self, person: PersonId) -> Result<Option<CalloutId>> {
        let rows: Vec<Vec<u8>> = sql::query_scalar(
            "SELECT callout FROM (
                 SELECT outbox.callout, purpose, max(ordered_at) AS newest FROM outbox JOIN callouts USING (callout)
                 WHERE person = $1 AND kind = 'page' AND closed = 0 GROUP BY outbox.callout, purpose
             ) waiting ORDER BY purpose <> 'real', newest DESC LIMIT $2",
        )
        .bind(person.as_bytes())
        .bind(PAGES)
        .fetch_all(&mut *self.conn)
        .await?;
        for callout in rows {
            let called = Called { person, callout: id(callout)? };
            if self.waits_for(&called).await? {
                return Ok(Some(called.callout));
            }
        }
        Ok(None)
    }

    /// The open callouts to which somebody is coming.
    pub(super) async fn coming_to(&mut self, person: PersonId) -> Result<Vec<CalloutId>> {
        let rows: Vec<Vec<u8>> = sql::query_scalar(
            "SELECT callout FROM callout_people JOIN callouts USING (callout)
             WHERE person = $1 AND closed = 0 ORDER BY opened_at DESC LIMIT $2",
        )
        .bind(person.as_bytes())
        .bind(CALLOUTS)
        .fetch_all(&mut *self.conn)
        .await?;
        let mut coming = Vec::new();
        for callout in rows {
            let callout: CalloutId = id(callout)?;
            let known = load_callout(self.conn, callout).await?;
            if known.is_some_and(|known| known.is_open() && state(&known, person).is_some_and(is_coming)) {
                coming.push(callout);
            }
        }
        Ok(coming)
    }

    /// Carries an answer out. What the engine refuses is told, not failed.
    pub(super) async fn answer_by_phone(
        &mut self,
        called: &Called,
        request: &[u8],
        action: Action,
        now: Timestamp,
    ) -> Result<Told> {
        let Some(callout) = load_callout(self.conn, called.callout).await?.filter(Callout::is_open) else {
            return Ok(Told::Over);
        };
        let (before, id) = (state(&callout, called.person), action_id(request, &action));
        let told = match (&action, before) {
            // They have said so by another way, or this is a repeated request.
            (Action::Accept { .. }, Some(state)) if state.is_active() => return Ok(Told::Accepted),
            (Action::Decline, Some(ResponderState::Declined)) => return Ok(Told::Declined),
            (Action::Decline, Some(state)) if !state.is_called() => return Ok(Told::Over),
            (Action::Eta { .. }, Some(state)) if !is_coming(state) => return Ok(Told::Over),
            (_, None) => return Ok(Told::Over),
            (Action::Accept { .. }, _) => Told::Accepted,
            (Action::Eta { eta_minutes }, _) => Told::Eta(*eta_minutes),
            (Action::Arrived, _) => Told::Arrived,
            _ => Told::Declined,
        };
        match self.act_by_phone(called.person, called.callout, id, action, now).await {
            Ok(_) => Ok(told),
            Err(Error::Refused(problem)) => Ok(match problem.code {
                ErrorCode::AlreadyFilled => Told::Filled,
                ErrorCode::WrongState | ErrorCode::NotFound => Told::Over,
                _ => Told::Failed,
            }),
            Err(error) => Err(error),
        }
    }
}

//! Contact methods and notification rules in the database.

use crate::store::sql::{self, Conn, Executor, Row};
use crate::{
    Error, Result,
    store::{Store, Tx, id, word},
};
use firstlight_protocol::{
    CalloutId, ContactId, PersonId, Secret, Timestamp,
    attention::Attention,
    callout::{FailReason, Language},
    policy::{ContactMethod, ContactState, ContactStatus, Millis, NotificationRule},
};

/// A contact method with its secrets: for the channels alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactRow {
    /// What it is.
    pub method: ContactMethod,
    /// Whether it is used.
    pub state: ContactState,
    /// When it was verified.
    pub verified_at: Option<Timestamp>,
}

impl ContactRow {
    /// Its id.
    pub fn id(&self) -> ContactId {
        self.method.channel().contact().unwrap_or(ContactId([0; 16]))
    }

    /// What may be shown of its state.
    pub fn status(&self) -> ContactStatus {
        ContactStatus { id: self.id(), state: self.state, verified_at: self.verified_at }
    }

    /// Where it leads, in one text.
    pub(super) fn place(&self) -> String {
        let columns = Columns::of(&self.method);
        format!("{} {} {}", self.method.channel().word(), columns.address, columns.p256dh.unwrap_or_default())
    }

    fn read(row: &Row) -> Result<Self> {
        let id: ContactId = id(row.get("contact"))?;
        let (kind, address): (String, String) = (row.get("kind"), row.get("address"));
        let secret = |column: &str| row.get::<Option<String>>(column).map(Secret::new);
        let number = || word(&address);
        let method = match kind.as_str() {
            "webhook" => {
                let (key, next_key) = (secret("secret"), secret("next_secret"));
                ContactMethod::Webhook { id, url: address, key, next_key }
            }
            "push" => {
                let p256dh: Option<String> = row.get("p256dh");
                let p256dh = p256dh.unwrap_or_default();
                ContactMethod::Push { id, endpoint: address, p256dh, auth: secret("secret") }
            }
            "sms" => ContactMethod::Sms { id, number: number()? },
            "voice" => ContactMethod::Voice { id, number: number()? },
            "email" => ContactMethod::Email { id, address },
            "ntfy" => ContactMethod::Ntfy { id, url: address, token: secret("secret") },
            _ => return Err(Error::internal("stored contact is of a kind unknown to this version")),
        };
        let state: String = row.get("state");
        let verified_at: Option<i64> = row.get("verified_at");
        Ok(Self { method, state: word(&state)?, verified_at: verified_at.map(Timestamp) })
    }
}

/// The columns of a method: where it goes, and what it needs to get in.
struct Columns<'a> {
    address: &'a str,
    p256dh: Option<&'a str>,
    secret: Option<&'a Secret>,
    next_secret: Option<&'a Secret>,
}

impl<'a> Columns<'a> {
    fn of(method: &'a ContactMethod) -> Self {
        let plain = |address| Self { address, p256dh: None, secret: None, next_secret: None };
        match method {
            ContactMethod::InApp => plain(""),
            ContactMethod::Webhook { url, key, next_key, .. } => {
                Self { secret: key.as_ref(), next_secret: next_key.as_ref(), ..plain(url) }
            }
            ContactMethod::Push { endpoint, p256dh, auth, .. } => {
                Self { p256dh: Some(p256dh), secret: auth.as_ref(), ..plain(endpoint) }
            }
            ContactMethod::Sms { number, .. } | ContactMethod::Voice { number, .. } => plain(number.as_str()),
            ContactMethod::Email { address, .. } => plain(address),
            ContactMethod::Ntfy { url, token, .. } => Self { secret: token.as_ref(), ..plain(url) },
        }
    }
}

async fn contacts<'e>(db: impl Executor<'e>, person: PersonId) -> Result<Vec<ContactRow>> {
    let rows = sql::query("SELECT * FROM contacts WHERE person = $1 ORDER BY place")
        .bind(person.as_bytes())
        .fetch_all(db)
        .await?;
    rows.iter().map(ContactRow::read).collect()
}

async fn contact<'e>(db: impl Executor<'e>, person: PersonId, contact: ContactId) -> Result<Option<ContactRow>> {
    let row = sql::query("SELECT * FROM contacts WHERE person = $1 AND contact = $2")
        .bind(person.as_bytes())
        .bind(contact.as_bytes())
        .fetch_optional(db)
        .await?;
    row.as_ref().map(ContactRow::read).transpose()
}

/// The contact method that a person has chosen to be told by that they go on duty, verified or not.
pub(super) async fn hand_off<'e>(db: impl Executor<'e>, person: PersonId) -> Result<Option<ContactId>> {
    let row: Option<Vec<u8>> = sql::query_scalar("SELECT contact FROM contacts WHERE person = $1 AND hand_off = 1")
        .bind(person.as_bytes())
        .fetch_optional(db)
        .await?;
    row.map(id).transpose()
}

/// A person's notification rules, in order.
pub(crate) async fn rules(conn: &mut Conn, person: PersonId) -> Result<Vec<NotificationRule>> {
    let rows = sql::query("SELECT contact, after_ms FROM contact_rules WHERE person = $1 ORDER BY place")
        .bind(person.as_bytes())
        .fetch_all(conn)
        .await?;
    rows.iter().map(read_rule).collect()
}

/// Reads one rule's columns.
pub(crate) fn read_rule(row: &Row) -> Result<NotificationRule> {
    let contact: Option<Vec<u8>> = row.get("contact");
    let after_ms = Millis(row.get::<i64>("after_ms").cast_unsigned());
    Ok(NotificationRule { contact: contact.map(id).transpose()?, after_ms })
}

impl Store {
    /// A person's contact methods with their secrets, in the order in which they are tried.
    pub async fn contacts(&self, person: PersonId) -> Result<Vec<ContactRow>> {
        contacts(self.read(), person).await
    }

    /// The contact method by which a person wants to hear that they go on duty.
    pub(super) async fn hand_off_contact(&self, person: PersonId) -> Result<Option<ContactId>> {
        hand_off(self.read(), person).await
    }

    /// The languages of a person, the first one first: in it they are written to.
    pub(crate) async fn languages(&self, person: PersonId) -> Result<Vec<Language>> {
        let languages: Option<String> = sql::query_scalar("SELECT languages FROM people WHERE person = $1")
            .bind(person.as_bytes())
            .fetch_optional(self.read_for_dispatch())
            .await?;
        let languages = languages.unwrap_or_default();
        Ok(languages.split_whitespace().filter_map(|code| code.parse().ok()).collect())
    }

    /// The languages in which whoever opened a callout by telephone is written to: those of their agency's line.
    pub(crate) async fn caller_languages(&self, callout: CalloutId) -> Result<Vec<Language>> {
        let languages: Option<String> =
            sql::query_scalar("SELECT languages FROM lines JOIN callouts ON line = opener WHERE callout = $1")
                .bind(callout.as_bytes())
                .fetch_optional(self.read_for_dispatch())
                .await?;
        let languages = languages.unwrap_or_default();
        Ok(languages.split_whitespace().filter_map(|code| code.parse().ok()).collect())
    }

    /// One contact method; `None` if the person has it no longer.
    pub async fn contact(&self, person: PersonId, id: ContactId) -> Result<Option<ContactRow>> {
        contact(self.read_for_dispatch(), person, id).await
    }
}

impl Tx<'_> {
    /// A person's contact methods with their secrets, in the order in which they are tried.
    pub async fn contacts(&mut self, person: PersonId) -> Result<Vec<ContactRow>> {
        contacts(&mut *self.conn, person).await
    }

    /// One contact method; `None` if the person has it no longer.
    pub async fn contact(&mut self, person: PersonId, id: ContactId) -> Result<Option<ContactRow>> {
        contact(&mut *self.conn, person, id).await
    }

    /// The contact method by which a person wants to hear that they go on duty, if it is used.
    pub(crate) async fn tells_hand_off(&mut self, person: PersonId) -> Result<Option<ContactId>> {
        let row: Option<Vec<u8>> =
            sql::query_scalar("SELECT contact FROM contacts WHERE person = $1 AND hand_off = 1 AND state = 'verified'")
                .bind(person.as_bytes())
                .fetch_optional(&mut *self.conn)
                .await?;
        row.map(id).transpose()
    }

    /// Replaces a person's contact methods and rules, and says which one tells of hand-offs.
    pub(super) async fn replace_contacts(
        &mut self,
        person: PersonId,
        rows: &[ContactRow],
        rules: &[NotificationRule],
        hand_off: Option<ContactId>,
    ) -> Result<()> {
        // Row by row, since a code that was sent to a method that stays is still good.
        let known = self.contacts(person).await?;
        for gone in known.iter().filter(|known| rows.iter().all(|row| row.id() != known.id())) {
            sql::query("DELETE FROM contacts WHERE person = $1 AND contact = $2")
                .bind(person.as_bytes())
                .bind(gone.id().as_bytes())
                .execute(&mut *self.conn)
                .await?;
        }
        for (place, row) in (1i64..).zip(rows) {
            let columns = Columns::of(&row.method);
            sql::query(
                "INSERT INTO contacts
                     (person, place, contact, kind, address, p256dh, secret, next_secret, state, verified_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                 ON CONFLICT (person, contact) DO UPDATE SET place = excluded.place, kind = excluded.kind,
                     address = excluded.address, p256dh = excluded.p256dh, secret = excluded.secret,
                     next_secret = excluded.next_secret, state = excluded.state, verified_at = excluded.verified_at",
            )
            .bind(person.as_bytes())
            .bind(place)
            .bind(row.id().as_bytes())
            .bind(row.method.channel().word())
            .bind(columns.address)
            .bind(columns.p256dh)
            .bind(columns.secret.map(Secret::reveal))
            .bind(columns.next_secret.map(Secret::reveal))
            .bind(row.state.as_str())
            .bind(row.verified_at.map(|at| at.0))
            .execute(&mut *self.conn)
            .await?;
        }
        sql::query("UPDATE contacts SET hand_off = CASE WHEN contact = $2 THEN 1 ELSE 0 END WHERE person = $1")
            .bind(person.as_bytes())
            .bind(hand_off.as_ref().map(|contact| contact.as_bytes()))
            .execute(&mut *self.conn)
            .await?;
        sql::query("DELETE FROM contact_rules WHERE person = $1")
            .bind(person.as_bytes())
            .execute(&mut *self.conn)
            .await?;
        for (place, rule) in (1i64..).zip(rules) {
            sql::query("INSERT INTO contact_rules (person, place, contact, after_ms) VALUES ($1, $2, $3, $4)")
                .bind(person.as_bytes())
                .bind(place)
                .bind(rule.contact.as_ref().map(|contact| contact.as_bytes()))
                .bind(rule.after_ms.0.cast_signed())
                .execute(&mut *self.conn)
                .await?;
        }
        Ok(())
    }

    /// Changes whether a contact method is used.
    pub(super) async fn set_contact_state(
        &mut self,
        person: PersonId,
        contact: ContactId,
        state: ContactState,
        verified_at: Option<Timestamp>,
    ) -> Result<()> {
        sql::query(
            "UPDATE contacts SET state = $3, verified_at = coalesce($4, verified_at) WHERE person = $1 AND contact = $2",
        )
        .bind(person.as_bytes())
        .bind(contact.as_bytes())
        .bind(state.as_str())
        .bind(verified_at.map(|at| at.0))
        .execute(&mut *self.conn)
        .await?;
        Ok(())
    }

    /// A channel says that the number or address itself is the reason why nothing arrives: it is used no more until it
    /// is verified again.
    pub(crate) async fn contact_failed(
        &mut self,
        person: PersonId,
        contact: ContactId,
        reason: FailReason,
        now: Timestamp,
    ) -> Result<()> {
        let (state, about) = match reason {
            FailReason::BlockedSender => (ContactState::Blocked, Attention::ContactBlocked { person, contact }),
            FailReason::UnknownNumber => (ContactState::Invalid, Attention::ContactInvalid { person, contact }),
            _ => return Ok(()),
        };
        if self.contact(person, contact).await?.is_none_or(|known| known.state != ContactState::Verified) {
            // Known already, or gone.
            return Ok(());
        }
        self.set_contact_state(person, contact, state, None).await?;
        self.raise_attention(about, now).await?;
        self.audit(now, None, "contact.broken", person, format!("{contact} {state}")).await
    }
}

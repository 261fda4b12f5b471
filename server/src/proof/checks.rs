//! Tests on their way: sent when they are due, confirmed by whoever got them, and the supervisors told when somebody
//! turns red or is no longer red.

use super::reach::{Standing, contact_key};
use crate::store::sql;
use crate::{
    Result, Shared,
    app::random,
    runner::{Destination, Ordered},
    store::{Tx, id},
};
use firstlight_dispatch::{
    PageOutcome,
    readiness::{Order, orders},
};
use firstlight_protocol::{
    CheckId, ContactId, DeviceId, ErrorCode, PageId, PersonId, Problem, Role, Timestamp,
    api::{MessageKind, Notice, PersonReadiness, ReadinessLevel},
    callout::FailReason,
    policy::Channel,
};
use std::{collections::BTreeSet, time::Duration};

/// Six digits, as they stand in a text or are spoken.
const CODES: u32 = 1_000_000;
/// Checks that are older are forgotten; the audit trail has them all.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// Looks at everybody on duty now or soon, every so often, if the operator wants it.
pub(super) async fn run(app: Shared) {
    let every = app.config.proof.readiness_every_ms;
    if every.0 == 0 {
        return;
    }
    let mut last = app.clock.now();
    loop {
        app.clock.sleep_until(last + every.into()).await;
        last = app.clock.now();
        if let Err(error) = round(&app).await {
            tracing::error!(%error, "readiness could not be checked; it is tried again");
        }
    }
}

/// Sends what is due, and tells the supervisors what changed. Most rounds find nothing, and write nothing.
pub(super) async fn round(app: &Shared) -> Result<()> {
    let now = app.clock.now();
    let mut conn = app.store.read().acquire().await?;
    let Some(standing) = Standing::read(&mut conn, &app.bus, now).await? else { return Ok(()) };
    let told: Vec<Vec<u8>> = sql::query_scalar("SELECT person FROM readiness_red").fetch_all(&mut *conn).await?;
    let told: BTreeSet<PersonId> = told.into_iter().map(id).collect::<Result<_>>()?;
    drop(conn);
    if due(&standing)?.is_empty() && red(&standing) == told {
        return Ok(());
    }
    app.store.write(move |tx| Box::pin(async move { tx.readiness_round(now).await })).await
}

fn due(standing: &Standing) -> Result<Vec<Order>> {
    match &standing.rota {
        Some(rota) => Ok(orders(standing.cases(), rota, &standing.timers)?),
        None => Ok(Vec::new()),
    }
}

/// Who is red, of those who are in the directory. While an organisation does without readiness checks, the board shows
/// them and nobody is told.
pub(super) fn red(standing: &Standing) -> BTreeSet<PersonId> {
    let wanted = standing.timers.ahead_ms.0 > 0;
    let is_red = |p: &PersonReadiness| wanted && p.level == ReadinessLevel::Red && p.work_name.is_some();
    let red = standing.on_duty().into_iter().filter(is_red);
    red.map(|p| p.person).collect()
}

/// By what a person shows that a test reached them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// A device of theirs knows the check.
    App,
    /// The digits that a test carried.
    Code(u32),
    /// They answered on this contact method: a reply to the text, a key during the call.
    Contact(ContactId),
}

impl Tx<'_> {
    /// The same in the writer, where nothing changes in between.
    async fn readiness_round(&mut self, now: Timestamp) -> Result<()> {
        let Some(standing) = Standing::read(self.conn, self.bus, now).await? else { return Ok(()) };
        for order in due(&standing)? {
            let check = match order.check {
                Some(check) => check,
                None => CheckId(random()?),
            };
            self.send_test(check, order.person, &order.channels, None, now).await?;
        }
        // What was just sent may have failed: look again.
        let Some(standing) = Standing::read(self.conn, self.bus, now).await? else { return Ok(()) };
        self.tell_red(&standing, now).await
    }

    async fn tell_red(&mut self, standing: &Standing, now: Timestamp) -> Result<()> {
        let told: Vec<Vec<u8>> =
            sql::query_scalar("SELECT person FROM readiness_red").fetch_all(&mut *self.conn).await?;
        let told: BTreeSet<PersonId> = told.into_iter().map(id).collect::<Result<_>>()?;
        let red = red(standing);
        let supervisors = self.devices_of_role(standing.host, Role::Supervisor).await?;
        for person in &red - &told {
            self.push_all(&supervisors, now, &Notice::Readiness { person, level: ReadinessLevel::Red }).await?;
            sql::query("INSERT INTO readiness_red (person, since) VALUES ($1, $2)")
                .bind(person.as_bytes())
                .bind(now.0)
                .execute(&mut *self.conn)
                .await?;
        }
        for person in &told - &red {
            // Of somebody whose duty is over nothing is told: they are not on the board.
            if let Some(judged) = standing.on_duty().into_iter().find(|judged| judged.person == person) {
                self.push_all(&supervisors, now, &Notice::Readiness { person, level: judged.level }).await?;
            }
            sql::query("DELETE FROM readiness_red WHERE person = $1")
                .bind(person.as_bytes())
                .execute(&mut *self.conn)
                .await?;
        }
        Ok(())
    }

    /// Sends a test by these ways: a new check, or a reminder of one.
    pub(super) async fn send_test(
        &mut self,
        check: CheckId,
        person: PersonId,
        channels: &[Channel],
        by: Option<DeviceId>,
        now: Timestamp,
    ) -> Result<()> {
        let attempt: u32 = sql::query_scalar(
            "INSERT INTO readiness_checks (check_id, person, begun_at, last_sent_at, sent) VALUES ($1, $2, $3, $3, 1)
             ON CONFLICT (check_id) DO UPDATE SET last_sent_at = excluded.last_sent_at, sent = readiness_checks.sent + 1 RETURNING sent",
        )
        .bind(check.as_bytes())
        .bind(person.as_bytes())
        .bind(now.0)
        .fetch_one(&mut *self.conn)
        .await?;
        sql::query("DELETE FROM readiness_checks WHERE person = $1 AND begun_at < $2")
            .bind(person.as_bytes())
            .bind((now - KEPT).0)
            .execute(&mut *self.conn)
            .await?;
        for channel in channels {
            let (page, code) = (PageId(random()?), u32::from_be_bytes(random()?) % CODES);
            sql::query(
                "INSERT INTO readiness_tests (person, contact, check_id, page, code, tested_at) VALUES ($1, $2, $3, $4, $5, $6)
                 ON CONFLICT (person, contact) DO UPDATE SET check_id = excluded.check_id, page = excluded.page,
                     code = excluded.code, tested_at = excluded.tested_at, failed = NULL",
            )
            .bind(person.as_bytes())
            .bind(contact_key(channel.contact()))
            .bind(check.as_bytes())
            .bind(page.as_bytes())
            .bind(code)
            .bind(now.0)
            .execute(&mut *self.conn)
            .await?;
            match channel.contact() {
                None => {
                    let devices = self.devices_of(person).await?;
                    self.push_all(&devices, now, &Notice::Test { check, attempt }).await?;
                }
                Some(contact) => {
                    let ordered = Ordered {
                        page,
                        callout: None,
                        person: Some(person),
                        to: Destination::Contact(contact),
                        kind: MessageKind::Test,
                        attempt,
                        arg: code.into(),
                    };
                    self.order_page(&ordered, now).await?;
                }
            }
        }
        let ways: Vec<_> = channels.iter().map(|channel| channel.word()).collect();
        self.audit(now, by, "readiness.tested", person, format!("check={check} {}", ways.join(" "))).await
    }

    /// Takes a confirmation; again is harmless. Answers whether it proved anything.
    ///
    /// # Errors
    /// `not_found` for a check that is not this person's newest, `invalid_value` for digits that were not sent with it.
    pub(crate) async fn confirm_test(
        &mut self,
        check: CheckId,
        person: PersonId,
        shown: Shown,
        by: Option<DeviceId>,
        now: Timestamp,
    ) -> Result<()> {
        let rows = sql::query("SELECT contact, code FROM readiness_tests WHERE person = $1 AND check_id = $2")
            .bind(person.as_bytes())
            .bind(check.as_bytes())
            .fetch_all(&mut *self.conn)
            .await?;
        if rows.is_empty() {
            return Err(Problem::with(ErrorCode::NotFound, "This test is not yours, or a newer one was sent.").into());
        }
        let tested = rows.iter().map(|row| (row.get::<Vec<u8>>("contact"), row.get::<u32>("code")));
        let mut proven = tested.filter(|(contact, code)| match shown {
            Shown::App => contact.is_empty(),
            Shown::Code(digits) => !contact.is_empty() && *code == digits,
            Shown::Contact(wanted) => *contact == wanted.0,
        });
        let Some((contact, _)) = proven.next() else {
            return Err(Problem::with(ErrorCode::InvalidValue, "code: the six digits of the newest test.").into());
        };
        self.prove(person, contact, by, now).await
    }

    /// Whose a check is.
    pub(super) async fn check_of(&mut self, check: CheckId) -> Result<Option<PersonId>> {
        let person: Option<Vec<u8>> = sql::query_scalar("SELECT person FROM readiness_checks WHERE check_id = $1")
            .bind(check.as_bytes())
            .fetch_optional(&mut *self.conn)
            .await?;
        person.map(id).transpose()
    }

    /// For whom a test was ordered, and its digits.
    pub(crate) async fn test_called(&mut self, page: PageId) -> Result<Option<(PersonId, u32)>> {
        let row = sql::query("SELECT person, code FROM readiness_tests WHERE page = $1")
            .bind(page.as_bytes())
            .fetch_optional(&mut *self.conn)
            .await?;
        row.map(|row| Ok((id(row.get("person"))?, row.get("code")))).transpose()
    }

    /// The person's newest check, for whoever hears from them on one of their contact methods.
    pub(crate) async fn newest_check(&mut self, person: PersonId) -> Result<Option<CheckId>> {
        let check: Option<Vec<u8>> = sql::query_scalar(
            "SELECT check_id FROM readiness_checks WHERE person = $1 ORDER BY begun_at DESC, check_id LIMIT 1",
        )
        .bind(person.as_bytes())
        .fetch_optional(&mut *self.conn)
        .await?;
        check.map(id).transpose()
    }

    async fn prove(&mut self, person: PersonId, contact: Vec<u8>, by: Option<DeviceId>, now: Timestamp) -> Result<()> {
        let way = if contact.is_empty() { "in_app".to_owned() } else { id::<ContactId>(contact.clone())?.to_string() };
        sql::query(
            "INSERT INTO readiness_proofs (person, contact, proven_at) VALUES ($1, $2, $3)
             ON CONFLICT (person, contact) DO UPDATE SET proven_at = max(readiness_proofs.proven_at, excluded.proven_at)",
        )
        .bind(person.as_bytes())
        .bind(contact)
        .bind(now.0)
        .execute(&mut *self.conn)
        .await?;
        self.audit(now, by, "readiness.proven", person, way).await?;
        // Green again is told with the proof.
        match Standing::read(self.conn, self.bus, now).await? {
            Some(standing) => self.tell_red(&standing, now).await,
            None => Ok(()),
        }
    }
}

/// A test to a contact method was taken, delivered, or could not be sent.
pub(crate) async fn test_settled(tx: &mut Tx<'_>, page: PageId, outcome: PageOutcome, now: Timestamp) -> Result<()> {
    let failed = match outcome {
        // A call that nobody has picked up, or that ended after its code was read out, is not confirmed; it has not failed.
        PageOutcome::Reached(_)
        | PageOutcome::Failed(FailReason::NoAnswer | FailReason::Busy | FailReason::Voicemail) => None,
        PageOutcome::Failed(reason) => Some(reason.as_str()),
    };
    sql::query("UPDATE readiness_tests SET failed = $2 WHERE page = $1")
        .bind(page.as_bytes())
        .bind(failed)
        .execute(&mut *tx.conn)
        .await?;
    // A failure is red at once, not with the next look.
    match Standing::read(tx.conn, tx.bus, now).await? {
        Some(standing) if failed.is_some() => tx.tell_red(&standing, now).await,
        _ => Ok(()),
    }
}

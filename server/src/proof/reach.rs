//! What is known of the ways to each person, read in a few statements for everybody together.

use crate::store::sql::{self, Conn, Row};
use crate::{
    Result,
    bus::Bus,
    callouts::documents::read_document,
    runner::can_respond,
    store::{id, word},
};
use firstlight_dispatch::readiness::{Case, Check, Duty, Reach, Way, WayState, duties, judge};
use firstlight_protocol::{
    ContactId, OrgId, PersonId, Role, Timestamp,
    api::PersonReadiness,
    policy::{Channel, ContactState, Policy, ReadinessTimers},
    rota::Rota,
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// The host's people and their duties at one moment.
pub(super) struct Standing {
    pub(super) timers: ReadinessTimers,
    /// `None` while there is none.
    pub(super) rota: Option<Arc<Rota>>,
    pub(super) host: OrgId,
    pub(super) people: BTreeMap<PersonId, Reach>,
    pub(super) duties: Vec<Duty>,
    pub(super) now: Timestamp,
}

impl Standing {
    /// Reads it; `None` while there is no host or no policy.
    pub(super) async fn read(conn: &mut Conn, bus: &Bus, now: Timestamp) -> Result<Option<Self>> {
        let host: Option<Vec<u8>> =
            sql::query_scalar("SELECT host FROM trust WHERE one = 1").fetch_optional(&mut *conn).await?;
        let Some(host) = host.map(id).transpose()? else { return Ok(None) };
        let Some((_, policy)) = read_document::<Policy>(conn).await? else { return Ok(None) };
        let timers = policy.readiness;
        let rota = read_document::<Rota>(conn).await?.map(|(_, rota)| rota);
        let duties = match &rota {
            Some(rota) => duties(rota, &timers, now)?,
            None => Vec::new(),
        };
        let people = read_people(conn, bus, host, &duties).await?;
        Ok(Some(Self { timers, rota, host, people, duties, now }))
    }

    /// Every duty with what is known of its person.
    pub(super) fn cases(&self) -> impl Iterator<Item = Case<'_>> {
        self.duties
            .iter()
            .filter_map(|duty| Some(Case { reach: self.people.get(&duty.person)?, duty: Some(duty), now: self.now }))
    }

    /// Everybody on duty now or soon, each once: by the duty for which they stand worst, then the first. Red first.
    pub(super) fn on_duty(&self) -> Vec<PersonReadiness> {
        let mut board: Vec<PersonReadiness> = Vec::new();
        for judged in self.cases().map(|case| judge(case, &self.timers)) {
            match board.iter_mut().find(|known| known.person == judged.person) {
                Some(known) if known.level < judged.level => *known = judged,
                Some(_) => {}
                None => board.push(judged),
            }
        }
        board.sort_by_key(|p| (std::cmp::Reverse(p.level), !p.on_duty, p.duty_from, p.person));
        board
    }

    /// One person, on duty or not.
    pub(super) fn person(&self, person: PersonId) -> Option<PersonReadiness> {
        let on_duty = self.on_duty().into_iter().find(|judged| judged.person == person);
        on_duty.or_else(|| {
            let reach = self.people.get(&person)?;
            Some(judge(Case { reach, duty: None, now: self.now }, &self.timers))
        })
    }

    /// Everybody with a gap, on duty or not; those whom no page can reach first.
    pub(super) fn unreachable(&self) -> Vec<PersonReadiness> {
        let mut people: Vec<_> = self.people.keys().filter_map(|person| self.person(*person)).collect();
        people.retain(|judged| !judged.gaps.is_empty());
        people.sort_by_key(|p| (!p.unreachable, !p.on_duty, std::cmp::Reverse(p.level), p.person));
        people
    }
}

/// Everybody who answers callouts, and whoever else stands on the rota.
async fn read_people(conn: &mut Conn, bus: &Bus, host: OrgId, duties: &[Duty]) -> Result<BTreeMap<PersonId, Reach>> {
    let mut people = BTreeMap::new();
    let on_rota = |person: PersonId| duties.iter().any(|duty| duty.person == person);
    for row in sql::query("SELECT person, work_name, role FROM people WHERE org = $1")
        .bind(host.as_bytes())
        .fetch_all(&mut *conn)
        .await?
    {
        let (person, role): (PersonId, Role) = (id(row.get("person"))?, word(row.get("role"))?);
        if can_respond(role) || on_rota(person) {
            people.insert(person, empty(person, Some(row.get("work_name")), can_respond(role)));
        }
    }
    for duty in duties {
        people.entry(duty.person).or_insert_with(|| empty(duty.person, None, false));
    }
    for row in sql::query("SELECT person, device FROM devices WHERE org = $1 AND revoked_at IS NULL")
        .bind(host.as_bytes())
        .fetch_all(&mut *conn)
        .await?
    {
        if let Some(reach) = people.get_mut(&id(row.get("person"))?) {
            reach.has_device = true;
            reach.connected |= bus.is_connected(id(row.get("device"))?);
        }
    }
    let mut known = Known::read(conn).await?;
    for (person, reach) in people.iter_mut() {
        if reach.has_device {
            reach.ways.push(known.way(*person, Channel::InApp, WayState::Usable, None));
        }
    }
    for row in sql::query("SELECT person, contact, kind, state, verified_at FROM contacts ORDER BY person, place")
        .fetch_all(&mut *conn)
        .await?
    {
        let (person, contact) = (id(row.get("person"))?, id(row.get("contact"))?);
        let Some(reach) = people.get_mut(&person) else { continue };
        let Some(channel) = Channel::of(row.get("kind"), contact) else { continue };
        let state = match word(row.get("state"))? {
            ContactState::Verified => WayState::Usable,
            ContactState::Unverified => WayState::Unverified,
            ContactState::Blocked => WayState::Blocked,
            ContactState::Invalid => WayState::Invalid,
        };
        let verified_at = row.get::<Option<i64>>("verified_at").map(Timestamp);
        reach.ways.push(known.way(person, channel, state, verified_at));
    }
    for row in sql::query(
        "SELECT person, check_id, begun_at, last_sent_at, sent FROM readiness_checks c
         WHERE begun_at = (SELECT max(begun_at) FROM readiness_checks o WHERE o.person = c.person)",
    )
    .fetch_all(conn)
    .await?
    {
        if let Some(reach) = people.get_mut(&id(row.get("person"))?) {
            reach.check = Some(Check {
                id: id(row.get("check_id"))?,
                begun_at: Timestamp(row.get("begun_at")),
                last_sent_at: Timestamp(row.get("last_sent_at")),
                sent: row.get("sent"),
            });
        }
    }
    Ok(people)
}

fn empty(person: PersonId, work_name: Option<String>, responds: bool) -> Reach {
    Reach { person, work_name, responds, has_device: false, connected: false, ways: Vec::new(), check: None }
}

/// Proofs and newest tests, by person and contact.
struct Known {
    proofs: HashMap<(PersonId, Vec<u8>), Timestamp>,
    tests: HashMap<(PersonId, Vec<u8>), Row>,
}

impl Known {
    async fn read(conn: &mut Conn) -> Result<Self> {
        let mut known = Self { proofs: HashMap::new(), tests: HashMap::new() };
        for row in sql::query("SELECT person, contact, proven_at FROM readiness_proofs").fetch_all(&mut *conn).await? {
            known.proofs.insert((id(row.get("person"))?, row.get("contact")), Timestamp(row.get("proven_at")));
        }
        for row in sql::query("SELECT person, contact, tested_at, failed FROM readiness_tests").fetch_all(conn).await? {
            known.tests.insert((id(row.get("person"))?, row.get("contact")), row);
        }
        Ok(known)
    }

    /// A way with what is known of it. Verifying a contact method is a proof; whatever was proven before it was of
    /// another number or address.
    fn way(&mut self, person: PersonId, channel: Channel, state: WayState, verified_at: Option<Timestamp>) -> Way {
        let key = (person, contact_key(channel.contact()));
        let proven_at = self.proofs.get(&key).copied().max(verified_at);
        let test = self.tests.get(&key);
        let failed: Option<String> = test.and_then(|row| row.get("failed"));
        Way {
            channel,
            state,
            proven_at,
            tested_at: test.map(|row| Timestamp(row.get("tested_at"))),
            failed: failed.and_then(|word| word.parse().ok()),
        }
    }
}

/// A contact method in these tables; the app is the empty one.
pub(super) fn contact_key(contact: Option<ContactId>) -> Vec<u8> {
    contact.map(|contact| contact.0.to_vec()).unwrap_or_default()
}

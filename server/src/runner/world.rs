//! What the engine is given: the host organisation at the moment of a step.

use super::agencies::Agencies;
use crate::store::sql::{self, Conn, Row};
use crate::{
    Error, Result, Shared,
    caller::Caller,
    callouts::documents::read_document,
    identity::read_rule,
    profiles::read_profile,
    store::{id, word},
};
use firstlight_dispatch::{Actor, Callout, Context, Qualified, RecentCallout, Rule};
use firstlight_protocol::{
    CalloutId, ContactId, DeviceId, ErrorCode, OrgId, PersonId, Problem, Role, Timestamp,
    callout::{Code, Purpose},
    policy::{Channel, NotificationRule, Policy},
    rota::{OnDuty, Rota},
};
use std::{collections::HashMap, sync::Arc};

/// Whether somebody in this role of the host organisation is called to a callout.
pub(crate) fn can_respond(role: Role) -> bool {
    matches!(role, Role::Advocate | Role::Supervisor)
}

/// The host organisation.
///
/// # Errors
/// `wrong_state` while there is none.
pub(crate) async fn host(app: &Shared) -> Result<OrgId> {
    app.store.host_org().await?.ok_or_else(not_founded)
}

fn not_founded() -> Error {
    Problem::with(ErrorCode::WrongState, "This server waits for its host organisation to be founded.").into()
}

/// Somebody of the host's who can be called, with their live devices. People without one are left out: they have not
/// joined yet, or have left (DOMAIN.md, "What fails today": "a colleague who left still gets the dispatches").
#[derive(Debug, Clone)]
pub(super) struct HostPerson {
    pub(super) person: PersonId,
    pub(super) role: Role,
    pub(super) devices: Vec<DeviceId>,
}

/// Policy, rota and people of the host, read in one transaction.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) host: OrgId,
    pub(super) people: Vec<HostPerson>,
    policy: Arc<Policy>,
    on_duty: Vec<OnDuty>,
    qualified: Vec<Qualified>,
    recent: Vec<RecentCallout>,
    pub(super) agencies: Agencies,
}

impl World {
    /// Reads it.
    ///
    /// # Errors
    /// `wrong_state` while there is no host, or it has no policy: without a duty number there is no last resort.
    pub(crate) async fn read(conn: &mut Conn, now: Timestamp) -> Result<Self> {
        let host: Option<Vec<u8>> =
            sql::query_scalar("SELECT host FROM trust WHERE one = 1").fetch_optional(&mut *conn).await?;
        let host: OrgId = id(host.ok_or_else(not_founded)?)?;
        let (_, policy) = read_document::<Policy>(conn).await?.ok_or_else(|| {
            Problem::with(ErrorCode::WrongState, "The host organisation has not set its policy and duty number yet.")
        })?;
        let on_duty = match read_document::<Rota>(conn).await? {
            Some((_, rota)) => rota.on_call(now).unwrap_or_else(|problem| {
                // A page does not wait for a rota to be mended: everyone qualified is called.
                tracing::error!(code = %problem.code, "the rota can't be read; nobody counts as on duty");
                Vec::new()
            }),
            // Nobody is on duty, so everyone qualified is called at once.
            None => Vec::new(),
        };
        let (people, qualified) = host_people(conn, host).await?;
        let agencies = Agencies::read(conn, &policy).await?;
        Ok(Self { host, people, policy, on_duty, qualified, recent: Vec::new(), agencies })
    }

    /// The world of one callout: the host's, but for a canary.
    pub(super) async fn around(conn: &mut Conn, callout: &Callout, now: Timestamp) -> Result<Self> {
        match callout.purpose() {
            Purpose::Canary => super::canary::world(),
            Purpose::Real | Purpose::Drill => Self::read(conn, now).await,
        }
    }

    /// One of nobody's but these, without anybody's devices.
    pub(super) fn of(host: OrgId, policy: Policy, on_duty: Vec<OnDuty>, qualified: Vec<Qualified>) -> Self {
        Self {
            host,
            people: Vec::new(),
            policy: Arc::new(policy),
            on_duty,
            qualified,
            recent: Vec::new(),
            agencies: Agencies::default(),
        }
    }

    /// Reads the open callouts of one agency and zone beside it, for duplicates.
    pub(super) async fn with_duplicates(mut self, conn: &mut Conn, agency: OrgId, zone: &Code) -> Result<Self> {
        let rows = sql::query(sqlx::AssertSqlSafe(format!(
            "{RECENT} AND agency = $1 AND zone = $2 ORDER BY opened_at DESC LIMIT 100"
        )))
        .bind(agency.as_bytes())
        .bind(zone.as_str())
        .fetch_all(conn)
        .await?;
        self.recent = rows.iter().map(recent).collect::<Result<_>>()?;
        Ok(self)
    }

    /// Reads one open callout beside it, to merge into.
    pub(super) async fn with_callout(mut self, conn: &mut Conn, callout: CalloutId) -> Result<Self> {
        let row = sql::query(sqlx::AssertSqlSafe(format!("{RECENT} AND callout = $1")))
            .bind(callout.as_bytes())
            .fetch_optional(conn)
            .await?;
        self.recent = row.iter().map(recent).collect::<Result<_>>()?;
        Ok(self)
    }

    /// As the engine borrows it.
    pub(crate) fn context(&self) -> Context<'_> {
        Context {
            policy: &self.policy,
            on_duty: &self.on_duty,
            people: &self.qualified,
            recent: &self.recent,
            agencies: &self.agencies.people,
        }
    }

    /// The live devices of somebody of the host's.
    pub(super) fn devices(&self, person: PersonId) -> &[DeviceId] {
        self.people.iter().find(|p| p.person == person).map_or(&[], |p| p.devices.as_slice())
    }

    /// Somebody as the engine sees them.
    pub(crate) fn actor(&self, caller: &Caller) -> Actor {
        Actor { person: caller.person, org: caller.org, role: caller.role, host: caller.org == self.host }
    }
}

const RECENT: &str = "SELECT callout, agency, zone, site, opened_at, purpose FROM callouts WHERE closed = 0";

fn recent(row: &Row) -> Result<RecentCallout> {
    let site: Option<String> = row.get("site");
    Ok(RecentCallout {
        id: id(row.get("callout"))?,
        agency: id(row.get("agency"))?,
        zone: word(row.get("zone"))?,
        site: site.as_deref().map(word).transpose()?,
        opened_at: Timestamp(row.get("opened_at")),
        purpose: word(row.get("purpose"))?,
    })
}

async fn host_people(conn: &mut Conn, host: OrgId) -> Result<(Vec<HostPerson>, Vec<Qualified>)> {
    let mut devices: HashMap<Vec<u8>, Vec<DeviceId>> = HashMap::new();
    for row in sql::query("SELECT person, device FROM devices WHERE org = $1 AND revoked_at IS NULL ORDER BY device")
        .bind(host.as_bytes())
        .fetch_all(&mut *conn)
        .await?
    {
        devices.entry(row.get("person")).or_default().push(id(row.get("device"))?);
    }
    let mut reached: HashMap<Vec<u8>, Vec<Channel>> = HashMap::new();
    // Nothing is ever sent to what nobody has shown to reach the person, or what does not (any more).
    for row in sql::query("SELECT person, contact, kind FROM contacts WHERE state = 'verified' ORDER BY person, place")
        .fetch_all(&mut *conn)
        .await?
    {
        let kind: String = row.get("kind");
        reached.entry(row.get("person")).or_default().extend(Channel::of(&kind, id(row.get("contact"))?));
    }
    let mut rules: HashMap<Vec<u8>, Vec<NotificationRule>> = HashMap::new();
    for row in sql::query("SELECT person, contact, after_ms FROM contact_rules ORDER BY person, place")
        .fetch_all(&mut *conn)
        .await?
    {
        rules.entry(row.get("person")).or_default().push(read_rule(&row)?);
    }
    let (mut people, mut qualified) = (Vec::new(), Vec::new());
    for row in sql::query(
        "SELECT p.person, p.work_name, p.role, p.languages, f.body AS profile
         FROM people p LEFT JOIN profiles f ON f.person = p.person WHERE p.org = $1 ORDER BY p.person",
    )
    .bind(host.as_bytes())
    .fetch_all(conn)
    .await?
    {
        let (key, role): (Vec<u8>, Role) = (row.get("person"), word(row.get("role"))?);
        let Some(devices) = devices.remove(&key).filter(|_| can_respond(role)) else { continue };
        let (languages, profile): (String, Option<Vec<u8>>) = (row.get("languages"), row.get("profile"));
        let Ok(profile) = read_profile(&languages, profile.as_deref()) else {
            // Nobody who might be barred is paged, and a page to everybody else does not wait for this to be mended.
            tracing::error!("a profile can't be read; its holder counts as not qualified");
            continue;
        };
        let mut channels = vec![Channel::InApp];
        channels.extend(reached.remove(&key).unwrap_or_default());
        let rules = rules.remove(&key).unwrap_or_default();
        // A rule for a way that is not used (any more) is left out: the others are used as they say.
        let way = |contact: Option<ContactId>| channels.iter().copied().find(|channel| channel.contact() == contact);
        let rule = |rule: &NotificationRule| Some(Rule { channel: way(rule.contact)?, after: rule.after_ms });
        let rules = rules.iter().filter_map(rule).collect();
        let person = id(key)?;
        qualified.push(Qualified {
            person,
            work_name: row.get("work_name"),
            languages: profile.languages,
            // Opt-in: nobody is asked, and a preference that can't be matched informs the supervisor.
            meets: profile.presents,
            training: profile.training,
            zones: profile.zones,
            bars: profile.bars,
            channels,
            rules,
        });
        people.push(HostPerson { person, role, devices });
    }
    Ok((people, qualified))
}

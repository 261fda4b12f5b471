//! People and devices as the rest of the server asks for them.

use crate::store::sql::{self, Executor, Row};
use crate::{
    Error, Result,
    store::{Store, Tx, id, word},
};
use firstlight_protocol::{
    DeviceId, OrgId, OrgKind, PersonId, Role, Timestamp,
    api::{DeviceView, PersonView},
    wire::{Bytes, from_cbor},
};
use std::collections::HashMap;

/// A person who works for an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Id.
    pub person: PersonId,
    /// Organisation.
    pub org: OrgId,
    /// What the organisation is.
    pub org_kind: OrgKind,
    /// Work name.
    pub work_name: String,
    /// Role.
    pub role: Role,
    /// Codes of the languages that the person works in.
    pub languages: Vec<String>,
}

/// An enrolled device with its holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Id.
    pub device: DeviceId,
    /// Its holder.
    pub person: Person,
    /// Chain: device, signer, root.
    pub chain: Vec<Bytes>,
    /// Its Ed25519 public key.
    pub key: [u8; 32],
    /// When it was enrolled.
    pub enrolled_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it was last connected.
    pub last_seen_at: Option<Timestamp>,
}

fn person(row: &Row) -> Result<Person> {
    let languages: String = row.get("languages");
    Ok(Person {
        person: id(row.get("person"))?,
        org: id(row.get("org"))?,
        org_kind: word(row.get("kind"))?,
        work_name: row.get("work_name"),
        role: word(row.get("role"))?,
        languages: languages.split_whitespace().map(str::to_owned).collect(),
    })
}

fn device(row: &Row) -> Result<Device> {
    let (chain, key): (Vec<u8>, Vec<u8>) = (row.get("chain"), row.get("key"));
    Ok(Device {
        device: id(row.get("device"))?,
        person: person(row)?,
        chain: from_cbor(&chain).map_err(|e| Error::internal(format!("stored chain: {e}")))?,
        key: key.try_into().map_err(|_| Error::internal("stored device key is not 32 bytes"))?,
        enrolled_at: Timestamp(row.get("enrolled_at")),
        revoked_at: row.get::<Option<i64>>("revoked_at").map(Timestamp),
        last_seen_at: row.get::<Option<i64>>("last_seen_at").map(Timestamp),
    })
}

/// How much of a person's devices a caller is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// Live devices alone.
    Live,
    /// And when each was last connected.
    Seen,
    /// And the revoked ones.
    All,
}

impl Device {
    fn view(self, detail: Detail) -> DeviceView {
        let last_seen_at = self.last_seen_at.filter(|_| detail != Detail::Live);
        let Self { device, chain, enrolled_at, revoked_at, .. } = self;
        DeviceView { device, chain, enrolled_at, revoked_at, last_seen_at }
    }
}

impl Person {
    /// The person with these devices of theirs.
    pub(super) fn view(self, devices: Vec<Device>, detail: Detail) -> PersonView {
        let shown = devices.into_iter().filter(|d| detail == Detail::All || d.revoked_at.is_none());
        PersonView {
            devices: shown.map(|d| d.view(detail)).collect(),
            person: self.person,
            org: self.org,
            work_name: self.work_name,
            role: self.role,
            languages: self.languages,
        }
    }
}

pub(super) async fn find_person<'e>(db: impl Executor<'e>, person_id: PersonId) -> Result<Option<Person>> {
    let row = sql::query("SELECT * FROM known_people WHERE person = $1")
        .bind(person_id.as_bytes())
        .fetch_optional(db)
        .await?;
    row.as_ref().map(person).transpose()
}

pub(super) async fn find_device<'e>(db: impl Executor<'e>, device_id: DeviceId) -> Result<Option<Device>> {
    let row = sql::query("SELECT * FROM known_devices WHERE device = $1")
        .bind(device_id.as_bytes())
        .fetch_optional(db)
        .await?;
    row.as_ref().map(device).transpose()
}

async fn live_devices<'e>(db: impl Executor<'e>, person_id: PersonId) -> Result<Vec<DeviceId>> {
    let rows =
        sql::query("SELECT device FROM devices WHERE person = $1 AND revoked_at IS NULL ORDER BY enrolled_at, device")
            .bind(person_id.as_bytes())
            .fetch_all(db)
            .await?;
    rows.into_iter().map(|row| id(row.get("device"))).collect()
}

impl Store {
    /// The organisation that hosts the server, once it is founded.
    pub async fn host_org(&self) -> Result<Option<OrgId>> {
        let host: Option<Vec<u8>> =
            sql::query_scalar("SELECT host FROM trust WHERE one = 1").fetch_optional(self.read()).await?;
        host.map(id).transpose()
    }

    /// A person.
    pub async fn person(&self, person: PersonId) -> Result<Option<Person>> {
        find_person(self.read(), person).await
    }

    /// Everybody who works for an organisation, by work name.
    pub async fn people_of_org(&self, org: OrgId) -> Result<Vec<Person>> {
        let rows = sql::query("SELECT * FROM known_people WHERE org = $1 ORDER BY work_name, person")
            .bind(org.as_bytes())
            .fetch_all(self.read())
            .await?;
        rows.iter().map(person).collect()
    }

    /// A device, revoked or not.
    pub async fn device(&self, device: DeviceId) -> Result<Option<Device>> {
        find_device(self.read(), device).await
    }

    /// A device's chain, leaf first; `None` for an unknown or revoked device.
    pub async fn device_chain(&self, device: DeviceId) -> Result<Option<Vec<Bytes>>> {
        Ok(self.device(device).await?.filter(|d| d.revoked_at.is_none()).map(|d| d.chain))
    }

    /// A person's devices that are not revoked.
    pub async fn devices_of(&self, person: PersonId) -> Result<Vec<DeviceId>> {
        live_devices(self.read(), person).await
    }

    /// People with their live devices' chains, for a client to verify and add. Unknown people are left out.
    pub async fn person_views(&self, people: &[PersonId]) -> Result<Vec<PersonView>> {
        let mut views = Vec::with_capacity(people.len());
        for person in people {
            if let Some(person) = self.person(*person).await? {
                views.push(self.view(person, Detail::Live).await?);
            }
        }
        Ok(views)
    }

    /// Everybody of an organisation with their devices, in two queries however many they are.
    pub(super) async fn views_of_org(&self, org: OrgId, detail: Detail) -> Result<Vec<PersonView>> {
        let people = self.people_of_org(org).await?;
        let rows = sql::query("SELECT * FROM known_devices WHERE org = $1 ORDER BY enrolled_at, device")
            .bind(org.as_bytes())
            .fetch_all(self.read())
            .await?;
        let mut devices: HashMap<PersonId, Vec<Device>> = HashMap::new();
        for row in &rows {
            let device = device(row)?;
            devices.entry(device.person.person).or_default().push(device);
        }
        let view = |person: Person| {
            let own = devices.remove(&person.person).unwrap_or_default();
            person.view(own, detail)
        };
        Ok(people.into_iter().map(view).collect())
    }

    pub(super) async fn view(&self, person: Person, detail: Detail) -> Result<PersonView> {
        let rows = sql::query("SELECT * FROM known_devices WHERE person = $1 ORDER BY enrolled_at, device")
            .bind(person.person.as_bytes())
            .fetch_all(self.read())
            .await?;
        Ok(person.view(rows.iter().map(device).collect::<Result<_>>()?, detail))
    }

    /// Notes that a device was connected.
    pub async fn device_seen(&self, device: DeviceId, at: Timestamp) -> Result<()> {
        self.write(move |tx| {
            Box::pin(async move {
                sql::query("UPDATE devices SET last_seen_at = $2 WHERE device = $1")
                    .bind(device.as_bytes())
                    .bind(at.0)
                    .execute(&mut *tx.conn)
                    .await?;
                Ok(())
            })
        })
        .await
    }
}

impl Tx<'_> {
    /// A person.
    pub async fn person(&mut self, person: PersonId) -> Result<Option<Person>> {
        find_person(&mut *self.conn, person).await
    }

    /// A device, revoked or not.
    pub async fn device(&mut self, device: DeviceId) -> Result<Option<Device>> {
        find_device(&mut *self.conn, device).await
    }

    /// A person's devices that are not revoked.
    pub async fn devices_of(&mut self, person: PersonId) -> Result<Vec<DeviceId>> {
        live_devices(&mut *self.conn, person).await
    }

    /// Live devices of an organisation's people with this role.
    pub async fn devices_of_role(&mut self, org: OrgId, role: Role) -> Result<Vec<DeviceId>> {
        let rows = sql::query(
            "SELECT d.device FROM people p JOIN devices d ON d.person = p.person
             WHERE p.org = $1 AND p.role = $2 AND d.revoked_at IS NULL",
        )
        .bind(org.as_bytes())
        .bind(role.as_str())
        .fetch_all(&mut *self.conn)
        .await?;
        rows.into_iter().map(|row| id(row.get("device"))).collect()
    }
}

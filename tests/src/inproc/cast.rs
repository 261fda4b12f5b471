//! The people of most scenarios: a host organisation with its on-call tiers, and a police agency.

use super::Server;
use crate::world::{Device, Member, Organisation, shift, soon};
use firstlight_protocol::{
    OrgKind, Role, Timestamp,
    api::{PolicyDocument, RotaDocument},
    cert::Anchors,
    mls::SUITE_CLASSIC,
    policy::Policy,
    rota::{Rota, Shift, Tier},
};
use firstlight_server::config::{Config, Suite};
use firstlight_server::store::sql;
use std::{future::Future, time::Duration};

/// The number to call when nobody answers.
pub const DUTY_NUMBER: &str = "555-0100";

/// A server with the people who use it.
#[derive(Debug)]
pub struct Cast {
    /// The server.
    pub server: Server,
    /// The victim-services organisation.
    pub host: Organisation,
    /// Its admin.
    pub admin: Device,
    /// On duty in the first tier.
    pub primary: Device,
    /// On duty in the second tier.
    pub backup: Device,
    /// On duty in the third tier.
    pub supervisor: Device,
    /// A police agency.
    pub police: Organisation,
    /// Its admin.
    pub chief: Device,
    /// Its officer.
    pub officer: Device,
}

impl Cast {
    /// Everybody enrolled, the rota and the default policy in place. Rooms may use either suite; tests use the classic
    /// one, which is quick without optimisation, except where the suite is what they are about.
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// The same with another configuration.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let server = Server::start(|config| {
            config.suites = vec![Suite::Hybrid, Suite::Classic];
            change(config);
        })
        .await;
        let now = server.now();
        let host = Organisation::new(&server.http, OrgKind::VictimServices, "Agency A", now);
        let admin = host.found_host(server.bootstrap(), now).await.expect("a host");
        let (police, chief) =
            host.found_partner(OrgKind::LawEnforcement, "Police 1", &admin, now).await.expect("a partner");
        let (primary, backup, supervisor, officer) = tokio::join!(
            host.enrol(&admin, Role::Advocate, "Advocate 1", now),
            host.enrol(&admin, Role::Advocate, "Advocate 2", now),
            host.enrol(&admin, Role::Supervisor, "Supervisor 1", now),
            police.enrol(&chief, Role::PoliceOfficer, "Officer 1", now),
        );
        let cast = Self { server, host, admin, primary, backup, supervisor, police, chief, officer };
        let shifts = vec![
            shift(Tier::Primary, &cast.primary),
            shift(Tier::Backup, &cast.backup),
            shift(Tier::Supervisor, &cast.supervisor),
        ];
        cast.put_rota(0, shifts).await;
        let policy = Policy::new(DUTY_NUMBER.parse().expect("a number"));
        let document = PolicyDocument { version: 0, policy };
        cast.supervisor.put::<PolicyDocument>("/v1/policy", &document).await.expect("a policy");
        cast
    }

    /// Replaces the rota that has this version.
    pub async fn put_rota(&self, version: u64, shifts: Vec<Shift>) -> u64 {
        let rota = Rota { shifts, ..Rota::new("America/Los_Angeles") };
        let document = RotaDocument { version, rota };
        let version = self.supervisor.put::<RotaDocument>("/v1/rota", &document).await.expect("a rota").version;
        self.rota_is_told(version).await;
        version
    }

    /// Waits until all whom a new rota concerns were told: that happens beside the request, and afterwards the house
    /// stands still.
    pub async fn rota_is_told(&self, version: u64) {
        let told = async {
            while self.told_of_rota().await != version {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        soon("the news of the rota", told).await;
    }

    /// The version of the rota that people were told of.
    async fn told_of_rota(&self) -> u64 {
        let told: Option<i64> = sql::query_scalar("SELECT version FROM duty_told")
            .fetch_optional(self.server.app().store.read())
            .await
            .expect("the database");
        told.unwrap_or_default().cast_unsigned()
    }

    /// Virtual time.
    pub fn now(&self) -> Timestamp {
        self.server.now()
    }

    /// Lets virtual minutes pass.
    pub fn minutes(&self, minutes: u64) {
        self.seconds(minutes * 60);
    }

    /// Lets virtual seconds pass.
    pub fn seconds(&self, seconds: u64) {
        self.server.advance(Duration::from_secs(seconds));
    }

    /// One more advocate, not on the rota.
    pub async fn advocate(&self, work_name: &str) -> Device {
        self.host.enrol(&self.admin, Role::Advocate, work_name, self.now()).await
    }

    /// One more officer of the police agency.
    pub async fn another_officer(&self, work_name: &str) -> Device {
        self.police.enrol(&self.chief, Role::PoliceOfficer, work_name, self.now()).await
    }

    /// Whom a device of the host trusts from its invite link.
    pub fn anchors(&self) -> Anchors {
        Anchors::new(self.host.id, self.host.root_fingerprint())
    }

    /// Whom a device of the police agency trusts from its invite link.
    pub fn police_anchors(&self) -> Anchors {
        let mut anchors = self.anchors();
        anchors.pin(self.police.id, self.police.root_fingerprint()).expect("a root to pin");
        anchors
    }

    /// Gives a device its engine, and lets it learn whom to trust.
    pub async fn member(&self, device: Device) -> Member {
        let anchors = if device.org == self.police.id { self.police_anchors() } else { self.anchors() };
        let member = Member::new(device, anchors, SUITE_CLASSIC, self.now()).await;
        member.sync(self.now()).await;
        member
    }

    /// Asserts that `attempt` changes nothing that is stored.
    pub async fn changes_nothing<T>(&self, attempt: impl Future<Output = T>) -> T {
        let before = self.server.digest().await;
        let outcome = attempt.await;
        let after = self.server.digest().await;
        assert_eq!(after.differs_in(&before), Vec::<&str>::new(), "a refused attempt changed something");
        outcome
    }
}

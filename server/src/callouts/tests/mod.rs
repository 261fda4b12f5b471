//! Dispatch with a real store, real sockets' wake-ups, real webhook receivers, and a clock that the test moves.

mod documents;
mod rooms;
mod story;
mod webhooks;

use super::handlers;
use crate::store::sql;
use crate::{
    Result, Shared,
    bus::Connection,
    caller::Caller,
    clock::{Clock, ManualClock},
    config::{Config, Paging},
    extract::{Json, Path},
    identity::{MaybeLocked, OnDuty},
    serve::{Running, serve},
};
use axum::extract::State;
use firstlight_protocol::{
    ActionId, CalloutId, DeviceId, OrgId, OrgKind, PageId, PersonId, Role, SessionId, Timestamp,
    api::{ActOnCallout, Notice},
    callout::{Action, AgeBand, CalloutView, OpenCallout, Preference, Purpose, Routing, Tier},
    cert::{Anchors, Fingerprint},
    policy::{Millis, Policy},
    rota::{Repeat, Rota, Shift},
    wire::{Bytes, to_cbor},
};
use std::{path::PathBuf, sync::Arc, time::Duration};
use tempfile::TempDir;

const HOST: OrgId = OrgId([1; 16]);
const AGENCY: OrgId = OrgId([2; 16]);
const OTHER_AGENCY: OrgId = OrgId([3; 16]);
const CALLOUT: CalloutId = CalloutId([9; 16]);
/// Long for a loopback; reached only by a test that fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// The people of the stories: one device each, under the same number.
pub(crate) fn who(n: u8) -> Caller {
    let (org, org_kind, role) = match n {
        10..20 => (AGENCY, OrgKind::LawEnforcement, Role::PoliceOfficer),
        20 => (AGENCY, OrgKind::LawEnforcement, Role::WatchCommander),
        21 => (OTHER_AGENCY, OrgKind::LawEnforcement, Role::PoliceOfficer),
        30..40 => (HOST, OrgKind::VictimServices, Role::Advocate),
        40..50 => (HOST, OrgKind::VictimServices, Role::Supervisor),
        50 => (HOST, OrgKind::VictimServices, Role::Admin),
        _ => (HOST, OrgKind::VictimServices, Role::Caseworker),
    };
    let (person, device, session) = (PersonId([n; 16]), DeviceId([n; 16]), SessionId([n; 16]));
    Caller { org, org_kind, person, device, role, session }
}

pub(crate) fn officer() -> Caller {
    who(10)
}
fn commander() -> Caller {
    who(20)
}
fn stranger() -> Caller {
    who(21)
}
pub(crate) fn primary() -> Caller {
    who(30)
}
pub(crate) fn backup() -> Caller {
    who(31)
}
/// An advocate who is on no rota.
pub(crate) fn reserve() -> Caller {
    who(32)
}
pub(crate) fn supervisor() -> Caller {
    who(40)
}
pub(crate) fn admin() -> Caller {
    who(50)
}
pub(crate) fn caseworker() -> Caller {
    who(60)
}

fn everybody() -> [Caller; 9] {
    [officer(), commander(), stranger(), primary(), backup(), reserve(), supervisor(), admin(), caseworker()]
}

/// A running server with the stories' people, rota and policy.
pub(crate) struct House {
    dir: TempDir,
    pub(crate) clock: Arc<ManualClock>,
    running: Running,
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(Paging::default()).await
    }

    async fn with(paging: Paging) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = ManualClock::new(Timestamp(1_770_000_000_000));
        let running = start(dir.path().into(), paging, &clock).await;
        let house = Self { dir, clock, running };
        house.settle_in().await;
        house
    }

    pub(crate) fn app(&self) -> &Shared {
        &self.running.app
    }

    /// Stops the server in order, lets time pass, and starts it again.
    pub(crate) async fn restart_after(self, pause: Duration) -> Self {
        let Self { dir, clock, running } = self;
        let paging = running.app.config.paging.clone();
        running.shutdown().await;
        clock.advance(pause);
        let running = start(dir.path().into(), paging, &clock).await;
        Self { dir, clock, running }
    }

    async fn settle_in(&self) {
        self.sql(
            "INSERT INTO orgs (org, kind, name, root, founded_at) VALUES
             (x'01010101010101010101010101010101', 'victim_services', 'Host', x'', 0),
             (x'02020202020202020202020202020202', 'law_enforcement', 'Agency A', x'', 0),
             (x'03030303030303030303030303030303', 'law_enforcement', 'Agency B', x'', 0)",
        )
        .await;
        let anchors = to_cbor(&Anchors::new(HOST, Fingerprint([0; 32])));
        self.app()
            .store
            .write(move |tx| {
                Box::pin(async move {
                    sql::query("INSERT INTO trust (one, host, anchors, bootstrap) VALUES (1, $1, $2, x'')")
                        .bind(HOST.as_bytes())
                        .bind(anchors)
                        .execute(&mut *tx.conn)
                        .await?;
                    Ok(())
                })
            })
            .await
            .unwrap();
        for caller in everybody() {
            self.enrol(&caller).await;
        }
        let shift = |tier, caller: Caller| Shift {
            id: None,
            tier,
            person: caller.person,
            zone: None,
            from: "2026-01-01T00:00:00".parse().unwrap(),
            until: "2026-01-02T00:00:00".parse().unwrap(),
            repeat: Repeat::Daily,
            repeat_until: None,
        };
        let shifts =
            vec![shift(Tier::Primary, primary()), shift(Tier::Backup, backup()), shift(Tier::Supervisor, supervisor())];
        let (rota, policy) =
            (Rota { shifts, ..Rota::new("America/Los_Angeles") }, Policy::new("555-0100".parse().unwrap()));
        let now = self.app().clock.now();
        self.app()
            .store
            .write(move |tx| {
                Box::pin(async move {
                    tx.replace_document(0, &rota, now).await?;
                    tx.replace_document(0, &policy, now).await
                })
            })
            .await
            .unwrap();
    }

    async fn enrol(&self, caller: &Caller) {
        let caller = caller.clone();
        self.app()
            .store
            .write(move |tx| {
                Box::pin(async move {
                    sql::query(
                        "INSERT INTO people (person, org, work_name, role, created_at) VALUES ($1, $2, $3, $4, 0)",
                    )
                    .bind(caller.person.as_bytes())
                    .bind(caller.org.as_bytes())
                    .bind(format!("{} {}", caller.role, caller.person.0[0]))
                    .bind(caller.role.as_str())
                    .execute(&mut *tx.conn)
                    .await?;
                    sql::query(
                        "INSERT INTO devices (device, person, org, chain, key, signer, enrolled_at)
                         VALUES ($1, $2, $3, $4, $5, x'', 0)",
                    )
                    .bind(caller.device.as_bytes())
                    .bind(caller.person.as_bytes())
                    .bind(caller.org.as_bytes())
                    .bind(to_cbor(&Vec::<Bytes>::new()))
                    .bind([0; 32].as_slice())
                    .execute(&mut *tx.conn)
                    .await?;
                    Ok(())
                })
            })
            .await
            .unwrap();
    }

    pub(crate) async fn sql(&self, text: &'static str) {
        self.app()
            .store
            .write(move |tx| {
                Box::pin(async move {
                    sql::query(text).execute(&mut *tx.conn).await?;
                    Ok(())
                })
            })
            .await
            .unwrap();
    }

    pub(crate) fn phone(&self, caller: &Caller) -> Phone {
        let connection = self.app().bus.connect(caller.device, caller.session);
        Phone { app: Shared::clone(self.app()), device: caller.device, connection }
    }

    async fn open(&self, caller: &Caller, request: OpenCallout) -> Result<CalloutView> {
        let answer = handlers::open(State(Shared::clone(self.app())), OnDuty(caller.clone()), Json(request)).await;
        answer.map(|Json(view)| view)
    }

    async fn act(&self, caller: &Caller, id: u8, action: Action) -> Result<CalloutView> {
        let request = ActOnCallout { id: ActionId([id; 16]), action };
        let app = State(Shared::clone(self.app()));
        handlers::act(app, OnDuty(caller.clone()), Path(CALLOUT), Json(request)).await.map(|Json(view)| view)
    }

    async fn view(&self, caller: &Caller) -> Result<CalloutView> {
        let app = State(Shared::clone(self.app()));
        handlers::get(app, OnDuty(caller.clone()), Path(CALLOUT)).await.map(|Json(view)| view)
    }

    async fn list(&self, caller: &Caller) -> Vec<CalloutId> {
        let Json(list) = handlers::list(State(Shared::clone(self.app())), OnDuty(caller.clone())).await.unwrap();
        list.callouts.iter().map(|view| view.id).collect()
    }
}

async fn start(dir: PathBuf, paging: Paging, clock: &Arc<ManualClock>) -> Running {
    let mut config = Config { data_dir: dir, listen: ([127, 0, 0, 1], 0).into(), paging, ..Config::default() };
    (config.proof.readiness_every_ms, config.proof.canary_every_ms) = (Millis(0), Millis(0));
    serve(config, Clock::Manual(Arc::clone(clock))).await.unwrap()
}

/// A connected device.
pub(crate) struct Phone {
    app: Shared,
    device: DeviceId,
    connection: Connection,
}

impl Phone {
    pub(crate) async fn notices(&self) -> Vec<Notice> {
        let page = self.app.store.inbox(self.device, 0, 10_000).await.unwrap();
        page.items.into_iter().map(|item| item.notice).collect()
    }

    /// Waits until the inbox holds what is looked for.
    #[track_caller]
    pub(crate) fn until<T>(&self, find: impl Fn(&[Notice]) -> Option<T>) -> impl Future<Output = T> {
        let place = std::panic::Location::caller();
        async move {
            let found = async {
                loop {
                    if let Some(found) = find(&self.notices().await) {
                        return found;
                    }
                    self.connection.wake.wait().await;
                }
            };
            tokio::time::timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("never came: {place}"))
        }
    }

    #[track_caller]
    fn page(&self) -> impl Future<Output = PageId> {
        self.until(|notices| pages(notices).first().copied())
    }

    /// The newest view once it is as looked for.
    #[track_caller]
    fn view(&self, is: impl Fn(&CalloutView) -> bool) -> impl Future<Output = CalloutView> {
        self.until(move |notices| {
            let views = notices.iter().rev().find_map(|n| match n {
                Notice::Callout { view } => Some(view.clone()),
                _ => None,
            });
            views.filter(&is)
        })
    }
}

fn pages(notices: &[Notice]) -> Vec<PageId> {
    let page = |n: &Notice| match n {
        Notice::Page { page, .. } => Some(*page),
        _ => None,
    };
    notices.iter().filter_map(page).collect()
}

fn request(house: &House) -> OpenCallout {
    OpenCallout {
        id: CALLOUT,
        routing: Routing {
            call_back: "555-0101".parse().unwrap(),
            zone: "north".parse().unwrap(),
            site: None,
            first_contact_at: house.app().clock.now(),
            young_people: 1,
            age_band: AgeBand::Early,
            languages: Vec::new(),
            preference: Preference::Any,
            scene_safe: true,
            emergency_needed: false,
            wanted: 1,
            training: vec![],
        },
        purpose: Purpose::Real,
    }
}

fn minutes(n: u64) -> Duration {
    Duration::from_secs(n * 60)
}

pub(crate) fn code<T: std::fmt::Debug>(refused: Result<T>) -> firstlight_protocol::ErrorCode {
    refused.unwrap_err().problem().code
}

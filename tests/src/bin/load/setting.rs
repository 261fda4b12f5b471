//! A server process and the people who talk through it.

use firstlight_protocol::{
    OrgKind, Role, RoomId, RoomKind, Secret, Timestamp,
    api::RoomView,
    mls::{RoomContext, SUITE_CLASSIC},
};
use firstlight_server::{
    clock::Clock,
    config::{Config, Suite},
};
use firstlight_tests::{
    process::ServerProcess,
    world::{Device, Http, Organisation, mls::Hand, random},
};
use futures_util::{StreamExt, stream};
use std::{sync::Arc, time::Instant};
use tempfile::TempDir;

/// Requests under way at once while people are set up.
const AT_ONCE: usize = 48;

/// A server process with a founded host organisation.
pub(crate) struct Host {
    pub(crate) server: ServerProcess,
    pub(crate) org: Organisation,
    pub(crate) admin: Device,
    _dir: TempDir,
}

impl Host {
    /// Starts a server, and founds its host.
    pub(crate) async fn found(adjust: impl Fn(&mut Config)) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let server = ServerProcess::start(dir.path(), |config| {
            config.suites = vec![Suite::Hybrid, Suite::Classic];
            config.log.filter = "warn,firstlight_server::serve=info".into();
            config.limits.sockets_per_device = 16;
            config.limits.connections = 15_000;
            config.limits.connections_per_loopback = 15_000;
            config.limits.connections_per_address = 15_000;
            adjust(config);
        });
        let server = server.expect("a server");
        let address = server.url().trim_start_matches("http://").parse().expect("an address");
        let http = Arc::new(Http::new(address));
        let org = Organisation::new(&http, OrgKind::VictimServices, "Agency A", now());
        let token = std::fs::read_to_string(server.bootstrap_file()).expect("the bootstrap token");
        let admin = org.found_host(Secret::new(token.trim()), now()).await.expect("a host");
        Self { server, org, admin, _dir: dir }
    }

    /// Enrols and signs in so many people of a role.
    pub(crate) async fn people(&self, org: &Organisation, admin: &Device, role: Role, count: usize) -> Vec<Device> {
        // Once, before many requests find out at the same time that nobody has.
        admin.access().await.expect("signing in");
        let enrolling = stream::iter(1..=count).map(|n| async move {
            let device = org.enrol(admin, role, &format!("{role} {n}"), now()).await;
            device.sign_in().await.expect("signing in");
            device
        });
        enrolling.buffered(AT_ONCE).collect().await
    }

    /// CPU time that the server process has used, in seconds.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        let stat = self.proc("stat");
        // The program's name, in parentheses, may hold spaces: count from behind it.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |i: usize| fields.get(i).and_then(|f| f.parse::<f64>().ok()).unwrap_or_default();
        (ticks(11) + ticks(12)) / 100.0
    }

    /// Memory that the server process holds, in bytes.
    pub(crate) fn resident(&self) -> f64 {
        let status = self.proc("status");
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).expect("a process has memory");
        line.split_whitespace().next().and_then(|kib| kib.parse::<f64>().ok()).expect("a number") * 1_024.0
    }

    fn proc(&self, file: &str) -> String {
        let id = self.server.id().expect("the server runs");
        std::fs::read_to_string(format!("/proc/{id}/{file}")).expect("Linux tells of processes")
    }
}

/// The machine's time.
pub(crate) fn now() -> Timestamp {
    Clock::System.now()
}

/// A host with many advocates.
pub(crate) struct Town {
    pub(crate) host: Host,
    pub(crate) devices: Vec<Device>,
}

/// A room and its members, as indices into [`Town::devices`]; the first made it.
pub(crate) struct Room {
    pub(crate) id: RoomId,
    pub(crate) epoch: u64,
    pub(crate) members: Vec<usize>,
}

impl Town {
    /// Starts a server and enrols so many advocates, one device each.
    pub(crate) async fn build(people: usize) -> Self {
        let started = Instant::now();
        eprintln!("setting up {people} people");
        let host = Host::found(|_| {}).await;
        let devices = host.people(&host.org, &host.admin, Role::Advocate, people).await;
        eprintln!("  {:.1} s", started.elapsed().as_secs_f64());
        Self { host, devices }
    }

    /// So many advocate rooms of so many devices each, nobody in two of them.
    pub(crate) async fn rooms(&self, count: usize, size: usize) -> Vec<Room> {
        eprintln!("making {count} rooms of {size}");
        let making = stream::iter(0..count).map(|n| async move {
            let members: Vec<usize> = (n * size..(n + 1) * size).collect();
            let (id, hand) = (RoomId(random()), Hand::of(&self.devices[members[0]]));
            let packages = members[1..].iter().map(|&m| Hand::of(&self.devices[m]).key_package(SUITE_CLASSIC, false));
            let mut room = hand.found(id, &self.advocate_room(), SUITE_CLASSIC);
            let request = hand.create(&mut room, packages.collect());
            let _: RoomView = self.devices[members[0]].post("/v1/rooms", &request).await.expect("a room");
            Room { id, epoch: room.epoch(), members }
        });
        making.buffered(8).collect().await
    }

    /// The context of an advocate room of the host.
    pub(crate) fn advocate_room(&self) -> RoomContext {
        RoomContext { kind: RoomKind::Advocate, org: self.host.org.id, callout: None }
    }
}

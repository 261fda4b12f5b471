//! A server, of one process or several, and the people who talk through it.

use firstlight_protocol::{
    OrgKind, Role, RoomId, RoomKind, Secret, Timestamp,
    api::{PolicyDocument, RoomView, RotaDocument},
    mls::{RoomContext, SUITE_CLASSIC},
    policy::Policy,
    rota::{Rota, Shift, Tier},
};
use firstlight_server::{
    clock::Clock,
    config::{Config, Suite},
};
use firstlight_tests::{
    cluster::{Cluster, Node},
    process::ServerProcess,
    world::{Device, Http, Organisation, mls::Hand, random, shift},
};
use futures_util::{StreamExt, stream};
use std::{sync::Arc, time::Instant};
use tempfile::TempDir;

/// Requests under way at once while people are set up.
const AT_ONCE: usize = 48;

/// A server with a founded host organisation.
pub(crate) struct Host {
    pub(crate) org: Organisation,
    pub(crate) admin: Device,
    servers: Servers,
}

enum Servers {
    /// On SQLite.
    One { server: Box<ServerProcess>, _dir: TempDir },
    /// On PostgreSQL and Redis.
    Several(Box<Cluster>),
}

/// Room for a whole town behind one address.
pub(crate) fn roomy(config: &mut Config) {
    config.suites = vec![Suite::Hybrid, Suite::Classic];
    config.log.filter = "warn,firstlight_server::serve=info".into();
    // A dead node's sockets count until it is buried.
    config.limits.sockets_per_device = 32;
    config.limits.connections = 15_000;
    config.limits.connections_per_loopback = 15_000;
    config.limits.connections_per_address = 15_000;
}

impl Host {
    /// Starts a server, and founds its host.
    pub(crate) async fn found(adjust: impl Fn(&mut Config)) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let server = ServerProcess::start(dir.path(), |config| {
            roomy(config);
            adjust(config);
        });
        Self::on(Servers::One { server: Box::new(server.expect("a server")), _dir: dir }).await
    }

    /// Founds the host of a cluster.
    pub(crate) async fn found_on(cluster: Cluster) -> Self {
        Self::on(Servers::Several(Box::new(cluster))).await
    }

    async fn on(servers: Servers) -> Self {
        let first = servers.all()[0];
        let http = Arc::new(Http::new(first.address()));
        let org = Organisation::new(&http, OrgKind::VictimServices, "Agency A", now());
        let token = std::fs::read_to_string(first.bootstrap_file()).expect("the bootstrap token");
        let admin = org.found_host(Secret::new(token.trim()), now()).await.expect("a host");
        Self { org, admin, servers }
    }

    /// Ways to each of its nodes.
    pub(crate) fn ways(&self) -> Vec<Arc<Http>> {
        self.servers.all().iter().map(|server| Arc::new(Http::new(server.address()))).collect()
    }

    /// One of its processes.
    pub(crate) fn process(&mut self, n: usize) -> &mut ServerProcess {
        match &mut self.servers {
            Servers::One { server, .. } => server,
            Servers::Several(cluster) => &mut cluster.nodes[n].server,
        }
    }

    /// Its lines, where it is a cluster.
    pub(crate) fn nodes(&self) -> &[Node] {
        match &self.servers {
            Servers::One { .. } => &[],
            Servers::Several(cluster) => &cluster.nodes,
        }
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

    /// CPU time that the server processes have used, in seconds; databases not counted.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        self.servers.all().into_iter().map(cpu_seconds).sum()
    }

    /// Memory that the first process holds, in bytes.
    pub(crate) fn resident(&self) -> f64 {
        let status = proc(self.servers.all()[0], "status");
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).expect("a process has memory");
        line.split_whitespace().next().and_then(|kib| kib.parse::<f64>().ok()).expect("a number") * 1_024.0
    }
}

impl Servers {
    fn all(&self) -> Vec<&ServerProcess> {
        match self {
            Self::One { server, .. } => vec![server],
            Self::Several(cluster) => cluster.nodes.iter().map(|node| &node.server).collect(),
        }
    }
}

fn cpu_seconds(server: &ServerProcess) -> f64 {
    let stat = proc(server, "stat");
    // The program's name, in parentheses, may hold spaces: count from behind it.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |i: usize| fields.get(i).and_then(|f| f.parse::<f64>().ok()).unwrap_or_default();
    (ticks(11) + ticks(12)) / 100.0
}

fn proc(server: &ServerProcess, file: &str) -> String {
    let id = server.id().expect("the server runs");
    std::fs::read_to_string(format!("/proc/{id}/{file}")).expect("Linux tells of processes")
}

/// The machine's time.
pub(crate) fn now() -> Timestamp {
    Clock::System.now()
}

/// Lets devices talk to the nodes in turn.
pub(crate) fn spread(devices: &mut [Device], ways: &[Arc<Http>]) {
    for (device, way) in devices.iter_mut().zip(ways.iter().cycle()) {
        device.http = Arc::clone(way);
    }
}

/// Who is on duty tonight, and officers who call.
pub(crate) struct Duty {
    pub(crate) officers: Vec<Arc<Device>>,
    pub(crate) advocate: Arc<Device>,
    pub(crate) supervisor: Device,
}

impl Duty {
    /// One advocate, one supervisor, and so many officers of a partner, who talk to the nodes in turn.
    pub(crate) async fn begin(host: &Host, officers: usize) -> Self {
        let partner = host.org.found_partner(OrgKind::LawEnforcement, "Agency B", &host.admin, now()).await;
        let (police, chief) = partner.expect("a partner");
        let mut officers = host.people(&police, &chief, Role::PoliceOfficer, officers).await;
        spread(&mut officers, &host.ways());
        let one = async |role| host.people(&host.org, &host.admin, role, 1).await.pop().expect("a person");
        let (advocate, supervisor) = (one(Role::Advocate).await, one(Role::Supervisor).await);
        let policy = PolicyDocument { version: 0, policy: Policy::new("555-0100".parse().expect("a number")) };
        let _: PolicyDocument = supervisor.put("/v1/policy", &policy).await.expect("a policy");
        let officers = officers.into_iter().map(Arc::new).collect();
        let duty = Self { officers, advocate: Arc::new(advocate), supervisor };
        duty.put_rota(0, vec![shift(Tier::Primary, &duty.advocate), shift(Tier::Supervisor, &duty.supervisor)]).await;
        duty
    }

    /// From now on these are on duty; `version` is that of the rota before.
    pub(crate) async fn put_rota(&self, version: u64, shifts: Vec<Shift>) {
        let rota = RotaDocument { version, rota: Rota { shifts, ..Rota::new("America/Los_Angeles") } };
        let _: RotaDocument = self.supervisor.put("/v1/rota", &rota).await.expect("a rota");
    }
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
        Self::of(Host::found(|_| {}).await, people).await
    }

    /// Enrols so many advocates, one device each; they talk to the nodes in turn.
    pub(crate) async fn of(host: Host, people: usize) -> Self {
        let started = Instant::now();
        eprintln!("setting up {people} people");
        let mut devices = host.people(&host.org, &host.admin, Role::Advocate, people).await;
        spread(&mut devices, &host.ways());
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

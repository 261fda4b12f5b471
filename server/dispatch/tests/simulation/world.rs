//! Who there is, how they are reached, and who is on duty: everything that a step of the engine is given is made here.

use crate::{people::Nature, random::Random};
use firstlight_dispatch::*;
use firstlight_protocol::{callout::*, policy::*, profile::Bar, rota::*, *};

const HOST: OrgId = OrgId([0xF; 16]);
const AGENCIES: [OrgId; 2] = [OrgId([0xA; 16]), OrgId([0xB; 16])];
/// Officers and commanders have numbers from here on.
const OFFICER: u8 = 200;
const ZONES: [&str; 3] = ["north", "south", "harbour"];

/// Nights in which the clocks change, in zones that do it in different ways: the zone, the date two days before and the
/// one after that, and the moment.
const CHANGES: &[(&str, &str, &str, i64)] = &[
    ("America/Los_Angeles", "2026-03-06", "2026-03-07", 1_772_964_000),
    ("America/Los_Angeles", "2026-10-30", "2026-10-31", 1_793_523_600),
    ("America/Havana", "2026-03-06", "2026-03-07", 1_772_946_000),
    ("America/Santiago", "2026-04-03", "2026-04-04", 1_775_358_000),
    ("America/Santiago", "2026-09-04", "2026-09-05", 1_788_667_200),
    ("Europe/Berlin", "2026-03-27", "2026-03-28", 1_774_746_000),
    ("Europe/Berlin", "2026-10-23", "2026-10-24", 1_792_890_000),
    ("Europe/London", "2026-10-23", "2026-10-24", 1_792_890_000),
    ("Asia/Beirut", "2026-03-27", "2026-03-28", 1_774_735_200),
    ("Africa/Cairo", "2026-10-28", "2026-10-29", 1_793_307_600),
    ("Africa/Casablanca", "2026-02-13", "2026-02-14", 1_771_120_800),
    // Half an hour; two hours; a day that was skipped.
    ("Australia/Lord_Howe", "2026-04-03", "2026-04-04", 1_775_314_800),
    ("Australia/Lord_Howe", "2026-10-02", "2026-10-03", 1_791_041_400),
    ("Antarctica/Troll", "2026-10-23", "2026-10-24", 1_792_890_000),
    ("Pacific/Apia", "2011-12-28", "2011-12-29", 1_325_239_200),
    // None at all.
    ("Asia/Kathmandu", "2026-03-06", "2026-03-07", 1_772_964_000),
];

/// Changes of duty that leave no hole on paper, and one that does.
const SHIFTS: &[&[(&str, &str)]] = &[
    &[("22:00", "06:00"), ("06:00", "22:00")],
    &[("00:00", "02:30"), ("02:30", "12:00"), ("12:00", "00:00")],
    &[("03:00", "03:00")],
    &[("20:00", "02:00"), ("04:00", "20:00")],
];

/// Somebody of the host's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member {
    pub(crate) nature: Nature,
    /// Whether a device of theirs is connected.
    pub(crate) connected: bool,
}

pub(crate) struct World {
    pub(crate) start: Timestamp,
    /// When the clocks change, in milliseconds from the start.
    pub(crate) change: i64,
    pub(crate) policy: Policy,
    pub(crate) people: Vec<Qualified>,
    /// By number, from 1; the last ones are supervisors.
    pub(crate) members: Vec<Member>,
    supervisors: u8,
    rota: Rota,
    on_duty: Vec<OnDuty>,
    /// For when `on_duty` was read: nothing changes in between.
    read_for: (Timestamp, Timestamp),
    reads: u64,
    pub(crate) recent: Vec<RecentCallout>,
}

pub(crate) fn person(n: u8) -> PersonId {
    PersonId([n; 16])
}

impl World {
    pub(crate) fn any(random: &mut Random) -> Self {
        let (tz, day, next_day, change) = CHANGES[random.between(0, CHANGES.len() as u64 - 1) as usize];
        // Most nights begin less than an hour before the change.
        let before = if random.chance(70) { random.between(0, 3_600) } else { random.between(0, 30 * 3_600) };
        let start = Timestamp((change - before as i64) * 1_000);
        let matches = random.chance(60);
        let (advocates, supervisors) = (random.between(2, 7) as u8, random.between(1, 2) as u8);
        let all = advocates + supervisors;
        let mut world = Self {
            start,
            change: before as i64 * 1_000,
            policy: policy(all, random),
            people: (1..=all).map(|n| qualified(n, matches, random)).collect(),
            members: (1..=all).map(|_| Member { nature: Nature::any(random), connected: random.chance(60) }).collect(),
            supervisors,
            rota: Rota::new(tz),
            on_duty: vec![],
            read_for: (Timestamp(0), Timestamp(0)),
            reads: 0,
            recent: vec![],
        };
        for tier in [Tier::Primary, Tier::Backup, Tier::Supervisor] {
            let numbers = if tier == Tier::Supervisor { (advocates + 1, all) } else { (1, advocates) };
            world.fill(tier, numbers, (day, next_day), random);
        }
        assert_eq!(world.rota.validate(), Ok(()));
        world
    }

    /// Shifts of one tier; some have nobody.
    fn fill(&mut self, tier: Tier, (low, high): (u8, u8), (day, next_day): (&str, &str), random: &mut Random) {
        for (from, until) in SHIFTS[random.between(0, SHIFTS.len() as u64 - 1) as usize] {
            let end = if until <= from { next_day } else { day };
            let count = if random.chance(12) { 0 } else { random.between(1, 2) };
            for _ in 0..count {
                self.rota.shifts.push(Shift {
                    id: None,
                    tier,
                    person: person(random.between(low.into(), high.into()) as u8),
                    zone: random.chance(15).then(|| zone(random)),
                    from: format!("{day}T{from}:00").parse().unwrap(),
                    until: format!("{end}T{until}:00").parse().unwrap(),
                    repeat: Repeat::Daily,
                    repeat_until: None,
                });
            }
        }
    }

    /// As a node with this clock sees it.
    pub(crate) fn read_for(&mut self, now: Timestamp) {
        self.reads += 1;
        let (from, until) = self.read_for;
        let known = from <= now && now < until;
        if !known || self.reads.is_multiple_of(256) {
            let on_duty = self.rota.on_call(now).unwrap();
            assert!(!known || on_duty == self.on_duty, "nothing changes before the rota's next change");
            self.on_duty = on_duty;
            self.read_for = (now, self.rota.next_change(now).unwrap().unwrap_or(Timestamp(i64::MAX)));
        }
    }

    pub(crate) fn context(&self) -> Context<'_> {
        Context {
            policy: &self.policy,
            on_duty: &self.on_duty,
            people: &self.people,
            recent: &self.recent,
            agencies: &[],
        }
    }

    pub(crate) fn qualified(&self, person: PersonId) -> Option<&Qualified> {
        self.people.iter().find(|q| q.person == person)
    }

    /// Whether a conflict of interest keeps somebody from what was asked for.
    pub(crate) fn is_barred(&self, person: PersonId, request: &Open) -> bool {
        let routing = &request.routing;
        let fits = |bar: &Bar| bar.fits(request.by.org, request.by.person, &routing.zone, routing.site.as_ref());
        self.qualified(person).is_some_and(|q| q.bars.iter().any(fits))
    }

    pub(crate) fn member(&self, person: PersonId) -> &Member {
        &self.members[usize::from(person.0[0]) - 1]
    }

    pub(crate) fn actor(&self, person: PersonId) -> Actor {
        let supervises = usize::from(person.0[0]) > self.members.len() - usize::from(self.supervisors);
        let role = if supervises { Role::Supervisor } else { Role::Advocate };
        Actor { person, org: HOST, role, host: true }
    }

    pub(crate) fn supervisor(&self) -> Actor {
        self.actor(person(self.members.len() as u8))
    }

    /// What an officer asks for.
    pub(crate) fn request(&self, n: usize, now: i64, random: &mut Random) -> Open {
        let agency = random.between(0, 1);
        let by = Actor {
            person: person(OFFICER + agency as u8),
            org: AGENCIES[agency as usize],
            role: if random.chance(90) { Role::PoliceOfficer } else { Role::WatchCommander },
            host: false,
        };
        let routing = Routing {
            call_back: "555-0100".parse().unwrap(),
            zone: zone(random),
            site: None,
            first_contact_at: Timestamp(self.start.0 + now),
            young_people: 1,
            age_band: AgeBand::Unknown,
            languages: if random.chance(30) { vec!["es".parse().unwrap()] } else { vec![] },
            preference: if random.chance(20) { Preference::Woman } else { Preference::Any },
            scene_safe: random.chance(80),
            emergency_needed: false,
            wanted: if random.chance(70) { 1 } else { random.between(2, 3) as u8 },
            training: if random.chance(20) { vec!["minors".parse().unwrap()] } else { vec![] },
        };
        let mut id = [0; 16];
        id[..8].copy_from_slice(&(n as u64 + 1).to_be_bytes());
        let purpose = if random.chance(10) { Purpose::Drill } else { Purpose::Real };
        let caller = random.chance(20).then(|| "+15555550100".parse().unwrap());
        Open { id: CalloutId(id), by, routing, purpose, caller }
    }
}

fn zone(random: &mut Random) -> Code {
    ZONES[random.between(0, 2) as usize].parse().unwrap()
}

fn qualified(n: u8, matches: bool, random: &mut Random) -> Qualified {
    let mut channels = vec![Channel::InApp];
    for c in 1..=random.between(0, 3) as u8 {
        let id = ContactId([n * 8 + c; 16]);
        channels.push(match random.between(0, 3) {
            0 => Channel::Webhook { id },
            1 => Channel::Push { id },
            2 => Channel::Sms { id },
            _ => Channel::Voice { id },
        });
    }
    let mut qualified = Qualified {
        person: person(n),
        work_name: format!("Advocate {n}"),
        languages: if random.chance(50) { vec!["es-MX".parse().unwrap()] } else { vec![] },
        meets: Preference::Any,
        training: vec![],
        zones: vec![],
        bars: vec![],
        channels,
        rules: vec![],
    };
    if !matches {
        return qualified;
    }
    if random.chance(40) {
        qualified.meets = Preference::Woman;
    }
    if random.chance(40) {
        qualified.training.push("minors".parse().unwrap());
    }
    if random.chance(30) {
        qualified.zones.push(zone(random));
    }
    if random.chance(12) {
        qualified.bars.push(match random.between(0, 2) {
            0 => Bar::Agency { org: AGENCIES[0] },
            1 => Bar::Zone { code: zone(random) },
            _ => Bar::Person { person: person(OFFICER) },
        });
    }
    if random.chance(35) {
        let mut after = 0;
        for place in 0..random.between(1, 4) as usize {
            let channel = qualified.channels[place % qualified.channels.len()];
            qualified.rules.push(Rule { channel, after: Millis::seconds(after) });
            after += [0, 30, 60, 90][random.between(0, 3) as usize];
        }
    }
    qualified
}

/// Every other organisation has DOMAIN.md's timers.
fn policy(people: u8, random: &mut Random) -> Policy {
    let mut policy = Policy::new("555-0199".parse().unwrap());
    if random.chance(50) {
        let t = &mut policy.timers;
        let mut seconds = |low, high| Millis::seconds(random.between(low, high));
        t.repeat_every_ms = seconds(20, 120);
        t.backup_after_ms = seconds(30, 240);
        t.supervisor_after_ms = Millis(t.backup_after_ms.0 + seconds(30, 240).0);
        t.everyone_after_ms = Millis(t.supervisor_after_ms.0 + seconds(30, 300).0);
        t.slow_repeat_ms = seconds(60, 300);
        t.acknowledge_grace_ms = seconds(20, 200);
        t.channel_stall_ms = seconds(5, 30);
        t.target_on_scene_ms = seconds(1_200, 5_400);
        t.review_within_ms = seconds(600, 6_000);
        policy.calls_per_turn = seconds(2, 10).0 as u16 / 1_000;
    }
    if random.chance(30) {
        policy.matching = Matching::none();
    }
    if random.chance(20) {
        policy.never_alone = NeverAlone::UnsafeScene;
    }
    if random.chance(25) {
        let url = "https://example.org/answering".into();
        policy.outside.insert(outside(), OutsideWebhook { url, keys: vec![] });
        policy.escalation = Some(escalation(people, random));
    }
    if random.chance(25) {
        policy.outside.entry(outside()).or_insert(OutsideWebhook { url: "https://example.org".into(), keys: vec![] });
        policy.zone_escalations.insert(zone(random), escalation(people, random));
    }
    assert_eq!(policy.validate(), Ok(()));
    policy
}

fn outside() -> Code {
    "answering".parse().unwrap()
}

/// Some steps, and at last everyone.
fn escalation(people: u8, random: &mut Random) -> Escalation {
    let mut steps = vec![];
    let mut after = 0;
    for _ in 0..random.between(1, 4) {
        let mut targets = vec![match random.between(0, 9) {
            0..4 => Target::Tier { tier: Tier::Primary },
            4..6 => Target::Tier { tier: Tier::Backup },
            6..7 => Target::Tier { tier: Tier::Supervisor },
            7..9 => Target::Person { person: person(random.between(1, people.into()) as u8) },
            _ => Target::Outside { code: outside() },
        }];
        if random.chance(20) && !targets.contains(&Target::Outside { code: outside() }) {
            targets.push(Target::Outside { code: outside() });
        }
        let repeat = random.chance(30).then(|| random.between(1, 6) as u16);
        steps.push(Step { targets, after_ms: Millis::seconds(after), tell_officer: random.chance(20), repeat });
        after += random.between(20, 240);
    }
    let everyone = vec![Target::Everyone];
    steps.push(Step { targets: everyone, after_ms: Millis::seconds(after), tell_officer: true, repeat: None });
    Escalation { steps, rounds: random.between(1, 2) as u8 }
}

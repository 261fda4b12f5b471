//! A host organisation, a callout and a clock that only the test moves.

use firstlight_dispatch::*;
use firstlight_protocol::{callout::*, policy::*, rota::OnDuty, wire::*, *};
use std::time::Duration;

pub(crate) const AGENCY: OrgId = OrgId([0xA; 16]);
const OTHER_AGENCY: OrgId = OrgId([0xB; 16]);
const HOST: OrgId = OrgId([0xF; 16]);

pub(crate) fn person(n: u8) -> PersonId {
    PersonId([n; 16])
}

pub(crate) fn advocate(n: u8) -> Actor {
    Actor { person: person(n), org: HOST, role: Role::Advocate, host: true }
}

pub(crate) fn supervisor() -> Actor {
    Actor { person: person(200), org: HOST, role: Role::Supervisor, host: true }
}

pub(crate) fn officer() -> Actor {
    Actor { person: person(100), org: AGENCY, role: Role::PoliceOfficer, host: false }
}

pub(crate) fn commander() -> Actor {
    Actor { person: person(101), role: Role::WatchCommander, ..officer() }
}

pub(crate) fn other_officer() -> Actor {
    Actor { person: person(102), ..officer() }
}

pub(crate) fn other_commander() -> Actor {
    Actor { person: person(103), org: OTHER_AGENCY, ..commander() }
}

pub(crate) fn routing() -> Routing {
    Routing {
        call_back: "555-0100".parse().unwrap(),
        zone: "north".parse().unwrap(),
        site: Some("station-1".parse().unwrap()),
        first_contact_at: World::START,
        young_people: 1,
        age_band: AgeBand::Early,
        languages: vec![],
        preference: Preference::Any,
        scene_safe: true,
        emergency_needed: false,
        wanted: 1,
        training: vec![],
    }
}

pub(crate) struct World {
    pub(crate) policy: Policy,
    pub(crate) on_duty: Vec<OnDuty>,
    pub(crate) people: Vec<Qualified>,
    pub(crate) recent: Vec<RecentCallout>,
    pub(crate) routing: Routing,
    pub(crate) purpose: Purpose,
    pub(crate) caller: Option<Phone>,
    pub(crate) callout: Option<Callout>,
    pub(crate) now: Timestamp,
    /// Every effect so far but the wake-ups, with the second it came in.
    pub(crate) log: Vec<(u64, Effect)>,
    actions: u8,
}

impl World {
    pub(crate) const START: Timestamp = Timestamp(1_700_000_000_000);

    /// Advocates 1 to 5; 1 is the primary, 2 the backup, 200 the supervisor on duty.
    pub(crate) fn new() -> Self {
        let duty = |tier, n| OnDuty { tier, person: person(n), zone: None };
        Self {
            policy: Policy::new("555-0199".parse().unwrap()),
            on_duty: vec![duty(Tier::Primary, 1), duty(Tier::Backup, 2), duty(Tier::Supervisor, 200)],
            people: [1, 2, 3, 4, 5, 200].map(qualified).into(),
            recent: vec![],
            routing: routing(),
            purpose: Purpose::Real,
            caller: None,
            callout: None,
            now: Self::START,
            log: vec![],
            actions: 0,
        }
    }

    pub(crate) fn put_on_duty(&mut self, tier: Tier, people: &[u8]) {
        self.on_duty.retain(|duty| duty.tier != tier);
        self.on_duty.extend(people.iter().map(|n| OnDuty { tier, person: person(*n), zone: None }));
    }

    pub(crate) fn reach(&mut self, n: u8, channels: &[Channel]) {
        self.people.iter_mut().find(|q| q.person == person(n)).unwrap().channels = channels.to_vec();
    }

    pub(crate) fn opened() -> Self {
        let mut world = Self::new();
        world.open();
        world
    }

    pub(crate) fn open(&mut self) {
        self.try_open(officer()).unwrap();
    }

    pub(crate) fn try_open(&mut self, by: Actor) -> Result<(), Refused> {
        let request = Open {
            id: CalloutId([7; 16]),
            by,
            routing: self.routing.clone(),
            purpose: self.purpose,
            caller: self.caller.clone(),
        };
        let (callout, effects) = open(request, &self.ctx(), self.now)?;
        assert_eq!(callout.revision(), 1);
        self.take(callout, effects);
        Ok(())
    }

    pub(crate) fn ctx(&self) -> Context<'_> {
        Context {
            policy: &self.policy,
            on_duty: &self.on_duty,
            people: &self.people,
            recent: &self.recent,
            agencies: &[],
        }
    }

    pub(crate) fn callout(&self) -> &Callout {
        self.callout.as_ref().unwrap()
    }

    fn second(&self) -> u64 {
        self.now.since(Self::START).as_secs()
    }

    fn take(&mut self, callout: Callout, effects: Vec<Effect>) {
        assert_eq!(from_cbor::<Callout>(&to_cbor(&callout)).unwrap(), callout, "what is stored comes back");
        let second = self.second();
        self.log.extend(effects.into_iter().filter(|e| !matches!(e, Effect::WakeAt(_))).map(|e| (second, e)));
        self.callout = Some(callout);
    }

    pub(crate) fn input(&mut self, input: Input) -> Result<(), Refused> {
        let before = self.callout().revision();
        let (callout, effects) = step(self.callout(), input, &self.ctx(), self.now)?;
        assert_eq!(callout.revision(), before + u64::from(callout != *self.callout()));
        self.take(callout, effects);
        Ok(())
    }

    pub(crate) fn act(&mut self, by: Actor, action: Action) -> Result<(), Refused> {
        self.actions += 1;
        self.input(Input::Act { by, id: ActionId([self.actions; 16]), action })
    }

    pub(crate) fn accept(&mut self, n: u8) -> Result<(), Refused> {
        self.act(advocate(n), Action::Accept { eta_minutes: 30 })
    }

    pub(crate) fn receipt(&mut self, page: PageId, outcome: PageOutcome) {
        self.input(Input::Receipts(vec![PageReceipt { page, outcome }])).unwrap();
    }

    /// Lets time pass up to this second after the start, giving the engine every timer it asks for.
    pub(crate) fn until(&mut self, second: u64) {
        let end = Self::START + Duration::from_secs(second);
        while let Some(at) = self.callout().next_wake().filter(|at| *at <= end) {
            assert!(at > self.now, "a timer that is due stays due");
            self.now = at;
            self.input(Input::Timer).unwrap();
        }
        self.now = end;
    }

    pub(crate) fn state(&self) -> CalloutState {
        self.callout().state()
    }

    pub(crate) fn state_of(&self, n: u8) -> ResponderState {
        self.callout().responders().find(|(p, _)| *p == person(n)).unwrap().1
    }

    /// When this person was paged, in seconds from the start.
    pub(crate) fn pages_to(&self, n: u8) -> Vec<u64> {
        self.pages().into_iter().filter(|(_, p, _)| *p == person(n)).map(|(at, _, _)| at).collect()
    }

    pub(crate) fn pages(&self) -> Vec<(u64, PersonId, Channel)> {
        self.log
            .iter()
            .filter_map(|(at, e)| match e {
                Effect::Page { person, channel, .. } => Some((*at, *person, *channel)),
                _ => None,
            })
            .collect()
    }

    /// Who was paged in this second, in order.
    pub(crate) fn called_at(&self, second: u64) -> Vec<u8> {
        self.pages().into_iter().filter(|(at, ..)| *at == second).map(|(_, p, _)| p.0[0]).collect()
    }

    pub(crate) fn last_page(&self) -> PageId {
        self.log
            .iter()
            .rev()
            .find_map(|(_, e)| match e {
                Effect::Page { id, .. } => Some(*id),
                _ => None,
            })
            .unwrap()
    }

    pub(crate) fn alarms(&self) -> Vec<(u64, Alarm)> {
        self.log
            .iter()
            .filter_map(|(at, e)| match e {
                Effect::Alarm { alarm } => Some((*at, *alarm)),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn stood_down(&self) -> Vec<PersonId> {
        self.log
            .iter()
            .filter_map(|(_, e)| match e {
                Effect::StandDown { person } => Some(*person),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn notices(&self, audience: Audience) -> Vec<(u64, Notice)> {
        self.log
            .iter()
            .filter_map(|(at, e)| match e {
                Effect::Notify { to, notice } if *to == audience => Some((*at, *notice)),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn view(&self, viewer: Actor) -> Option<CalloutView> {
        view(self.callout(), viewer, &self.ctx())
    }
}

fn qualified(n: u8) -> Qualified {
    Qualified {
        person: person(n),
        work_name: format!("Advocate {n}"),
        languages: vec!["en".parse().unwrap()],
        meets: Preference::Any,
        training: vec![],
        zones: vec![],
        bars: vec![],
        channels: vec![Channel::InApp],
        rules: vec![],
    }
}

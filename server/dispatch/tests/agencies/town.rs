//! A host, two agencies, a callout, and a clock that only the test moves.

use firstlight_dispatch::*;
use firstlight_protocol::{agency::*, callout::*, policy::*, rota::OnDuty, wire::*, *};
use std::time::Duration;

pub(crate) const WELFARE: OrgId = OrgId([0xC; 16]);
pub(crate) const PROBATION: OrgId = OrgId([0xD; 16]);
const HOST: OrgId = OrgId([0xF; 16]);
const POLICE: OrgId = OrgId([0xA; 16]);
const START: Timestamp = Timestamp(1_700_000_000_000);

pub(crate) fn person(n: u8) -> PersonId {
    PersonId([n; 16])
}

/// Somebody of child welfare.
pub(crate) fn worker(n: u8) -> Actor {
    Actor { person: person(n), org: WELFARE, role: Role::ChildWelfareWorker, host: false }
}

pub(crate) fn probation(n: u8) -> Actor {
    Actor { person: person(n), org: PROBATION, role: Role::ProbationOfficer, host: false }
}

pub(crate) fn advocate(n: u8) -> Actor {
    Actor { person: person(n), org: HOST, role: Role::Advocate, host: true }
}

pub(crate) fn supervisor() -> Actor {
    Actor { person: person(200), org: HOST, role: Role::Supervisor, host: true }
}

pub(crate) fn officer() -> Actor {
    Actor { person: person(100), org: POLICE, role: Role::PoliceOfficer, host: false }
}

pub(crate) fn sms(n: u8) -> Channel {
    Channel::Sms { id: ContactId([n; 16]) }
}

/// A rule with whole minutes: reminders every 5, everybody after 15, the alarm after 30.
pub(crate) fn rule(agency: OrgId, people: &[u8]) -> AgencyNotice {
    AgencyNotice { people: people.iter().copied().map(person).collect(), ..AgencyNotice::new(agency) }
}

pub(crate) struct Town {
    pub(crate) policy: Policy,
    pub(crate) on_duty: Vec<OnDuty>,
    pub(crate) people: Vec<Qualified>,
    pub(crate) agencies: Vec<AgencyPerson>,
    pub(crate) routing: Routing,
    pub(crate) purpose: Purpose,
    pub(crate) callout: Option<Callout>,
    pub(crate) now: Timestamp,
    /// Every effect so far, with the second it came in.
    pub(crate) log: Vec<(u64, Effect)>,
    /// Whether each callout is stored and read back.
    pub(crate) stored: bool,
    actions: u8,
}

impl Town {
    /// Advocates 1 (primary), 2 (backup), 3, supervisor 200; child welfare 11 to 13, probation 21.
    pub(crate) fn new() -> Self {
        let duty = |tier, n| OnDuty { tier, person: person(n), zone: None };
        let agency =
            |agency, n| AgencyPerson { agency, person: person(n), takes_notices: true, channels: vec![Channel::InApp] };
        Self {
            policy: Policy::new("555-0199".parse().unwrap()),
            on_duty: vec![duty(Tier::Primary, 1), duty(Tier::Backup, 2), duty(Tier::Supervisor, 200)],
            people: [1, 2, 3, 200].map(qualified).into(),
            agencies: vec![agency(WELFARE, 11), agency(WELFARE, 12), agency(WELFARE, 13), agency(PROBATION, 21)],
            routing: routing(),
            purpose: Purpose::Real,
            callout: None,
            now: START,
            log: vec![],
            stored: true,
            actions: 0,
        }
    }

    /// With these rules, and open.
    pub(crate) fn opened(rules: Vec<AgencyNotice>) -> Self {
        let mut town = Self::new();
        town.policy.agency_notices = rules;
        town.open();
        town
    }

    pub(crate) fn open(&mut self) {
        let (routing, purpose) = (self.routing.clone(), self.purpose);
        let request = Open { id: CalloutId([7; 16]), by: officer(), routing, purpose, caller: None };
        let (callout, effects) = open(request, &self.ctx(), self.now).unwrap();
        self.take(callout, effects);
    }

    pub(crate) fn ctx(&self) -> Context<'_> {
        Context {
            policy: &self.policy,
            on_duty: &self.on_duty,
            people: &self.people,
            recent: &[],
            agencies: &self.agencies,
        }
    }

    pub(crate) fn callout(&self) -> &Callout {
        self.callout.as_ref().unwrap()
    }

    pub(crate) fn second(&self) -> u64 {
        self.now.since(START).as_secs()
    }

    pub(crate) fn at(second: u64) -> Timestamp {
        START + Duration::from_secs(second)
    }

    fn take(&mut self, callout: Callout, effects: Vec<Effect>) {
        if self.stored {
            assert_eq!(from_cbor::<Callout>(&to_cbor(&callout)).unwrap(), callout, "what is stored comes back");
        }
        let second = self.second();
        self.log.extend(effects.into_iter().map(|effect| (second, effect)));
        self.callout = Some(callout);
    }

    pub(crate) fn input(&mut self, input: Input) -> Result<(), Refused> {
        let (callout, effects) = step(self.callout(), input, &self.ctx(), self.now)?;
        self.take(callout, effects);
        Ok(())
    }

    pub(crate) fn act(&mut self, by: Actor, action: Action) -> Result<(), Refused> {
        self.actions += 1;
        self.input(Input::Act { by, id: ActionId([self.actions; 16]), action })
    }

    pub(crate) fn acknowledge(&mut self, by: Actor) -> Result<(), Refused> {
        self.input(Input::NoticeAcknowledged { by })
    }

    /// Lets minutes pass since the start, giving the engine every timer it asks for.
    pub(crate) fn minute(&mut self, minute: u64) {
        let end = Self::at(minute * 60);
        while let Some(at) = self.callout().next_wake().filter(|at| *at <= end) {
            assert!(at > self.now, "a timer that is due stays due");
            self.now = at;
            self.input(Input::Timer).unwrap();
        }
        self.now = end;
    }

    /// Who was notified in which minute.
    pub(crate) fn notified(&self, agency: OrgId) -> Vec<(u64, u8)> {
        self.attempts(agency).into_iter().map(|(second, _, person, _)| (second / 60, person.0[0])).collect()
    }

    /// Every attempt: second, id, person, channel.
    pub(crate) fn attempts(&self, agency: OrgId) -> Vec<(u64, PageId, PersonId, Channel)> {
        let attempt = |(second, effect): &(u64, Effect)| match effect {
            Effect::Agency { agency: org, what: AgencyEffect::Notify { id, person, channel, .. } }
                if *org == agency =>
            {
                Some((*second, *id, *person, *channel))
            }
            _ => None,
        };
        self.log.iter().filter_map(attempt).collect()
    }

    /// Who was told to stop, and whether the callout was called off.
    pub(crate) fn stopped(&self, agency: OrgId) -> Vec<(u8, bool)> {
        let stop = |(_, effect): &(u64, Effect)| match effect {
            Effect::Agency { agency: org, what: AgencyEffect::Stop { person, called_off } } if *org == agency => {
                Some((person.0[0], *called_off))
            }
            _ => None,
        };
        self.log.iter().filter_map(stop).collect()
    }

    /// The minutes in which the supervisors heard that an agency is silent.
    pub(crate) fn silent(&self, agency: OrgId) -> Vec<u64> {
        let alarm = Alarm::AgencySilent { agency };
        let is = |(second, e): &(u64, Effect)| (*e == Effect::Alarm { alarm }).then_some(second / 60);
        self.log.iter().filter_map(is).collect()
    }

    pub(crate) fn notice(&self, viewer: Actor) -> Option<AgencyNoticeView> {
        agency_notice_view(self.callout(), viewer)
    }

    pub(crate) fn statuses(&self) -> Vec<AgencyNoticeStatus> {
        view(self.callout(), supervisor(), &self.ctx()).unwrap().agency_notices.unwrap_or_default()
    }
}

pub(crate) fn qualified(n: u8) -> Qualified {
    Qualified {
        person: person(n),
        work_name: format!("Advocate {n}"),
        languages: vec![],
        meets: Preference::Any,
        training: vec![],
        zones: vec![],
        bars: vec![],
        channels: vec![Channel::InApp],
        rules: vec![],
    }
}

fn routing() -> Routing {
    Routing {
        call_back: "555-0177".parse().unwrap(),
        zone: "north".parse().unwrap(),
        site: Some("canary-site".parse().unwrap()),
        first_contact_at: START,
        young_people: 1,
        age_band: AgeBand::Early,
        languages: vec!["fil".parse().unwrap()],
        preference: Preference::Any,
        scene_safe: true,
        emergency_needed: false,
        wanted: 1,
        training: vec![],
    }
}

//! One random history: a world, a callout, and things that happen to both engine and model.

use crate::{
    invariants::{Promises, check_step, check_stored, check_views},
    model::{Cry, Deed, Host, Model, No, Numbers, Someone, Who},
    policy,
    random::Random,
};
use firstlight_dispatch::*;
use firstlight_protocol::{callout::*, policy::*, rota::OnDuty, *};
use std::time::Duration;

pub(crate) const START: Timestamp = Timestamp(1_700_000_000_000);
const CALLOUT: CalloutId = CalloutId([7; 16]);
const HOST: OrgId = OrgId([0xF; 16]);
const AGENCY: OrgId = OrgId([0xA; 16]);
const ELSEWHERE: OrgId = OrgId([0xB; 16]);
/// Numbers of people: advocates 1 to 6, supervisors 7 and 8. Anybody may be qualified or on duty, or not.
pub(crate) const PEOPLE: u64 = 8;

pub(crate) struct History {
    random: Random,
    tell: bool,
    stored: bool,
    numbers: Numbers,
    policy: Policy,
    host: Host,
    people: Vec<Qualified>,
    on_duty: Vec<OnDuty>,
    recent: Vec<RecentCallout>,
    now: u64,
    promises: Promises,
    pages: Vec<(PageId, u8)>,
    actions: Vec<(Actor, Action)>,
    steps: u64,
}

fn person(n: u8) -> PersonId {
    PersonId([n; 16])
}

fn actor(who: Who) -> Actor {
    let police = |n, role, org| Actor { person: person(n), org, role, host: false };
    match who {
        Who::Opener => police(100, Role::PoliceOfficer, AGENCY),
        Who::Commander => police(101, Role::WatchCommander, AGENCY),
        Who::StrangePolice => police(102, Role::WatchCommander, ELSEWHERE),
        Who::Supervisor(n) => Actor { person: person(n), org: HOST, role: Role::Supervisor, host: true },
        Who::Advocate(n) => Actor { person: person(n), org: HOST, role: Role::Advocate, host: true },
    }
}

fn moment(seconds: u64) -> Timestamp {
    START + Duration::from_secs(seconds)
}

fn seconds(at: Timestamp) -> u64 {
    at.since(START).as_secs()
}

impl History {
    pub(crate) fn new(seed: u64, tell: bool) -> Self {
        let mut random = Random::new(seed);
        let (policy, numbers) = policy::random(&mut random);
        let recent = |id, agency| RecentCallout {
            id: CalloutId([id; 16]),
            agency,
            zone: "south".parse().unwrap(),
            site: None,
            opened_at: START,
            purpose: Purpose::Real,
        };
        let mut history = Self {
            random,
            tell,
            stored: tell || seed.is_multiple_of(64),
            policy,
            numbers,
            host: Host::default(),
            people: vec![],
            on_duty: vec![],
            recent: vec![recent(1, AGENCY), recent(2, ELSEWHERE)],
            now: 0,
            promises: Promises::default(),
            pages: vec![],
            actions: vec![],
            steps: 0,
        };
        for n in 1..=PEOPLE as u8 {
            if history.random.chance(60) {
                let someone = policy::someone(&mut history.random);
                history.host.people.insert(n, someone);
            }
        }
        history.change_rota();
        history
    }

    /// Steps, pages, and whether the callout was ever filled.
    pub(crate) fn run(mut self) -> (u64, u64, u64) {
        let wanted = if self.random.chance(60) { 1 } else { self.random.between(2, 4) as u8 };
        let asked = policy::wishes(&mut self.random);
        let routing = policy::routing(wanted, asked);
        let request = Open { id: CALLOUT, by: actor(Who::Opener), routing, purpose: Purpose::Real, caller: None };
        let (mut callout, effects) = open(request, &self.ctx(), moment(0)).unwrap();
        let mut model = Model::open(self.numbers.clone(), usize::from(wanted), asked, &self.host);
        self.compare(None, &callout, &effects, &mut model);
        let mut filled = 0;
        for _ in 0..self.random.between(6, 24) {
            self.happen(&mut callout, &mut model);
            filled |= u64::from(callout.is_open() && callout.accepted() == callout.wanted());
        }
        (self.steps, self.pages.len() as u64, filled)
    }

    fn ctx(&self) -> Context<'_> {
        Context {
            policy: &self.policy,
            on_duty: &self.on_duty,
            people: &self.people,
            recent: &self.recent,
            agencies: &[],
        }
    }

    fn happen(&mut self, callout: &mut Callout, model: &mut Model) {
        match self.random.between(0, 99) {
            0..35 => self.pass_time(callout, model),
            35..43 => {
                // The server is down: what was due meanwhile comes late, with whatever happens next.
                self.now += self.random.between(1, 900);
                if self.random.chance(50) {
                    self.timer(callout, model);
                }
            }
            43..56 => self.report(callout, model),
            56..58 => self.change_rota(),
            58..61 => self.change_people(),
            61..63 => self.repeat_an_action(callout),
            _ => self.somebody_acts(callout, model),
        }
    }

    /// Every timer comes when it is due.
    fn pass_time(&mut self, callout: &mut Callout, model: &mut Model) {
        let most = if self.random.chance(70) { 90 } else { 900 };
        let end = self.now + self.random.between(0, most);
        while let Some(at) = callout.next_wake().map(seconds).filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.timer(callout, model);
        }
        self.now = end;
    }

    fn timer(&mut self, callout: &mut Callout, model: &mut Model) {
        self.say(|| "timer".into());
        model.begin_step(self.now);
        model.settle(&self.host);
        self.take(callout, Input::Timer, model);
        assert!(callout.next_wake().is_none_or(|at| seconds(at) > self.now), "what is due is done");
    }

    /// One to three receipts about known pages, or about one that nobody knows.
    fn report(&mut self, callout: &mut Callout, model: &mut Model) {
        if self.pages.is_empty() {
            return;
        }
        model.begin_step(self.now);
        let mut receipts = vec![];
        // Pages that a receipt of this very step sends can't be reported on yet.
        let known = self.pages.clone();
        let mut newest_now: Vec<(PageId, u8)> = known.clone();
        for _ in 0..self.random.between(1, 3) {
            let back = self.random.between(0, 5) as usize;
            let (page, n) = known[known.len().saturating_sub(1 + back)];
            // How many pages to the same person are newer, those of this step included.
            let newer = newest_now.iter().rev().filter(|(_, who)| *who == n).take_while(|(id, _)| *id != page).count();
            if newer >= MAX_PAGES_KEPT {
                continue;
            }
            let broken = self.random.chance(20);
            let outcome = if self.random.chance(50) {
                model.taken(n, newer == 0);
                PageOutcome::Reached(if self.random.chance(50) { Receipt::HandedOver } else { Receipt::Delivered })
            } else if self.failed_before(callout, page, &receipts) {
                PageOutcome::Failed(FailReason::Rejected)
            } else {
                let sent = model.pages.len();
                model.failed(n, newer == 0, newer, broken, &self.host);
                newest_now.extend(model.pages[sent..].iter().map(|n| (PageId([0; 16]), *n)));
                PageOutcome::Failed(if broken { FailReason::BlockedSender } else { FailReason::Timeout })
            };
            receipts.push(PageReceipt { page, outcome });
        }
        receipts.push(PageReceipt { page: PageId([0; 16]), outcome: PageOutcome::Failed(FailReason::Timeout) });
        self.say(|| format!("receipts {receipts:?}"));
        model.settle(&self.host);
        self.take(callout, Input::Receipts(receipts), model);
    }

    fn failed_before(&self, callout: &Callout, page: PageId, receipts: &[PageReceipt]) -> bool {
        let pages = view(callout, actor(Who::Supervisor(8)), &self.ctx()).unwrap().pages.unwrap();
        pages.iter().any(|p| p.id == page && p.failed.is_some())
            || receipts.iter().any(|r| r.page == page && matches!(r.outcome, PageOutcome::Failed(_)))
    }

    fn somebody_acts(&mut self, callout: &mut Callout, model: &mut Model) {
        let who = self.somebody();
        let (deed, action) = self.something();
        // A node with a slow clock.
        let now = if self.random.chance(3) { self.now.saturating_sub(100) } else { self.now };
        self.say(|| format!("{who:?}: {deed:?}"));
        model.begin_step(now);
        let expected = model.act(who, &deed, &self.host);
        if let Deed::CallMore(_, people) = &deed
            && expected.is_ok()
        {
            let people: Vec<_> = people.iter().map(|n| person(*n)).collect();
            self.promises.asked_by_name(&people);
        }
        let by = actor(who);
        let id = ActionId([self.actions.len() as u8; 16]);
        match step(callout, Input::Act { by, id, action: action.clone() }, &self.ctx(), moment(now)) {
            Ok((after, effects)) => {
                assert_eq!(expected, Ok(()), "{who:?} {deed:?} while {}", callout.state());
                model.settle(&self.host);
                self.actions.push((by, action));
                self.compare(Some(callout), &after, &effects, model);
                *callout = after;
            }
            Err(refused) => {
                let no = match refused {
                    Refused::Forbidden => No::Forbidden,
                    Refused::WrongState(_) => No::WrongState,
                    Refused::AlreadyFilled => No::Filled,
                    Refused::Invalid(_) => No::Invalid,
                    Refused::Conflict => panic!("a new action can't be in conflict"),
                };
                assert_eq!(expected, Err(no), "{who:?} {deed:?} while {}", callout.state());
            }
        }
    }

    /// A client that did not hear the answer sends again.
    fn repeat_an_action(&mut self, callout: &Callout) {
        if self.actions.is_empty() {
            return;
        }
        let n = self.random.between(0, self.actions.len() as u64 - 1) as usize;
        let (by, action) = self.actions[n].clone();
        let again =
            step(callout, Input::Act { by, id: ActionId([n as u8; 16]), action }, &self.ctx(), moment(self.now));
        assert_eq!(again, Ok((callout.clone(), vec![])), "done once");
    }

    fn somebody(&mut self) -> Who {
        match self.random.between(0, 19) {
            0 => Who::Opener,
            1 => Who::Commander,
            2 => Who::StrangePolice,
            3..6 => Who::Supervisor(self.random.between(7, PEOPLE) as u8),
            _ => Who::Advocate(self.random.between(1, PEOPLE) as u8),
        }
    }

    fn something(&mut self) -> (Deed, Action) {
        let eta_minutes = self.random.between(0, 90) as u16;
        let eta = u64::from(eta_minutes) * 60;
        match self.random.between(0, 99) {
            0..18 => (Deed::Acknowledge, Action::Acknowledge),
            18..48 => (Deed::Accept(eta), Action::Accept { eta_minutes }),
            48..63 => (Deed::Decline, Action::Decline),
            63..68 => (Deed::Eta(eta), Action::Eta { eta_minutes }),
            68..73 => (Deed::Move(ResponderState::EnRoute), Action::EnRoute),
            73..77 => (Deed::Move(ResponderState::Arrived), Action::Arrived),
            77..80 => (Deed::Move(ResponderState::WithYoungPerson), Action::WithYoungPerson),
            80..83 => (Deed::Move(ResponderState::HandedOver), Action::HandOver),
            83..86 => (Deed::Close, Action::Close { reasons: vec![], support: Support::Accepted, kits_given: 0 }),
            86..89 => (Deed::Review, Action::Review { reasons: vec![], welfare: Welfare::Well }),
            89 => (Deed::Cancel, Action::Cancel { reason: CancelReason::Drill }),
            90 => {
                let into = self.random.between(1, 3) as u8;
                let deed = Deed::Merge { known: into < 3, same_agency: into == 1 };
                (deed, Action::Merge { into: CalloutId([into; 16]) })
            }
            91 => {
                let n = self.random.between(1, PEOPLE) as u8;
                (Deed::Bar(n), Action::Bar { person: person(n) })
            }
            _ => {
                let wanted = self.random.between(1, 4) as u8;
                let mut asked = vec![];
                while self.random.chance(40) {
                    asked.push(self.random.between(1, PEOPLE) as u8);
                }
                let people = asked.iter().map(|n| person(*n)).collect();
                (Deed::CallMore(usize::from(wanted), asked), Action::CallMore { wanted, people })
            }
        }
    }

    fn change_rota(&mut self) {
        for tier in &mut self.host.duty {
            tier.clear();
            while self.random.chance(55) {
                tier.insert(self.random.between(1, PEOPLE) as u8);
            }
        }
        self.say(|| "the rota changes".into());
        self.world_changed();
    }

    fn change_people(&mut self) {
        let n = self.random.between(1, PEOPLE) as u8;
        if self.host.people.remove(&n).is_none() {
            let someone = policy::someone(&mut self.random);
            self.host.people.insert(n, someone);
        }
        self.say(|| format!("{n} comes or goes"));
        self.world_changed();
    }

    fn world_changed(&mut self) {
        let tiers = [Tier::Primary, Tier::Backup, Tier::Supervisor];
        let duty = |(tier, people): (&Tier, &std::collections::BTreeSet<u8>)| {
            people.iter().map(|n| OnDuty { tier: *tier, person: person(*n), zone: None }).collect::<Vec<_>>()
        };
        self.on_duty = tiers.iter().zip(&self.host.duty).flat_map(duty).collect();
        let qualified = |(n, someone): (&u8, &Someone)| policy::qualified(*n, someone);
        self.people = self.host.people.iter().map(qualified).collect();
    }

    fn take(&mut self, callout: &mut Callout, input: Input, model: &mut Model) {
        let (after, effects) = step(callout, input, &self.ctx(), moment(self.now)).unwrap();
        self.compare(Some(callout), &after, &effects, model);
        *callout = after;
    }

    /// Engine and model agree, and every promise is kept.
    fn compare(&mut self, before: Option<&Callout>, after: &Callout, effects: &[Effect], model: &mut Model) {
        self.steps += 1;
        if before != Some(after) {
            model.changed = model.now;
        }
        self.say(|| format!("  {} {effects:?}", after.state()));
        check_step(before, after, effects);
        self.promises.check(effects, after, &self.people);
        // Not everybody in every step: views are most of the work.
        let others = [Who::Commander, Who::StrangePolice, Who::Supervisor(7)];
        let viewers = [Who::Opener, others[self.steps as usize % 3], Who::Advocate(1 + (self.steps % PEOPLE) as u8)];
        check_views(after, &viewers.map(actor), &self.ctx());
        if self.stored {
            check_stored(after);
        }

        let mut paged = vec![];
        for effect in effects {
            if let Effect::Page { id, person, .. } = effect {
                self.pages.push((*id, person.0[0]));
                paged.push(person.0[0]);
            }
        }
        let sorted = |mut list: Vec<u8>| {
            list.sort_unstable();
            list
        };
        assert_eq!(sorted(paged), sorted(model.pages.clone()), "who is paged");
        let mut cries: Vec<_> = effects.iter().filter_map(cry).collect();
        let mut expected = model.cries.clone();
        cries.sort_unstable();
        expected.sort_unstable();
        assert_eq!(cries, expected, "alarms");
        assert_eq!(policy::relaxed(effects), model.relaxations, "wishes");
        let outside = effects.iter().filter(|e| matches!(e, Effect::Outside { .. })).count();
        assert_eq!(outside, model.outside, "outside");
        if self.numbers.rounds == 1 {
            policy::first_page_is_never_delayed(effects);
        }
        assert_eq!(after.state(), model.state());
        assert_eq!(usize::from(after.accepted()), model.accepted());
        assert!(after.responders().map(|(p, s)| (p.0[0], s)).eq_unordered(model.states()), "responders");
        let supervisor = view(after, actor(Who::Supervisor(8)), &self.ctx()).unwrap();
        let mut timers: Vec<_> =
            supervisor.timers.unwrap().iter().map(|t| (seconds(t.at), t.what, t.person.map(|p| p.0[0]))).collect();
        timers.sort_unstable();
        assert_eq!(timers, model.timers(), "timers");
    }

    fn say(&self, what: impl FnOnce() -> String) {
        if self.tell {
            println!("{:>6} s  {}", self.now, what());
        }
    }
}

/// The same people in the same states, in whatever order.
trait EqUnordered: Iterator<Item = (u8, ResponderState)> + Sized {
    fn eq_unordered(self, other: std::collections::BTreeMap<u8, ResponderState>) -> bool {
        let mut count = 0;
        let mut all = self.inspect(|_| count += 1);
        let same = all.all(|(n, state)| other.get(&n) == Some(&state));
        same && count == other.len()
    }
}

impl<I: Iterator<Item = (u8, ResponderState)>> EqUnordered for I {}

fn cry(effect: &Effect) -> Option<Cry> {
    let Effect::Alarm { alarm } = effect else { return None };
    Some(match *alarm {
        Alarm::Unanswered => Cry::Unanswered,
        Alarm::Unfilled { missing } => Cry::Unfilled(usize::from(missing)),
        Alarm::EmptyTier { tier } => Cry::Empty(tier),
        Alarm::NoLanguageMatch { tier } => Cry::NoLanguage(tier),
        Alarm::Unreachable { person } => Cry::Unreachable(person.0[0]),
        Alarm::ProjectedBreach { person } => Cry::Breach(person.0[0]),
        Alarm::NoMovement { person } => Cry::NoMovement(person.0[0]),
        Alarm::Overdue { person } => Cry::Overdue(person.0[0]),
        Alarm::ReviewOverdue => Cry::Review,
        Alarm::ContactBroken { person, .. } => Cry::Broken(person.0[0]),
        Alarm::Alone { person } => Cry::Alone(person.0[0]),
        Alarm::AgencySilent { .. } => panic!("nobody asked for it"),
        Alarm::Stalled => panic!("the engine never stands still; only the server around it can"),
    })
}

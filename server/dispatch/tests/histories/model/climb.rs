//! Who is called when.

use super::*;

impl Model {
    pub(super) fn start_calling(&mut self, host: &Host) {
        self.round += 1;
        self.calling = true;
        (self.walk, self.everyone) = (0, false);
        self.enter_step(0, self.now, host);
    }

    pub(super) fn last(&self) -> usize {
        self.numbers.rungs.len() - 1
    }

    pub(super) fn is_barred(&self, n: u8, host: &Host) -> bool {
        self.barred.contains(&n) || host.people.get(&n).is_some_and(|someone| someone.conflict)
    }

    pub(super) fn may_be_called(&self, n: u8, host: &Host) -> bool {
        host.people.contains_key(&n) && !self.is_barred(n, host)
    }

    pub(super) fn members(&self, aim: &Aim, host: &Host) -> BTreeSet<u8> {
        let all: Vec<u8> = match aim {
            Aim::Tier(tier) => host.duty[*tier].iter().copied().collect(),
            Aim::Person(n) => vec![*n],
            Aim::Everyone => host.people.keys().copied().collect(),
            Aim::Outside => vec![],
        };
        all.into_iter().filter(|n| self.may_be_called(*n, host)).collect()
    }

    pub(super) fn enter_step(&mut self, step: usize, since: u64, host: &Host) {
        let rung = self.numbers.rungs[step].clone();
        let lasts = match self.numbers.rungs.get(step + 1) {
            Some(next) => next.after - rung.after,
            None => self.numbers.slow,
        };
        (self.step, self.since, self.climb_at) = (step, since, since + lasts);
        (self.relaxed, self.relax_at) = ([false; 4], None);
        self.everyone |= rung.aims.contains(&Aim::Everyone);
        for aim in &rung.aims {
            let tier = match aim {
                Aim::Tier(tier) => TIERS[*tier],
                Aim::Everyone => Tier::Everyone,
                _ => continue,
            };
            if self.members(aim, host).is_empty() {
                self.cry(Cry::Empty(tier));
            }
        }
        let new = self.uncalled(host);
        if self.asked[3] && !new.is_empty() && !new.iter().any(|n| host.people[n].meets[3]) {
            self.cry(Cry::NoLanguage(tier_of(&rung)));
        }
        self.call_who_fits(host);
        self.outside += rung.aims.iter().filter(|aim| **aim == Aim::Outside).count();
        if rung.tell {
            self.nobody_yet();
        }
    }

    /// Those of the step who were not called in this round and have not said no; in a later walk also the silent ones.
    pub(super) fn uncalled(&self, host: &Host) -> BTreeSet<u8> {
        let rung = &self.numbers.rungs[self.step];
        let members = rung.aims.iter().flat_map(|aim| self.members(aim, host));
        let new = |n: &u8| match self.parts.get(n) {
            None => true,
            Some(p) if p.state == StoodDown => p.round < self.round,
            Some(p) => self.walk > 0 && p.state.is_called() && p.call_at.is_none() && p.called < self.now,
        };
        members.filter(new).collect()
    }

    /// Wishes that hold somebody of `people` back; the one that ends first, first.
    pub(super) fn blocking(&self, people: &BTreeSet<u8>, host: &Host) -> Vec<usize> {
        let holds = |w: &usize| {
            let asked = self.asked[*w] && self.numbers.relax[*w] > 0 && !self.relaxed[*w] && self.step < self.last();
            asked && people.iter().any(|n| !host.people[n].meets[*w])
        };
        let mut blocking: Vec<usize> = (0..4).filter(holds).collect();
        blocking.sort_by_key(|w| self.numbers.relax[*w]);
        blocking
    }

    pub(super) fn relax(&mut self, wish: usize) {
        self.relaxed[wish] = true;
        self.relaxations.push(Constraint::ALL[wish]);
    }

    pub(super) fn call_who_fits(&mut self, host: &Host) {
        loop {
            let new = self.uncalled(host);
            let blocking = self.blocking(&new, host);
            let free: Vec<u8> = new.into_iter().filter(|n| blocking.iter().all(|w| host.people[n].meets[*w])).collect();
            let soonest = blocking.first().copied();
            let end = |w: usize| self.since + self.numbers.relax[w];
            match soonest {
                Some(w) if end(w) <= self.now || (free.is_empty() && !self.somebody_can_answer()) => self.relax(w),
                _ => {
                    self.relax_at = soonest.map(end);
                    free.into_iter().for_each(|n| self.ask(n, host));
                    return;
                }
            }
        }
    }

    pub(super) fn call_who_was_held_back(&mut self, host: &Host) {
        let new = self.uncalled(host);
        for wish in self.blocking(&new, host) {
            self.relax(wish);
        }
        self.relax_at = None;
        new.into_iter().for_each(|n| self.ask(n, host));
    }

    pub(super) fn somebody_can_answer(&self) -> bool {
        self.parts.values().any(|p| p.state.is_called() && p.step == self.step && p.round == self.round)
    }

    pub(super) fn go_on(&mut self, since: u64, host: &Host) {
        if self.step < self.last() {
            self.enter_step(self.step + 1, since, host);
        } else if self.walk + 1 < self.numbers.rounds {
            self.walk += 1;
            self.enter_step(0, since, host);
        } else {
            self.slow_round(host);
        }
    }

    pub(super) fn nobody_yet(&mut self) {
        match self.accepted() {
            0 => self.cry(Cry::Unanswered),
            some => self.cry(Cry::Unfilled(self.wanted - some)),
        }
    }

    pub(super) fn ask(&mut self, n: u8, host: &Host) {
        let part = Part {
            state: Paged,
            step: self.step,
            round: self.round,
            calls: 0,
            burst: vec![],
            called: 0,
            call_at: None,
            stall_at: None,
            movement_at: None,
            arrival_at: None,
        };
        self.parts.insert(n, part);
        self.call(n, host);
    }

    pub(super) fn part(&mut self, n: u8) -> &mut Part {
        self.parts.get_mut(&n).unwrap()
    }

    pub(super) fn call(&mut self, n: u8, host: &Host) {
        let (now, repeat) = (self.now, self.numbers.repeat);
        let turn = self.numbers.rungs[self.parts[&n].step].calls.unwrap_or(self.numbers.calls);
        loop {
            if !self.may_be_called(n, host) {
                return self.quiet(n, StoodDown);
            }
            let part = self.part(n);
            part.calls += 1;
            part.called = now;
            part.burst.clear();
            let pause = host.people[&n].pause(part.calls, repeat);
            let another = part.calls < turn;
            part.call_at = another.then_some(now + pause);
            self.page(n, host);
            if !another || pause > 0 {
                return;
            }
        }
    }

    pub(super) fn page(&mut self, n: u8, host: &Host) {
        if !self.may_be_called(n, host) {
            return self.quiet(n, StoodDown);
        }
        let (at, someone) = (self.now + self.numbers.stall, &host.people[&n]);
        let sent = *self.sent.entry(n).or_default();
        let part = self.part(n);
        let Some(way) = someone.way(sent, part.calls, &part.burst) else {
            part.stall_at = None;
            return;
        };
        part.burst.push((way, false));
        part.stall_at = someone.way(sent + 1, part.calls, &part.burst).map(|_| at);
        self.sent.insert(n, sent + 1);
        self.pages.push(n);
    }

    pub(super) fn quiet(&mut self, n: u8, state: ResponderState) {
        let part = self.part(n);
        part.state = state;
        (part.call_at, part.stall_at, part.movement_at, part.arrival_at) = (None, None, None, None);
    }

    pub(crate) fn settle(&mut self, host: &Host) {
        let due = |at: Option<u64>, now| at.is_some_and(|at| at <= now);
        let numbers: Vec<u8> = self.parts.keys().copied().collect();
        for n in &numbers {
            let (call, stall) = (self.parts[n].call_at, self.parts[n].stall_at);
            if due(call, self.now) {
                self.call(*n, host);
            } else if due(stall, self.now) {
                self.page(*n, host);
            }
        }
        while self.calling {
            let due = self.climb_at <= self.now;
            let outside = self.numbers.rungs[self.step].aims.contains(&Aim::Outside);
            match self.relax_at {
                Some(_) if due => self.call_who_was_held_back(host),
                _ if due => self.go_on(self.climb_at, host),
                Some(at) if at <= self.now || !self.somebody_can_answer() => self.call_who_fits(host),
                Some(_) => break,
                None if self.step < self.last() && !outside && !self.somebody_can_answer() => {
                    self.go_on(self.now, host);
                }
                None => break,
            }
        }
        let numbers: Vec<u8> = self.parts.keys().copied().collect();
        for n in numbers {
            let now = self.now;
            if self.part(n).movement_at.take_if(|at| *at <= now).is_some() {
                self.cries.push(Cry::NoMovement(n));
            }
            // Somebody who is late is never forgotten: again and again, until there is news of them.
            if self.part(n).arrival_at.is_some_and(|at| at <= now) {
                self.part(n).arrival_at = Some(now + 15 * 60);
                self.cries.push(Cry::Overdue(n));
            }
        }
        if self.numbers.company && self.ended.is_none() {
            let there = |p: &Part| matches!(p.state, Arrived | WithYoungPerson | HandedOver);
            let (coming, there) = (self.accepted(), self.parts.values().filter(|p| there(p)).count());
            let alone = |p: &Part| match p.state {
                Arrived => coming < 2,
                WithYoungPerson => there < 2,
                _ => false,
            };
            let alone: Vec<u8> = self.parts.iter().filter(|(_, p)| alone(p)).map(|(n, _)| *n).collect();
            alone.into_iter().for_each(|n| self.cry(Cry::Alone(n)));
        }
        let now = self.now;
        if self.review_at.take_if(|at| *at <= now).is_some() {
            self.cry(Cry::Review);
        }
    }

    pub(super) fn slow_round(&mut self, host: &Host) {
        self.climb_at = self.now + self.numbers.slow;
        self.walk = self.walk.max(self.numbers.rounds);
        let now = self.now;
        let over = |p: &Part| p.state.is_called() && p.call_at.is_none() && p.called < now;
        let again: Vec<u8> = self.parts.iter().filter(|(_, p)| over(p)).map(|(n, _)| *n).collect();
        for n in again {
            self.call(n, host);
        }
        let new = self.uncalled(host);
        new.into_iter().for_each(|n| self.ask(n, host));
        self.nobody_yet();
    }
}

fn tier_of(rung: &Rung) -> Tier {
    let tier = rung.aims.iter().find_map(|aim| if let Aim::Tier(tier) = aim { Some(TIERS[*tier]) } else { None });
    if rung.aims.contains(&Aim::Everyone) { Tier::Everyone } else { tier.unwrap_or(Tier::Named) }
}

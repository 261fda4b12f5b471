//! What channels say, and what people do.

use super::*;

impl Model {
    // `newest`: about the newest page to that person.

    pub(crate) fn taken(&mut self, n: u8, newest: bool) {
        if newest {
            self.part(n).stall_at = None;
        }
    }

    pub(crate) fn failed(&mut self, n: u8, newest: bool, back: usize, broken: bool, host: &Host) {
        if broken {
            self.cry(Cry::Broken(n));
        }
        let calling = self.calling;
        let part = self.part(n);
        if let Some(i) = part.burst.len().checked_sub(back + 1) {
            part.burst[i].1 = true;
        }
        if !(calling && newest && part.state == Paged) {
            return;
        }
        let hopeless = part.burst.iter().all(|(_, failed)| *failed);
        let (sent, part) = (self.sent.get(&n).copied().unwrap_or_default(), &self.parts[&n]);
        let untried = |someone: &Someone| someone.way(sent, part.calls, &part.burst).is_some();
        if self.may_be_called(n, host) && untried(&host.people[&n]) {
            self.page(n, host);
        } else if hopeless {
            self.cry(Cry::Unreachable(n));
        }
    }

    pub(crate) fn act(&mut self, who: Who, deed: &Deed, host: &Host) -> Result<(), No> {
        let leads = matches!(who, Who::Opener | Who::Commander);
        let supervises = matches!(who, Who::Supervisor(_));
        let own = match who {
            Who::Supervisor(n) | Who::Advocate(n) => self.parts.get(&n).map(|p| (n, p.state)),
            _ => None,
        };
        let active = own.is_some_and(|(_, state)| state.is_active());
        let allowed = match deed {
            Deed::Close => supervises || active,
            Deed::CallMore(_, people) => supervises || (active && people.is_empty()),
            Deed::Review | Deed::Bar(_) => supervises,
            Deed::Cancel | Deed::Merge { .. } => supervises || leads,
            Deed::Accept(_) => own.is_some() || supervises,
            _ => own.is_some(),
        };
        if !allowed {
            return Err(No::Forbidden);
        }
        if *deed == Deed::Review {
            if self.ended != Some(CalloutState::Closed) {
                return Err(No::WrongState);
            }
            (self.ended, self.review_at) = (Some(CalloutState::Reviewed), None);
            return Ok(());
        }
        if self.ended.is_some() {
            return Err(No::WrongState);
        }
        if let (Deed::Accept(_) | Deed::Acknowledge, Who::Supervisor(n) | Who::Advocate(n)) = (deed, who)
            && self.is_barred(n, host)
        {
            return Err(No::Forbidden);
        }
        match (deed, own) {
            (Deed::Bar(n), _) => self.bar(*n, host),
            (Deed::Accept(eta), own) => self.accept(who, *eta, own.map(|(_, state)| state)),
            (Deed::Close, _) => {
                self.end(CalloutState::Closed, own.map(|(n, _)| n));
                self.review_at = Some(self.now + self.numbers.review);
                Ok(())
            }
            (Deed::Cancel, _) => {
                self.end(CalloutState::Cancelled, None);
                Ok(())
            }
            (Deed::Merge { known, same_agency }, _) => {
                if !known || !(supervises || *same_agency) {
                    return Err(No::Invalid);
                }
                self.end(CalloutState::Merged, None);
                Ok(())
            }
            (Deed::CallMore(wanted, people), _) => self.call_more(*wanted, people, host),
            (deed, Some((n, state))) => self.own(n, state, deed, host),
            (_, None) => Err(No::Forbidden),
        }
    }

    pub(super) fn accept(&mut self, who: Who, eta: u64, state: Option<ResponderState>) -> Result<(), No> {
        if state.is_some_and(|s| s.is_active()) {
            return Err(No::WrongState);
        }
        if !self.calling {
            return Err(No::Filled);
        }
        let (Who::Supervisor(n) | Who::Advocate(n)) = who else {
            return Err(No::Forbidden);
        };
        let (step, round) = (self.step, self.round);
        self.parts.entry(n).or_insert(Part {
            state: Accepted,
            step,
            round,
            calls: 0,
            burst: vec![],
            called: 0,
            call_at: None,
            stall_at: None,
            movement_at: None,
            arrival_at: None,
        });
        self.quiet(n, Accepted);
        self.eta(n, eta);
        if self.accepted() == self.wanted {
            (self.calling, self.relax_at) = (false, None);
            self.dismiss(|state| state.is_called());
        }
        Ok(())
    }

    pub(super) fn eta(&mut self, n: u8, eta: u64) {
        let (now, patience) = (self.now, self.numbers.repeat);
        let part = self.part(n);
        part.arrival_at = Some(now + eta.max(patience));
        if part.state == Accepted {
            part.movement_at = Some(now + (eta / 2).max(patience));
        }
        if now + eta > self.numbers.target {
            self.cry(Cry::Breach(n));
        }
    }

    pub(super) fn own(&mut self, n: u8, state: ResponderState, deed: &Deed, host: &Host) -> Result<(), No> {
        let coming = matches!(state, Accepted | EnRoute);
        let there = matches!(state, Arrived | WithYoungPerson);
        let rank = |state| [Accepted, EnRoute, Arrived, WithYoungPerson, HandedOver].iter().position(|s| *s == state);
        match deed {
            Deed::Acknowledge if state.is_called() => {
                self.quiet(n, Acknowledged);
                self.part(n).call_at = Some(self.now + self.numbers.grace);
            }
            Deed::Acknowledge if state == StoodDown && !self.calling => return Err(No::Filled),
            Deed::Decline if state.is_called() || state == StoodDown => self.quiet(n, Declined),
            Deed::Decline if coming => {
                self.quiet(n, Withdrew);
                if !self.calling {
                    self.start_calling(host);
                }
            }
            Deed::Eta(eta) if coming => self.eta(n, *eta),
            Deed::Move(HandedOver) if there => self.quiet(n, HandedOver),
            Deed::Move(to) if *to != HandedOver && rank(state).is_some_and(|r| Some(r) < rank(*to)) => {
                let arrival = self.part(n).arrival_at.filter(|_| *to == EnRoute);
                self.quiet(n, *to);
                self.part(n).arrival_at = arrival;
            }
            _ => return Err(No::WrongState),
        }
        Ok(())
    }

    pub(super) fn bar(&mut self, n: u8, host: &Host) -> Result<(), No> {
        let state = self.parts.get(&n).map(|p| p.state);
        if state.is_none() && !host.people.contains_key(&n) {
            return Err(No::Invalid);
        }
        if self.barred.insert(n) {
            let coming = state.is_some_and(|s| s.is_active() && s != HandedOver);
            if coming || state.is_some_and(|s| s.is_called()) {
                self.quiet(n, StoodDown);
            }
            if coming && !self.calling {
                self.start_calling(host);
            }
        }
        Ok(())
    }

    pub(super) fn call_more(&mut self, wanted: usize, people: &[u8], host: &Host) -> Result<(), No> {
        let wanted = if self.numbers.company { wanted.max(2) } else { wanted };
        if wanted <= self.accepted() || people.iter().any(|n| !self.may_be_called(*n, host)) {
            return Err(No::Invalid);
        }
        self.wanted = wanted;
        if !self.calling {
            self.start_calling(host);
        }
        for n in people {
            let now = self.now;
            let busy = |p: &Part| p.state.is_active() || (p.state.is_called() && p.called == now);
            if !self.parts.get(n).is_some_and(busy) {
                self.ask(*n, host);
            }
        }
        Ok(())
    }

    pub(super) fn dismiss(&mut self, whom: impl Fn(ResponderState) -> bool) {
        let gone: Vec<u8> = self.parts.iter().filter(|(_, p)| whom(p.state)).map(|(n, _)| *n).collect();
        for n in gone {
            self.quiet(n, StoodDown);
        }
    }

    pub(super) fn end(&mut self, state: CalloutState, closer: Option<u8>) {
        let kept = closer.map(|n| (n, self.parts[&n].state)).filter(|(_, state)| state.is_active());
        self.dismiss(|state| state.is_called() || matches!(state, Accepted | EnRoute));
        if let Some((n, state)) = kept {
            self.quiet(n, state);
        }
        self.calling = false;
        self.ended = Some(state);
    }
}

//! The database: `timers` and `outbox` with their leases, as the runner claims and settles them. What is committed stays.

use firstlight_dispatch::Callout;
use firstlight_protocol::{PageId, PersonId, policy::Channel};
use std::collections::HashMap;

/// Of a timer's claim.
pub(crate) const LEASE: i64 = 4_000;
/// A provider's deadline.
pub(crate) const DEADLINE: i64 = 5_000;
/// Of a page's claim.
pub(crate) const PAGE_LEASE: i64 = DEADLINE + 10_000;
/// How many pages one destination gets at the same time.
const PER_DESTINATION: usize = 4;
/// How often a page is tried.
const MAX_TRIES: u32 = 5;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Timer {
    pub(crate) due: i64,
    pub(crate) lease: Option<i64>,
}

/// A page that was ordered, and below it what the checks remember.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) page: PageId,
    pub(crate) callout: usize,
    pub(crate) person: PersonId,
    pub(crate) channel: Channel,
    /// A page; otherwise a stand-down.
    pub(crate) asks: bool,
    pub(crate) next_at: Option<i64>,
    pub(crate) lease: Option<i64>,
    pub(crate) tries: u32,
    pub(crate) uncertain: bool,

    /// In true time.
    pub(crate) ordered: i64,
    pub(crate) plain: u32,
    pub(crate) labelled: u32,
    /// How often something happened after which it may arrive once more.
    pub(crate) interrupted: u32,
    /// The latest try that was interrupted.
    pub(crate) interrupted_try: u32,
    pub(crate) taken_back: bool,
    pub(crate) settled: bool,
    /// The node that claimed it last.
    pub(crate) holder: usize,
}

/// A row as a node has claimed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) row: usize,
    pub(crate) tries: u32,
    pub(crate) labelled: bool,
}

impl Row {
    fn is_taken(&self, now: i64) -> bool {
        self.lease.is_some_and(|until| until > now)
    }

    /// Something happened to this try after which the page may arrive once more; counted once for each try.
    pub(crate) fn interrupt(&mut self, tries: u32) {
        self.interrupted += u32::from(self.interrupted_try < tries);
        self.interrupted_try = self.interrupted_try.max(tries);
    }
}

#[derive(Default)]
pub(crate) struct Tables {
    pub(crate) callouts: Vec<Option<Callout>>,
    pub(crate) timers: Vec<Option<Timer>>,
    pub(crate) outbox: Vec<Row>,
    pub(crate) by_page: HashMap<PageId, usize>,
    /// Rows whose `next_at` is set.
    waiting: Vec<usize>,
}

impl Tables {
    /// The same page again is the same row.
    pub(crate) fn order(&mut self, row: Row) {
        if self.by_page.contains_key(&row.page) {
            return;
        }
        self.by_page.insert(row.page, self.outbox.len());
        if row.next_at.is_some() {
            self.waiting.push(self.outbox.len());
        }
        self.outbox.push(row);
    }

    /// Takes back what still waits for a person; answers how much.
    pub(crate) fn take_back(&mut self, callout: usize, person: PersonId) -> usize {
        let mut count = 0;
        let outbox = &mut self.outbox;
        self.waiting.retain(|i| {
            let row = &mut outbox[*i];
            let theirs = row.callout == callout && row.person == person && row.asks;
            if theirs {
                (row.next_at, row.lease, row.taken_back) = (None, None, true);
                count += 1;
            }
            !theirs
        });
        count
    }

    pub(crate) fn claim_timers(&mut self, now: i64) -> Vec<(usize, bool)> {
        let mut claimed = Vec::new();
        for (callout, timer) in self.timers.iter_mut().enumerate() {
            let Some(timer) = timer else { continue };
            if timer.due <= now && timer.lease.is_none_or(|until| until <= now) {
                claimed.push((callout, timer.lease.is_some()));
                timer.lease = Some(now + LEASE);
            }
        }
        claimed
    }

    /// What is due, for each destination as many as it has free places.
    pub(crate) fn claim_pages(&mut self, node: usize, now: i64) -> Vec<(Claim, Option<usize>)> {
        let free = |i: &usize| !self.outbox[*i].is_taken(now) && self.outbox[*i].next_at.is_some_and(|at| at <= now);
        let mut due: Vec<usize> = self.waiting.iter().copied().filter(free).collect();
        due.sort_by_key(|i| (self.outbox[*i].next_at, *i));
        let mut claimed = Vec::new();
        for i in due {
            if self.under_way(i, now) >= PER_DESTINATION {
                continue;
            }
            let row = &mut self.outbox[i];
            let before = row.lease.is_some().then_some(row.holder);
            row.uncertain |= row.lease.is_some();
            row.tries += 1;
            row.lease = Some(now + PAGE_LEASE);
            row.holder = node;
            claimed.push((Claim { row: i, tries: row.tries, labelled: row.uncertain }, before));
        }
        claimed
    }

    /// How many pages the destination of this one is getting.
    fn under_way(&self, row: usize, now: i64) -> usize {
        let to = (self.outbox[row].person, self.outbox[row].channel);
        let rows = self.waiting.iter().map(|i| &self.outbox[*i]);
        rows.filter(|other| other.is_taken(now) && (other.person, other.channel) == to).count()
    }

    /// Just before the request: whether the claim still stands.
    pub(crate) fn still_held(&self, claim: Claim) -> bool {
        let row = &self.outbox[claim.row];
        row.next_at.is_some() && row.tries == claim.tries
    }

    /// Settles a try, or has it tried again at `again`; false if the claim was lost.
    pub(crate) fn settle(&mut self, claim: Claim, again: Option<(i64, bool)>) -> bool {
        if !self.still_held(claim) {
            return false;
        }
        let row = &mut self.outbox[claim.row];
        row.lease = None;
        match again.filter(|_| claim.tries < MAX_TRIES) {
            Some((at, uncertain)) => {
                row.next_at = Some(at);
                row.uncertain |= uncertain;
            }
            None => {
                (row.next_at, row.settled) = (None, true);
                self.waiting.retain(|i| *i != claim.row);
            }
        }
        true
    }

    /// A process with a database of its own gives up every claim when it starts.
    pub(crate) fn release(&mut self, now: i64) {
        for timer in self.timers.iter_mut().flatten() {
            timer.lease = None;
        }
        for i in &self.waiting {
            let row = &mut self.outbox[*i];
            row.lease = row.lease.map(|until| until.min(now));
        }
    }

    /// The next moment at which something is due or a lease runs out; only those after `after`, if that is given.
    pub(crate) fn next_due(&self, after: Option<i64>) -> Option<i64> {
        let timers = self.timers.iter().flatten().map(|t| t.due.max(t.lease.unwrap_or(t.due)));
        let pages = self.waiting.iter().map(|i| &self.outbox[*i]).filter_map(|row| row.lease.or(row.next_at));
        timers.chain(pages).filter(|at| after.is_none_or(|after| *at > after)).min()
    }

    /// Whether something has been due for three seconds although it could have been claimed.
    pub(crate) fn is_stuck(&self, now: i64) -> bool {
        let old = |at: i64| at <= now - 3_000;
        let since = |row: &Row| row.lease.or(row.next_at);
        let timers = self.timers.iter().flatten().any(|t| old(t.due.max(t.lease.unwrap_or(t.due))));
        let stuck = |i: &usize| since(&self.outbox[*i]).is_some_and(old) && self.under_way(*i, now) < PER_DESTINATION;
        timers || self.waiting.iter().any(stuck)
    }

    /// The ways by which a person was called, or may have been.
    pub(crate) fn rung(&self, callout: usize, person: PersonId) -> Vec<Channel> {
        let theirs = |row: &&Row| row.callout == callout && row.person == person && row.asks && row.tries > 0;
        let mut channels: Vec<_> = self.outbox.iter().filter(theirs).map(|row| row.channel).collect();
        channels.sort_unstable();
        channels.dedup();
        channels
    }
}

//! Who is on duty now or soon, read off the rota.

use firstlight_protocol::{PersonId, Problem, Timestamp, callout::Tier, policy::ReadinessTimers, rota::Rota};
use std::time::Duration;

/// A person's duty without a break, in whatever tiers and zones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duty {
    /// Who.
    pub person: PersonId,
    /// In which tiers, in the order in which they are called.
    pub tiers: Vec<Tier>,
    /// When it begins or began; `None`: longer ago than a proof is fresh.
    pub from: Option<Timestamp>,
    /// When it ends; `None`: later than is looked ahead.
    pub until: Option<Timestamp>,
}

impl Duty {
    /// Whether they are on duty at a moment.
    pub fn covers(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }

    /// Proofs from then on count for it.
    pub(super) fn proof_since(&self, timers: &ReadinessTimers, now: Timestamp) -> Timestamp {
        let fresh = Duration::from(timers.fresh_for_ms);
        match self.from {
            Some(from) => from - fresh,
            None => now - fresh - timers.ahead_ms.into(),
        }
    }

    /// From then on a test for it may go out; a check that began earlier belonged to another duty.
    pub(super) fn tests_since(&self, timers: &ReadinessTimers, now: Timestamp) -> Timestamp {
        match self.from {
            Some(from) => from - timers.ahead_ms.into(),
            None => now - timers.fresh_for_ms.into(),
        }
    }
}

/// Every duty that runs now or begins within `ahead`, by person, each person's in order.
///
/// # Errors
/// `invalid_value` if the rota's time zone is unknown.
pub fn duties(rota: &Rota, timers: &ReadinessTimers, now: Timestamp) -> Result<Vec<Duty>, Problem> {
    let earliest = now - timers.fresh_for_ms.into();
    // A stretch ends before its end: what begins in this very moment belongs to it.
    let latest = now + (Duration::from(timers.ahead_ms) + Duration::from_millis(1));
    let mut spans = rota.schedule(earliest, latest)?;
    spans.sort_unstable_by_key(|span| (span.person, span.from));
    let mut duties: Vec<Duty> = Vec::new();
    for span in spans {
        let (from, until) = (Some(span.from).filter(|at| *at > earliest), Some(span.until).filter(|at| *at < latest));
        match duties.last_mut().filter(|last| last.person == span.person && last.until.is_none_or(|at| at >= span.from))
        {
            Some(last) => {
                last.until = last.until.and_then(|at| until.map(|until| until.max(at)));
                if !last.tiers.contains(&span.tier) {
                    last.tiers.push(span.tier);
                }
            }
            None => duties.push(Duty { person: span.person, tiers: vec![span.tier], from, until }),
        }
    }
    duties.retain(|duty| duty.until.is_none_or(|until| until > now));
    duties.iter_mut().for_each(|duty| duty.tiers.sort_unstable());
    Ok(duties)
}

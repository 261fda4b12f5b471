//! Who is on duty now or soon, read off the rota.

use firstlight_protocol::{
    PersonId, Problem, Timestamp,
    callout::Tier,
    policy::ReadinessTimers,
    rota::{OnDuty, Rota},
};
use std::{collections::BTreeMap, time::Duration};

/// The most changes of duty that are looked at: more than a rota of 200 people has in the few days that matter.
const MAX_CHANGES: usize = 2_000;

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
    let horizon = now + timers.ahead_ms.into();
    let mut open: BTreeMap<PersonId, Duty> = BTreeMap::new();
    let mut found = Vec::new();
    let mut at = now - timers.fresh_for_ms.into();
    let mut first = true;
    for _ in 0..MAX_CHANGES {
        let on_duty = rota.on_call(at)?;
        close(&mut open, &on_duty, at, now, &mut found);
        for duty in &on_duty {
            let from = (!first).then_some(at);
            let entry = open.entry(duty.person).or_insert_with(|| Duty {
                person: duty.person,
                tiers: Vec::new(),
                from,
                until: None,
            });
            if !entry.tiers.contains(&duty.tier) {
                entry.tiers.push(duty.tier);
            }
        }
        first = false;
        match rota.next_change(at)? {
            Some(next) if next <= horizon => at = next,
            _ => break,
        }
    }
    found.extend(open.into_values());
    found.iter_mut().for_each(|duty| duty.tiers.sort_unstable());
    found.sort_by_key(|duty| (duty.person, duty.from));
    Ok(found)
}

/// Ends the duties of whoever is not on duty any more; those that are over by now don't matter.
fn close(
    open: &mut BTreeMap<PersonId, Duty>,
    on_duty: &[OnDuty],
    at: Timestamp,
    now: Timestamp,
    found: &mut Vec<Duty>,
) {
    open.retain(|person, duty| {
        let goes_on = on_duty.iter().any(|on| on.person == *person);
        if !goes_on && at > now {
            found.push(Duty { until: Some(at), ..duty.clone() });
        }
        goes_on
    });
}

//! Whom to test now.

use super::{Case, Duty, MAX_SENT, WayState};
use firstlight_protocol::{
    CheckId, PersonId, Problem, Timestamp,
    policy::{Channel, ReadinessTimers},
    rota::Rota,
};

/// A check that was begun: one test, and reminders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    /// Which.
    pub id: CheckId,
    /// When its first test went out.
    pub begun_at: Timestamp,
    /// When its newest test went out.
    pub last_sent_at: Timestamp,
    /// How many tests went out.
    pub sent: u32,
}

/// A test to send now, by every way that is not proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Whom.
    pub person: PersonId,
    /// The check that it repeats; `None`: a new one begins.
    pub check: Option<CheckId>,
    /// By which ways.
    pub channels: Vec<Channel>,
}

/// The tests that are due now, at most one for each person, whatever the number of their duties.
///
/// # Errors
/// `invalid_value` if the rota's time zone is unknown.
pub fn orders<'a>(
    cases: impl IntoIterator<Item = Case<'a>>,
    rota: &Rota,
    timers: &ReadinessTimers,
) -> Result<Vec<Order>, Problem> {
    let mut orders: Vec<Order> = Vec::new();
    if timers.ahead_ms.0 == 0 {
        return Ok(orders);
    }
    for case in cases {
        let Some(duty) = case.duty else { continue };
        let channels = unproven(case, duty, timers);
        let ordered = orders.iter().any(|order| order.person == case.person());
        if ordered || channels.is_empty() || case.reach.is_unreachable() {
            continue;
        }
        let now = case.now;
        let began_for_this = |check: &Check| check.begun_at >= duty.tests_since(timers, now);
        let check = case.reach.check.filter(began_for_this);
        let due_from = match check {
            None => duty.tests_since(timers, now),
            Some(check) if check.sent < MAX_SENT => check.last_sent_at + timers.remind_every_ms.into(),
            Some(_) => continue,
        };
        if due_from <= now && may_disturb(duty, rota, now)? {
            orders.push(Order { person: case.person(), check: check.map(|check| check.id), channels });
        }
    }
    Ok(orders)
}

/// The ways whose proof does not count for this duty, or of a long one is due again.
fn unproven(case: Case<'_>, duty: &Duty, timers: &ReadinessTimers) -> Vec<Channel> {
    let since = match duty.from {
        Some(_) => duty.proof_since(timers, case.now),
        None => case.now - timers.fresh_for_ms.into(),
    };
    let ways = case.reach.ways.iter().filter(|way| way.state == WayState::Usable && !way.is_proven_since(since));
    ways.map(|way| way.channel).collect()
}

/// Whether now is a time for a test: in waking hours, or if the shift begins before the next ones.
fn may_disturb(duty: &Duty, rota: &Rota, now: Timestamp) -> Result<bool, Problem> {
    let waking = rota.waking(now)?;
    Ok(waking <= now || duty.from.is_some_and(|from| now < from && from <= waking))
}

//! Where a person stands on the board.

use super::{Case, Check};
use firstlight_protocol::{
    PersonId, Timestamp,
    api::{Gap, GapKind, PersonReadiness, ReadinessLevel, WayReadiness},
    callout::FailReason,
    policy::{Channel, ReadinessTimers},
};

/// What is known of one person's ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// Who.
    pub person: PersonId,
    /// Their work name; `None` if they have left.
    pub work_name: Option<String>,
    /// Whether their role answers callouts.
    pub responds: bool,
    /// Whether they have a device that is not revoked.
    pub has_device: bool,
    /// Whether one of them is connected now.
    pub connected: bool,
    /// The app and their contact methods, in the order in which they are tried.
    pub ways: Vec<Way>,
    /// The newest check.
    pub check: Option<Check>,
}

/// One way to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    /// Which.
    pub channel: Channel,
    /// Whether pages go there.
    pub state: WayState,
    /// When something that was sent there had reached them.
    pub proven_at: Option<Timestamp>,
    /// When the newest test went there.
    pub tested_at: Option<Timestamp>,
    /// Why the channel could not take it.
    pub failed: Option<FailReason>,
}

/// Whether pages go to a contact method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WayState {
    /// Yes.
    Usable,
    /// Nobody has shown that it reaches the person.
    Unverified,
    /// The person has blocked the sender.
    Blocked,
    /// It does not exist.
    Invalid,
}

impl Reach {
    /// Whether no page could go out to them at all.
    pub fn is_unreachable(&self) -> bool {
        let by_contact = self.ways.iter().any(|way| way.state == WayState::Usable && way.channel != Channel::InApp);
        !self.responds || !self.has_device || !(self.connected || by_contact)
    }
}

impl Way {
    /// Whether a proof of it counts from `since` on.
    pub(super) fn is_proven_since(&self, since: Timestamp) -> bool {
        self.proven_at.is_some_and(|at| at >= since)
    }

    /// Whether the newest test could not be sent, and nothing was proven since.
    fn has_failed(&self) -> Option<FailReason> {
        self.failed.filter(|_| self.proven_at.is_none() || self.proven_at < self.tested_at)
    }
}

/// Judges one person. Ways of somebody who is not on duty are judged as if they were: their proof should be younger
/// than `fresh_for`, but its lack alone is amber.
pub fn judge(case: Case<'_>, timers: &ReadinessTimers) -> PersonReadiness {
    let Case { reach, duty, now } = case;
    let mut gaps = Vec::new();
    let mut add = |level: ReadinessLevel, gap: Gap| gaps.push((level, gap));
    let unreachable = reach.is_unreachable();
    if !reach.has_device {
        add(ReadinessLevel::Red, Gap::person(GapKind::NoDevice));
    } else if !reach.connected {
        let level = if unreachable { ReadinessLevel::Red } else { ReadinessLevel::Green };
        add(level, Gap::person(GapKind::NotConnected));
    }
    if !reach.responds {
        add(ReadinessLevel::Red, Gap::person(GapKind::WrongRole));
    }
    if reach.ways.iter().all(|way| way.channel == Channel::InApp || way.state != WayState::Usable) {
        add(ReadinessLevel::Green, Gap::person(GapKind::AppOnly));
    }
    let mut ways = Vec::with_capacity(reach.ways.len());
    for way in &reach.ways {
        let gap = |kind| Gap::way(kind, way.channel, None);
        let (level, gap) = match way.state {
            WayState::Unverified => (ReadinessLevel::Amber, Some(gap(GapKind::Unverified))),
            WayState::Blocked => (ReadinessLevel::Red, Some(gap(GapKind::Blocked))),
            WayState::Invalid => (ReadinessLevel::Red, Some(gap(GapKind::Invalid))),
            WayState::Usable => judge_way(case, way, timers),
        };
        ways.push(WayReadiness { channel: way.channel, level, proven_at: way.proven_at, tested_at: way.tested_at });
        if let Some(gap) = gap {
            add(level, gap);
        }
    }
    let level = gaps.iter().map(|(level, _)| *level).max().unwrap_or(ReadinessLevel::Green);
    gaps.sort_by_key(|(level, _)| std::cmp::Reverse(*level));
    PersonReadiness {
        person: reach.person,
        work_name: reach.work_name.clone(),
        level,
        unreachable,
        tiers: duty.map(|duty| duty.tiers.clone()).unwrap_or_default(),
        on_duty: duty.is_some_and(|duty| duty.covers(now)),
        duty_from: duty.and_then(|duty| duty.from),
        duty_until: duty.and_then(|duty| duty.until),
        check: reach.check.map(|check| check.id),
        ways,
        gaps: gaps.into_iter().map(|(_, gap)| gap).collect(),
    }
}

fn judge_way(case: Case<'_>, way: &Way, timers: &ReadinessTimers) -> (ReadinessLevel, Option<Gap>) {
    let Case { reach, duty, now } = case;
    let gap = |kind| Some(Gap::way(kind, way.channel, way.has_failed()));
    if way.has_failed().is_some() {
        return (ReadinessLevel::Red, gap(GapKind::TestFailed));
    }
    let fresh_since = now - timers.fresh_for_ms.into();
    let Some(duty) = duty else {
        return match way.proven_at {
            Some(at) if at >= fresh_since => (ReadinessLevel::Green, None),
            Some(_) => (ReadinessLevel::Amber, gap(GapKind::ProofTooOld)),
            None => (ReadinessLevel::Amber, gap(GapKind::NeverProven)),
        };
    };
    if way.is_proven_since(duty.proof_since(timers, now)) {
        // A long duty: the proof still counts, and the next one is being asked for.
        return match duty.from.is_some() || way.is_proven_since(fresh_since) {
            true => (ReadinessLevel::Green, None),
            false => (ReadinessLevel::Amber, gap(GapKind::ProofTooOld)),
        };
    }
    let asked = reach.check.filter(|check| check.begun_at >= duty.tests_since(timers, now));
    let asked = asked.filter(|check| way.tested_at.is_some_and(|at| at >= check.begun_at));
    let kind = match (asked, way.proven_at) {
        (Some(_), _) => GapKind::NotConfirmed,
        (None, Some(_)) => GapKind::ProofTooOld,
        (None, None) => GapKind::NeverProven,
    };
    // The reminder was met with silence for as long as the test before it.
    let silent =
        asked.is_some_and(|check| check.sent >= 2 && now >= check.last_sent_at + timers.remind_every_ms.into());
    let late = duty.covers(now);
    (if silent || late { ReadinessLevel::Red } else { ReadinessLevel::Amber }, gap(kind))
}

//! What has happened, how often. A simulation that never gets somewhere says nothing about it.

use std::fmt;

macro_rules! happenings {
    ($($name:ident $words:literal),+ $(,)?) => {
        /// Something that can happen.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Happening { $($name),+ }

        const ALL: &[(Happening, &str)] = &[$((Happening::$name, $words)),+];
    };
}

happenings! {
    Opened "callouts opened",
    OpenedTwice "opened again, as the answer was lost",
    Step "steps of the engine",
    AcrossChange "callouts across a change of the clocks",
    Paged "pages ordered",
    InApp "pages in the app",
    NotConnected "pages to an app that was off",
    Arrived "pages arrived elsewhere",
    Labelled "pages arrived with the label",
    TakenBack "pages taken back before they were sent",
    NotBegun "claims lost before the request began",
    GivenUp "pages given up after the last try",
    Rejected "rejected",
    Undelivered "taken and reported undelivered",
    Stalled "stalled until the deadline",
    Slow "slow",
    LostAnswer "arrived, answer lost",
    Refused "outages",
    Crash "nodes crashed",
    CrashedStep "crashed between a timer's claim and its step",
    CrashedSend "crashed while sending",
    Dark "nights with no node at all for a while",
    Pause "nodes stood still",
    Late "outcomes that came after their claim was lost",
    TakenOver "claims taken over",
    ClockStep "clocks set",
    WrongClocks "pages claimed from a living node, as the clocks differ",
    Swept "found by the sweeper, as a wake-up was lost",
    Backup "backups paged",
    Supervisor "supervisors paged",
    Everyone "everyone paged",
    EmptyTier "tiers without anybody",
    Unanswered "officers told that nobody has accepted yet",
    SlowRound "told again, in a slow round",
    Accepted "accepted",
    Acknowledged "acknowledged",
    Declined "declined",
    Withdrew "withdrew",
    Reopened "opened again",
    Filled "filled",
    StoodDown "stood down",
    CalledMore "more were called",
    Cancelled "cancelled",
    Merged "merged",
    Closed "closed",
    Reviewed "reviewed",
    RefusedAct "actions refused",
    RepeatedAct "actions sent again, as the answer was lost",
    Relaxed "wishes that hold nobody back any more",
    ByRule "pages by a person's own rules",
    Named "people called by name",
    Barred "barred by a supervisor",
    Outside "told somebody outside",
    Caller "told an officer without an app",
    LeftTheTeam "people who left during a callout",
    NoMovement "alarms: no movement",
    Overdue "alarms: overdue",
    Breach "alarms: projected breach",
    Unreachable "alarms: unreachable",
    StillPaging "callouts still paging at the end",
}

/// How often what has happened.
#[derive(Default)]
pub(crate) struct Coverage {
    counts: Vec<u64>,
}

impl Coverage {
    pub(crate) fn count(&mut self, what: Happening) {
        self.counts.resize(ALL.len(), 0);
        self.counts[what as usize] += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.counts.resize(ALL.len(), 0);
        self.counts.iter_mut().zip(&other.counts).for_each(|(mine, more)| *mine += more);
    }

    pub(crate) fn callouts(&self) -> u64 {
        self.counts.get(Happening::Opened as usize).copied().unwrap_or(0)
    }

    /// Everything has happened.
    pub(crate) fn check(&self) {
        let never: Vec<_> = ALL.iter().filter(|(what, _)| self.counts[*what as usize] == 0).map(|(_, w)| w).collect();
        assert!(never.is_empty(), "never happened: {never:?}");
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, words) in ALL {
            writeln!(f, "{:>12}  {words}", self.counts.get(*what as usize).copied().unwrap_or(0))?;
        }
        Ok(())
    }
}

//! What carries pages: each in a mood that changes during the night.

use crate::{coverage::Happening, random::Random, tables::DEADLINE};
use firstlight_protocol::callout::FailReason;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    Slow,
    Stalls,
    Rejects,
    /// Takes everything, and reports later that it could not be delivered.
    Undelivered,
    LosesAnswers,
    Down,
}

/// What becomes of one request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fate {
    /// When it arrives, in milliseconds from its begin.
    pub(crate) arrives: Option<i64>,
    /// When the node hears, and what.
    pub(crate) heard: i64,
    pub(crate) failed: Option<(FailReason, bool)>,
    /// When the provider reports that it could not be delivered.
    pub(crate) undelivered: Option<i64>,
    pub(crate) what: Option<Happening>,
}

impl Mood {
    pub(crate) fn any(random: &mut Random, healthy: u64) -> Self {
        if random.chance(healthy) {
            return Self::Well;
        }
        let moods = [Self::Slow, Self::Stalls, Self::Rejects, Self::Undelivered, Self::LosesAnswers, Self::Down];
        moods[random.between(0, moods.len() as u64 - 1) as usize]
    }

    pub(crate) fn fate(self, random: &mut Random) -> Fate {
        let quick = random.between(20, 800) as i64;
        let well = Fate { arrives: Some(quick), heard: quick + 20, failed: None, undelivered: None, what: None };
        let failed = |heard, reason, uncertain, what| Fate {
            arrives: None,
            heard,
            failed: Some((reason, uncertain)),
            undelivered: None,
            what: Some(what),
        };
        match self {
            Self::Well => well,
            Self::Slow => {
                let at = random.between(2_000, DEADLINE as u64 - 100) as i64;
                Fate { arrives: Some(at), heard: at + 50, what: Some(Happening::Slow), ..well }
            }
            Self::Stalls => {
                let arrives = random.chance(50).then(|| random.between(100, 20_000) as i64);
                Fate { arrives, ..failed(DEADLINE, FailReason::Timeout, true, Happening::Stalled) }
            }
            Self::Rejects => {
                let uncertain = random.chance(30);
                let arrives = (uncertain && random.chance(30)).then_some(quick);
                Fate { arrives, ..failed(quick, FailReason::Rejected, uncertain, Happening::Rejected) }
            }
            Self::Undelivered => {
                let at = quick + random.between(2_000, 40_000) as i64;
                Fate { arrives: None, undelivered: Some(at), what: Some(Happening::Undelivered), ..well }
            }
            Self::LosesAnswers => Fate {
                arrives: Some(quick),
                ..failed(quick + 10, FailReason::Unreachable, true, Happening::LostAnswer)
            },
            Self::Down => failed(5, FailReason::Unreachable, false, Happening::Refused),
        }
    }
}

//! What is missing: times at which somebody has to be on duty, and nobody is.

use super::{Rota, local::WallClock, schedule, windows, windows::Window};
use crate::{
    Problem,
    callout::{Code, Tier},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Where and when somebody has to be on duty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Need {
    /// The tier; never `everyone`.
    pub tier: Tier,
    /// For callouts of this zone, by somebody of the zone or of all zones; absent: by somebody of all zones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Code>,
    /// The hours; empty: always.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<Window>,
}

/// A time at which nobody is on duty where somebody has to be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Gap {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
    /// In which tier.
    pub tier: Tier,
    /// For callouts of which zone; absent: wherever the zone has nobody of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Code>,
}

impl Need {
    pub(super) fn check(&self) -> Result<(), String> {
        super::check_tier(self.tier)?;
        super::check_windows("only", &self.only)
    }
}

impl Rota {
    /// The gaps in a stretch of time, in order, cut off at its ends.
    ///
    /// # Errors
    /// As [`Rota::schedule`].
    pub fn gaps(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Gap>, Problem> {
        schedule::check_stretch(from, until)?;
        let clock = WallClock::around(&self.zone()?, from, until);
        let within = clock.paper_range(from, until);
        let duties = self.duties(&within);
        let mut gaps = BTreeSet::new();
        for need in self.needed() {
            let hours = windows::hours(&need.only, &within);
            let moment = |paper| clock.moment(paper).as_millis().clamp(from.as_millis(), until.as_millis());
            let needed: super::ranges::Ranges = hours.iter().map(|(begin, end)| (moment(begin), moment(end))).collect();
            let covered = Self::covered(&clock, &duties, need.tier, need.zone.as_ref());
            gaps.extend(needed.without(&covered).iter().map(|(begin, end)| Gap {
                from: Timestamp(begin),
                until: Timestamp(end),
                tier: need.tier,
                zone: need.zone.clone(),
            }));
        }
        Ok(gaps.into_iter().collect())
    }

    /// What is needed: what the rota says, or what follows from it.
    fn needed(&self) -> Vec<Need> {
        if !self.needs.is_empty() {
            return self.needs.clone();
        }
        let shifts = self.shifts.iter().map(|shift| (shift.tier, shift.zone.clone()));
        let layers = self.layers.iter().map(|layer| (layer.tier, layer.zone.clone()));
        let spoken_of: BTreeSet<(Tier, Option<Code>)> = shifts.chain(layers).collect();
        let mut needed = spoken_of.clone();
        // A rota of zones alone has nobody for all of them, and needs nobody.
        if !spoken_of.iter().any(|(tier, _)| *tier == Tier::Primary) {
            needed.insert((Tier::Primary, None));
        }
        needed.into_iter().map(|(tier, zone)| Need { tier, zone, only: Vec::new() }).collect()
    }
}

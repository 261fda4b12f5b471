//! What the nights come to: figures over callouts by zone, agency or month (DOMAIN.md, "Figures people ask for").
//!
//! **How they are computed.** A median or a p90 is the *nearest rank*: of `n` sorted times the one at place `⌈n·p⌉`, so
//! that it is always a time that was really measured. Times count from the moment at which the server received the
//! callout. Callouts that were cancelled or merged count as such and in nothing else but first contact to callout. A
//! callout counts for the target once it is decided: somebody has arrived, or the target is over, or it has ended; nobody
//! there in time is "not within target", whatever the reason. Drills and canaries are never in any figure.
//!
//! **What leaves the organisation** (`outside`) has no cell under 5, and nothing from which one could be computed: see
//! the rule in `server/src/figures/suppress.rs`. A suppressed cell is absent from the JSON and says `suppressed` in CSV.

use crate::{
    CalloutId, OrgId,
    callout::{CalloutState, Code, OutcomeReason, Support},
    policy::Millis,
    record::CalloutTimes,
    role::{UnknownWord, text_enum},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A cell of fewer callouts than this does not leave the organisation.
pub const SMALLEST_CELL: u64 = 5;
/// The most callouts that one table, report or export covers.
pub const MAX_CALLOUTS: usize = 200_000;

text_enum!(
    /// What a table's rows are.
    GroupBy {
        /// One row for each zone.
        Zone = "zone",
        /// One row for each agency that opened callouts.
        Agency = "agency",
        /// One row for each calendar month, in the time zone of the rota.
        Month = "month",
    }
);

/// How long something took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TimeFigure {
    /// How many callouts it was measured in; not in what leaves the organisation.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub measured: Option<u64>,
    /// The median; absent where nothing was measured. In what leaves the organisation: in whole seconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub median_ms: Option<Millis>,
    /// Nine of ten took no longer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub p90_ms: Option<Millis>,
}

/// A share of callouts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ShareFigure {
    /// Of how many; not in what leaves the organisation.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub of: Option<u64>,
    /// In how many it was so; not in what leaves the organisation.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub met: Option<u64>,
    /// In whole per cent; absent where there was none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub per_cent: Option<u8>,
}

/// The figures of one group of callouts. An absent one is suppressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Figures {
    /// Callouts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callouts: Option<u64>,
    /// Callouts in which at some moment everyone had been called and nobody had accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unanswered: Option<u64>,
    /// Callouts that were merged into another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicates: Option<u64>,
    /// Callouts that were called off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancelled: Option<u64>,
    /// Callouts with the reason code "called late".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub called_late: Option<u64>,
    /// From first contact until the callout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_contact_to_callout: Option<TimeFigure>,
    /// From the callout until somebody was awake.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_acknowledge: Option<TimeFigure>,
    /// From the callout until somebody was going.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_accept: Option<TimeFigure>,
    /// From the callout until somebody was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_arrive: Option<TimeFigure>,
    /// Somebody was there within the target that held when the callout was opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within_target: Option<ShareFigure>,
    /// Of the callouts that named a language and that somebody accepted: one of those who did spoke it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language_match: Option<ShareFigure>,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FigureRow {
    /// The zone's code, the agency's id, or the month as `2026-03`; `others` for groups that are too small to be shown by
    /// themselves, taken together.
    pub key: String,
    /// The agency's name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// Its figures.
    pub figures: Figures,
}

/// Answer to `GET /v1/figures`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FigureTable {
    /// What the rows are.
    pub by: GroupBy,
    /// Callouts opened from then on …
    pub from: Timestamp,
    /// … and before then. In what leaves the organisation both are the beginnings of calendar months.
    pub until: Timestamp,
    /// The time zone of months.
    pub tz: String,
    /// Whether it may leave the organisation.
    pub outside: bool,
    /// Rows, by key.
    pub rows: Vec<FigureRow>,
    /// All of them together.
    pub total: Figures,
}

/// One callout in `GET /v1/figures/export`: codes and times, nobody's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExportedCallout {
    /// Which.
    pub callout: CalloutId,
    /// The agency that opened it.
    pub agency: OrgId,
    /// Its zone.
    pub zone: Code,
    /// How it stands, or ended.
    pub state: CalloutState,
    /// When things happened.
    pub times: CalloutTimes,
    /// The target that held when it was opened.
    pub target_ms: Millis,
    /// Whether at some moment everyone had been called and nobody had accepted.
    pub unanswered: bool,
    /// Whether somebody who accepted spoke one of the languages.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub language_match: Option<bool>,
    /// Reason codes.
    pub reasons: Vec<OutcomeReason>,
    /// Whether support was accepted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub support: Option<Support>,
    /// How many kits were given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub kits_given: Option<u16>,
}

/// Answer to `GET /v1/figures/export`: for the organisation itself, never suppressed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FigureExport {
    /// Callouts opened from then on …
    pub from: Timestamp,
    /// … and before then.
    pub until: Timestamp,
    /// Oldest first.
    pub callouts: Vec<ExportedCallout>,
}

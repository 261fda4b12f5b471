//! A table of figures as CSV (RFC 4180), for a spreadsheet.

use firstlight_protocol::figures::{FigureTable, Figures, ShareFigure, TimeFigure};
use std::fmt::Write;

/// What stands in a suppressed cell.
const SUPPRESSED: &str = "suppressed";

const HEAD: [&str; 19] = [
    "key",
    "name",
    "callouts",
    "unanswered",
    "duplicates",
    "cancelled",
    "called_late",
    "first_contact_to_callout_median_s",
    "first_contact_to_callout_p90_s",
    "to_acknowledge_median_s",
    "to_acknowledge_p90_s",
    "to_accept_median_s",
    "to_accept_p90_s",
    "to_arrive_median_s",
    "to_arrive_p90_s",
    "within_target_of",
    "within_target_per_cent",
    "language_match_of",
    "language_match_per_cent",
];

/// The table; its last line is the total. Times are in seconds; an empty cell means that there was nothing to measure.
pub(super) fn csv(table: &FigureTable) -> String {
    let mut text = String::new();
    line(&mut text, HEAD.iter().map(|cell| (*cell).to_owned()));
    for row in &table.rows {
        line(&mut text, cells(&row.key, row.name.as_deref().unwrap_or_default(), &row.figures, table.outside));
    }
    line(&mut text, cells("total", "", &table.total, table.outside));
    text
}

fn cells<'a>(key: &'a str, name: &'a str, f: &'a Figures, outside: bool) -> impl Iterator<Item = String> + 'a {
    let counts = [f.callouts, f.unanswered, f.duplicates, f.cancelled, f.called_late].map(or_suppressed);
    let times = [f.first_contact_to_callout, f.to_acknowledge, f.to_accept, f.to_arrive].into_iter().flat_map(time);
    let shares = [f.within_target, f.language_match].into_iter().flat_map(move |share| self::share(share, outside));
    [key.to_owned(), name.to_owned()].into_iter().chain(counts).chain(times).chain(shares)
}

fn or_suppressed(n: Option<u64>) -> String {
    n.map_or_else(|| SUPPRESSED.to_owned(), |n| n.to_string())
}

fn time(time: Option<TimeFigure>) -> [String; 2] {
    let seconds = |ms: Option<firstlight_protocol::policy::Millis>| {
        ms.map_or_else(String::new, |ms| format!("{}.{:03}", ms.0 / 1000, ms.0 % 1000))
    };
    match time {
        Some(time) => [seconds(time.median_ms), seconds(time.p90_ms)],
        None => [SUPPRESSED.to_owned(), SUPPRESSED.to_owned()],
    }
}

fn share(share: Option<ShareFigure>, outside: bool) -> [String; 2] {
    let Some(share) = share else { return [SUPPRESSED.to_owned(), SUPPRESSED.to_owned()] };
    let of = if outside { SUPPRESSED.to_owned() } else { share.of.map_or_else(String::new, |of| of.to_string()) };
    [of, share.per_cent.map_or_else(String::new, |per_cent| per_cent.to_string())]
}

fn line(text: &mut String, cells: impl Iterator<Item = String>) {
    for (i, cell) in cells.enumerate() {
        // Writing to a string does not fail.
        let _ = write!(text, "{}{}", if i == 0 { "" } else { "," }, field(&cell));
    }
    text.push_str("\r\n");
}

/// One field. What a spreadsheet would take for a formula begins with an apostrophe, and so stays text.
fn field(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let cell = if formula { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains([',', '"', '\r', '\n']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_and_nothing_is_a_formula() {
        let cases = [
            ("north", "north"),
            ("", ""),
            ("Agency A, north", "\"Agency A, north\""),
            ("the \"day\" team", "\"the \"\"day\"\" team\""),
            ("two\r\nlines", "\"two\r\nlines\""),
            ("=HYPERLINK(\"http://x\")", "\"'=HYPERLINK(\"\"http://x\"\")\""),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@x", "'@x"),
            ("\tx", "'\tx"),
            ("\r=x", "\"'\r=x\""),
        ];
        for (cell, expected) in cases {
            assert_eq!(field(cell), expected, "{cell:?}");
        }
    }

    #[test]
    fn every_line_has_every_column() {
        let table = FigureTable {
            by: firstlight_protocol::figures::GroupBy::Zone,
            from: firstlight_protocol::Timestamp(0),
            until: firstlight_protocol::Timestamp(1),
            tz: "UTC".into(),
            outside: true,
            rows: vec![firstlight_protocol::figures::FigureRow {
                key: "north".into(),
                name: None,
                figures: Figures::default(),
            }],
            total: Figures::default(),
        };
        let text = csv(&table);
        let lines: Vec<&str> = text.split_terminator("\r\n").collect();
        assert_eq!(lines.len(), 3);
        for line in lines {
            assert_eq!(line.split(',').count(), HEAD.len(), "{line}");
        }
        assert_eq!(text.matches(SUPPRESSED).count(), 2 * (HEAD.len() - 2));
    }
}

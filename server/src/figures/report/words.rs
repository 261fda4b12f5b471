//! Figures in words and numbers for people.

use firstlight_protocol::{
    figures::{ShareFigure, TimeFigure},
    policy::Millis,
};

/// What stands in place of a suppressed figure.
pub(super) const WITHHELD: &str = "withheld";
/// What stands where there was nothing to measure.
pub(super) const NOTHING: &str = "–";

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A length of time in at most two units.
pub(super) fn took(time: Millis) -> String {
    let seconds = (time.0 + 500) / 1_000;
    let two = |big: u64, unit: &str, small: u64, smaller: &str| match small {
        0 => format!("{big} {unit}"),
        _ => format!("{big} {unit} {small} {smaller}"),
    };
    match seconds {
        0 if time.0 > 0 => format!("{} ms", time.0),
        0..60 => format!("{seconds} s"),
        60..3_600 => two(seconds / 60, "min", seconds % 60, "s"),
        3_600..172_800 => two(seconds / 3_600, "h", seconds / 60 % 60, "min"),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// A length of time as a clock would count it, for tables: minutes and seconds, with hours before them from one on.
pub(super) fn clock(time: Millis) -> String {
    let seconds = (time.0 + 500) / 1_000;
    match seconds / 3_600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

/// A count, or that it is withheld.
pub(super) fn count(n: Option<u64>) -> String {
    n.map_or_else(|| WITHHELD.to_owned(), |n| n.to_string())
}

/// The median and the p90 of a time, in the form that `say` gives them.
pub(super) fn both(time: Option<TimeFigure>, say: fn(Millis) -> String) -> [String; 2] {
    let Some(time) = time else { return [WITHHELD.to_owned(), WITHHELD.to_owned()] };
    [time.median_ms, time.p90_ms].map(|time| time.map_or_else(|| NOTHING.to_owned(), say))
}

/// A share.
pub(super) fn per_cent(share: Option<ShareFigure>) -> String {
    match share {
        None => WITHHELD.to_owned(),
        Some(ShareFigure { per_cent: Some(n), .. }) => format!("{n} %"),
        Some(_) => NOTHING.to_owned(),
    }
}

/// `2026-03` as "March 2026".
pub(super) fn month(key: &str) -> String {
    match split(key) {
        Some((year, name)) => format!("{name} {year}"),
        None => others(key),
    }
}

/// `2026-03` as "Mar", with the year in January and where it is the first.
pub(super) fn short_month(key: &str, first: bool) -> String {
    match split(key) {
        Some((year, name)) => {
            let name: String = name.chars().take(3).collect();
            if first || name == "Jan" { format!("{name} {year}") } else { name }
        }
        None => key.to_owned(),
    }
}

fn split(key: &str) -> Option<(&str, &'static str)> {
    let (year, month) = key.split_once('-')?;
    let month: usize = month.parse().ok()?;
    Some((year, MONTHS.get(month.checked_sub(1)?)?))
}

/// A row's key; the row of small groups in words.
pub(super) fn others(key: &str) -> String {
    if key == super::super::suppress::OTHERS { "Others, together".to_owned() } else { key.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_months_as_people_say_them() {
        let cases = [
            (0, "0 s"),
            (300, "300 ms"),
            (900, "1 s"),
            (59_400, "59 s"),
            (60_000, "1 min"),
            (190_000, "3 min 10 s"),
            (3_600_000, "1 h"),
            (5_520_000, "1 h 32 min"),
            (200_000_000, "2 days"),
        ];
        for (ms, text) in cases {
            assert_eq!(took(Millis(ms)), text);
        }
        assert_eq!((clock(Millis(5_400)), clock(Millis(3_723_000))), ("0:05".into(), "1:02:03".into()));
        assert_eq!((month("2026-03"), short_month("2026-03", false)), ("March 2026".into(), "Mar".into()));
        assert_eq!(
            (short_month("2026-01", false), short_month("2026-05", true)),
            ("Jan 2026".into(), "May 2026".into())
        );
        assert_eq!((month("others"), month("2026-13")), ("Others, together".into(), "2026-13".into()));
    }
}

//! Values on the command line: lengths of time, moments, yes and no.

use firstlight_protocol::{Timestamp, policy::Millis};
use std::time::Duration;

/// A length of time: `500ms`, `90s`, `3m`, `24h`, `7d`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err("a length of time such as 500ms, 90s, 3m, 24h or 7d".into()),
    };
    let millis = number.parse::<u64>().ok().and_then(|n| n.checked_mul(factor));
    millis.map(Duration::from_millis).ok_or_else(|| "a length of time such as 500ms, 90s, 3m, 24h or 7d".into())
}

/// A length of time for a policy's timer.
pub(crate) fn millis(text: &str) -> Result<Millis, String> {
    let length = duration(text)?;
    Ok(Millis(u64::try_from(length.as_millis()).unwrap_or(u64::MAX)))
}

/// A moment: `2026-03-08T22:00:00Z`, with any offset.
pub(crate) fn moment(text: &str) -> Result<Timestamp, String> {
    text.parse::<jiff::Timestamp>()
        .map(|t| Timestamp(t.as_millisecond()))
        .map_err(|_| "a moment such as 2026-03-08T22:00:00Z or 2026-03-08T22:00:00-07:00".into())
}

/// A moment, or the beginning of a day here: `2026-03-08`.
pub(crate) fn moment_or_day(text: &str) -> Result<Timestamp, String> {
    let day = |date: jiff::civil::Date| date.to_zoned(jiff::tz::TimeZone::system()).ok();
    match text.parse().ok().and_then(day) {
        Some(begin) if !text.contains('T') => Ok(Timestamp(begin.timestamp().as_millisecond())),
        _ => moment(text).map_err(|_| "a day such as 2026-03-08, or a moment such as 2026-03-08T22:00:00Z".into()),
    }
}

/// A local time of a rota: `2026-03-08T22:00`.
pub(crate) fn local_time(text: &str) -> Result<jiff::civil::DateTime, String> {
    text.parse().map_err(|_| "a local time such as 2026-03-08T22:00".into())
}

/// A local date of a rota: `2026-12-31`.
pub(crate) fn local_date(text: &str) -> Result<jiff::civil::Date, String> {
    text.parse().map_err(|_| "a date such as 2026-12-31".into())
}

/// Yes or no.
pub(crate) fn yes_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("yes or no".into()),
    }
}

/// One of a list of words, with the list in the error.
pub(crate) fn word<T: Copy + std::fmt::Display>(all: &'static [T]) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| {
        let wanted = text.replace('-', "_");
        all.iter().copied().find(|word| word.to_string() == wanted).ok_or_else(|| {
            let words: Vec<String> = all.iter().map(ToString::to_string).collect();
            format!("one of {}", words.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use firstlight_protocol::Role;

    #[test]
    fn lengths_of_time() {
        for (text, ms) in [("500ms", 500), ("90s", 90_000), ("3m", 180_000), ("24h", 86_400_000), ("7d", 604_800_000)] {
            assert_eq!(duration(text).unwrap().as_millis(), ms, "{text}");
        }
        for text in ["", "5", "s", "-1s", "1.5h", "99999999999999999999d", "18446744073709551615d", "5 s"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn moments_and_local_times() {
        assert_eq!(moment("2026-03-08T01:43:10Z").unwrap(), Timestamp(1_772_934_190_000));
        assert_eq!(moment("2026-03-07T18:43:10-07:00").unwrap(), Timestamp(1_772_934_190_000));
        assert!(moment("22:00").is_err());
        assert_eq!(moment_or_day("2026-03-08T01:43:10Z").unwrap(), Timestamp(1_772_934_190_000));
        let day = moment_or_day("2026-03-08").unwrap();
        assert!(day.since(Timestamp(1_772_934_190_000)).as_secs() < 86_400);
        assert!(moment_or_day("March").is_err());
        assert_eq!(local_time("2026-03-08T22:00").unwrap().to_string(), "2026-03-08T22:00:00");
        assert!(local_time("tomorrow").is_err());
    }

    #[test]
    fn words_may_be_written_with_hyphens() {
        let role = word(Role::ALL);
        assert_eq!(role("police-officer").unwrap(), Role::PoliceOfficer);
        assert_eq!(role("advocate").unwrap(), Role::Advocate);
        assert!(role("king").unwrap_err().contains("watch_commander"));
    }
}

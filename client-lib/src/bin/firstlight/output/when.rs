//! Times as people say them: the clock where they are, and how long ago or ahead.

use firstlight_protocol::Timestamp;
use jiff::tz::TimeZone;

/// Speaks of times from one moment, in one time zone.
#[derive(Debug, Clone)]
pub(crate) struct When {
    /// The moment from which "ago" is counted.
    pub(crate) now: Timestamp,
    zone: TimeZone,
}

impl When {
    /// In the time zone of this machine.
    pub(crate) fn here(now: Timestamp) -> Self {
        Self { now, zone: TimeZone::system() }
    }

    #[cfg(test)]
    pub(crate) fn utc(now: Timestamp) -> Self {
        Self { now, zone: TimeZone::UTC }
    }

    /// The clock: "01:43:10" today, "Sat 7 Mar 23:05" otherwise, with the year if it is another one.
    pub(crate) fn clock(&self, at: Timestamp) -> String {
        let zoned =
            |t: Timestamp| jiff::Timestamp::from_millisecond(t.as_millis()).map(|t| t.to_zoned(self.zone.clone()));
        let (Ok(then), Ok(now)) = (zoned(at), zoned(self.now)) else {
            return at.to_string();
        };
        let format = if then.date() == now.date() {
            "%H:%M:%S"
        } else if then.year() == now.year() {
            "%a %-d %b %H:%M"
        } else {
            "%-d %b %Y %H:%M"
        };
        then.strftime(format).to_string()
    }

    /// How far away: "now", "12 s ago", "in 35 min", "2 h 5 min ago", "3 days ago".
    pub(crate) fn away(&self, at: Timestamp) -> String {
        let ahead = at > self.now;
        let span = span(if ahead { at.since(self.now) } else { self.now.since(at) }.as_millis());
        match (span, ahead) {
            (None, _) => "now".into(),
            (Some(span), true) => format!("in {span}"),
            (Some(span), false) => format!("{span} ago"),
        }
    }

    /// Both: "01:43:10 (12 s ago)".
    pub(crate) fn both(&self, at: Timestamp) -> String {
        format!("{} ({})", self.clock(at), self.away(at))
    }
}

/// A length of time in at most two units; `None` under one second.
fn span(ms: u128) -> Option<String> {
    let seconds = ms / 1000;
    Some(match seconds {
        0 => return None,
        1..=99 => format!("{seconds} s"),
        100..=5_999 => format!("{} min", (seconds + 30) / 60),
        6_000..=172_799 => {
            let minutes = seconds / 60;
            match minutes % 60 {
                0 => format!("{} h", minutes / 60),
                rest => format!("{} h {rest} min", minutes / 60),
            }
        }
        _ => format!("{} days", seconds / 86_400),
    })
}

/// A measured time in the unit that suits it: "840 ms", "4.2 s", "3 min 10 s".
pub(crate) fn took(ms: u128) -> String {
    match ms {
        0..=999 => format!("{ms} ms"),
        1_000..=59_999 if ms % 1000 < 100 => format!("{} s", ms / 1000),
        1_000..=59_999 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        3_600_000.. => span(ms).unwrap_or_default(),
        _ => match ms / 1000 % 60 {
            0 => format!("{} min", ms / 60_000),
            seconds => format!("{} min {seconds} s", ms / 60_000),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn clock_and_distance() {
        // 2026-03-08T01:43:10Z
        let now = Timestamp(1_772_934_190_000);
        let when = When::utc(now);
        assert_eq!(when.both(now), "01:43:10 (now)");
        assert_eq!(when.both(now - Duration::from_secs(12)), "01:42:58 (12 s ago)");
        assert_eq!(when.both(now + Duration::from_secs(35 * 60)), "02:18:10 (in 35 min)");
        assert_eq!(when.both(now - Duration::from_secs(7_500)), "Sat 7 Mar 23:38 (2 h 5 min ago)");
        assert_eq!(when.both(now - Duration::from_secs(3 * 86_400)), "Thu 5 Mar 01:43 (3 days ago)");
        assert_eq!(when.clock(now - Duration::from_secs(400 * 86_400)), "1 Feb 2025 01:43");
        assert_eq!(when.clock(Timestamp(i64::MAX)), format!("{} ms", i64::MAX));
    }

    #[test]
    fn measured_times() {
        let cases = [
            (0, "0 ms"),
            (999, "999 ms"),
            (4_250, "4.2 s"),
            (3_000, "3 s"),
            (190_000, "3 min 10 s"),
            (120_000, "2 min"),
            (7_200_000, "2 h"),
        ];
        for (ms, text) in cases {
            assert_eq!(took(ms), text);
        }
    }
}

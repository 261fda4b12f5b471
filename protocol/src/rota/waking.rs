//! Hours in which somebody may be disturbed for something that can wait.

use super::Rota;
use crate::{Problem, time::Timestamp};

/// Waking hours, in the rota's time zone: from 08:00 until 21:00. A check is no reason to wake anybody.
const WAKING: std::ops::Range<i8> = 8..21;

impl Rota {
    /// The first moment at or after `at` in waking hours (08:00 to 21:00 in the rota's time zone).
    ///
    /// # Errors
    /// `invalid_value` if the time zone is unknown, which [`Rota::validate`] would have refused.
    pub fn waking(&self, at: Timestamp) -> Result<Timestamp, Problem> {
        let local = self.local(at)?;
        if WAKING.contains(&local.hour()) {
            return Ok(at);
        }
        let today = local.date();
        let day = if local.hour() < WAKING.start { today } else { today.tomorrow().unwrap_or(today) };
        Ok(self.moment(day.at(WAKING.start, 0, 0, 0))?.max(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rota() -> Rota {
        serde_json::from_str(r#"{"tz":"America/Los_Angeles","shifts":[]}"#).unwrap()
    }

    fn at(utc: &str) -> Timestamp {
        Timestamp(utc.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    #[test]
    fn the_night_is_waited_for_in_local_time() {
        let cases = [
            // 03:00, 08:00, 20:59:59.999 and 21:00 in Los Angeles (UTC-8).
            ("2026-01-10T11:00:00Z", "2026-01-10T16:00:00Z"),
            ("2026-01-10T16:00:00Z", "2026-01-10T16:00:00Z"),
            ("2026-01-11T04:59:59.999Z", "2026-01-11T04:59:59.999Z"),
            ("2026-01-11T05:00:00Z", "2026-01-11T16:00:00Z"),
            // The night in which the clock goes forward: 08:00 is UTC-7 by then.
            ("2026-03-08T06:00:00Z", "2026-03-08T15:00:00Z"),
        ];
        for (from, waking) in cases {
            assert_eq!(rota().waking(at(from)).unwrap(), at(waking), "{from}");
        }
    }
}

//! The time that figures cover, and the calendar months and hours in it: local time, in the time zone of the rota.

use firstlight_protocol::{ErrorCode, Problem, Timestamp};
use jiff::{Span, civil::Date, tz::TimeZone};

/// The longest period: ten years.
const LONGEST_DAYS: i64 = 3_660;
/// Without other wish: the month that runs and the eleven before it.
const USUAL_MONTHS: i64 = 12;

/// From a moment on until before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Period {
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
}

/// A calendar: what the clock on the wall of the organisation says.
#[derive(Debug, Clone)]
pub(crate) struct Calendar {
    name: String,
    zone: TimeZone,
}

impl Calendar {
    /// The calendar of a named time zone; of UTC where there is no such zone.
    pub(crate) fn named(name: &str) -> Self {
        match TimeZone::get(name) {
            Ok(zone) => Self { name: name.to_owned(), zone },
            Err(_) => Self { name: "UTC".to_owned(), zone: TimeZone::UTC },
        }
    }

    /// The time zone's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The local date.
    pub(crate) fn date(&self, at: Timestamp) -> Date {
        self.zone.to_datetime(moment(at)).date()
    }

    /// The local month, as `2026-03`.
    pub(crate) fn month(&self, at: Timestamp) -> String {
        self.date(at).strftime("%Y-%m").to_string()
    }

    /// The local hour, 0 to 23.
    pub(crate) fn hour(&self, at: Timestamp) -> usize {
        usize::try_from(self.zone.to_datetime(moment(at)).hour()).unwrap_or(0)
    }

    /// The beginning of the month in which `at` is, moved by so many months.
    fn month_start(&self, at: Timestamp, months: i64) -> Timestamp {
        let first = self.date(at).first_of_month();
        let moved = Span::new().try_months(months).and_then(|span| first.checked_add(span)).unwrap_or(first);
        // Midnight that a change of the clock skips is the moment of the change.
        moved.to_zoned(self.zone.clone()).map_or(at, |zoned| Timestamp(zoned.timestamp().as_millisecond()))
    }

    /// The period that was asked for; a missing end is the end of the month that runs, a missing beginning a year before
    /// the end. For what leaves the organisation it is widened to whole calendar months: of two periods that differ by a
    /// day the one less the other would tell that day.
    ///
    /// # Errors
    /// `invalid_value` for a period that ends before it begins, or is longer than ten years.
    pub(crate) fn period(
        &self,
        from: Option<Timestamp>,
        until: Option<Timestamp>,
        now: Timestamp,
        whole_months: bool,
    ) -> Result<Period, Problem> {
        let refuse = |detail: &str| Problem::with(ErrorCode::InvalidValue, detail);
        let until = until.unwrap_or_else(|| self.month_start(now, 1));
        let last = Timestamp(until.0.saturating_sub(1));
        let from = from.unwrap_or_else(|| self.month_start(last, 1 - USUAL_MONTHS));
        if from >= until {
            return Err(refuse("from, until: a time that ends after it begins."));
        }
        if until.since(from).as_secs() > LONGEST_DAYS.unsigned_abs() * 86_400 {
            return Err(refuse("from, until: at most ten years."));
        }
        if whole_months {
            return Ok(Period { from: self.month_start(from, 0), until: self.month_start(last, 1) });
        }
        Ok(Period { from, until })
    }
}

fn moment(at: Timestamp) -> jiff::Timestamp {
    let nearest = if at.as_millis() < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    #[test]
    fn months_and_hours_are_local() {
        let here = Calendar::named("America/Los_Angeles");
        let newyear = at("2026-01-01T07:59:59Z");
        assert_eq!((here.month(newyear), here.hour(newyear)), ("2025-12".to_owned(), 23));
        assert_eq!(here.month(at("2026-01-01T08:00:00Z")), "2026-01");
        // 09:30 UTC is 01:30 before the change of the clock, 10:30 UTC is 03:30 after it.
        assert_eq!((here.hour(at("2026-03-08T09:30:00Z")), here.hour(at("2026-03-08T10:30:00Z"))), (1, 3));
        assert_eq!(Calendar::named("Nowhere/Town").name(), "UTC");
    }

    #[test]
    fn the_usual_period_is_a_year_of_whole_months() {
        let here = Calendar::named("America/Los_Angeles");
        let now = at("2026-11-22T12:00:00Z");
        let usual = here.period(None, None, now, false).unwrap();
        assert_eq!(usual, Period { from: at("2025-12-01T08:00:00Z"), until: at("2026-12-01T08:00:00Z") });
        assert_eq!(here.period(None, None, now, true).unwrap(), usual);
    }

    #[test]
    fn what_leaves_the_organisation_covers_whole_months() {
        let here = Calendar::named("America/Los_Angeles");
        let (from, until) = (at("2026-03-05T00:00:00Z"), at("2026-04-09T00:00:00Z"));
        let asked = here.period(Some(from), Some(until), until, false).unwrap();
        assert_eq!(asked, Period { from, until });
        let widened = here.period(Some(from), Some(until), until, true).unwrap();
        assert_eq!(widened, Period { from: at("2026-03-01T08:00:00Z"), until: at("2026-05-01T07:00:00Z") });
        assert_eq!(here.period(Some(widened.from), Some(widened.until), until, true).unwrap(), widened);
    }

    #[test]
    fn a_period_without_length_or_end_is_refused() {
        let here = Calendar::named("UTC");
        let now = at("2026-03-05T00:00:00Z");
        assert!(here.period(Some(now), Some(now), now, false).is_err());
        assert!(here.period(Some(Timestamp(0)), Some(now), now, false).is_err());
        assert!(here.period(Some(Timestamp(i64::MIN)), Some(Timestamp(i64::MAX)), now, true).is_err());
    }
}

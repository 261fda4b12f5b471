//! Absences from a calendar (RFC 5545): what somebody's own calendar program exports.
//!
//! Only times are taken. What the events say, and who is invited, is read over and kept nowhere.

use super::plan::{READERS, change, require_able, require_host, require_own};
use crate::{
    Result, Shared,
    caller::Caller,
    extract::{CalendarText, Json, Query},
};
use axum::extract::State;
use firstlight_protocol::{
    ErrorCode, PersonId, Problem, Timestamp,
    api::AbsencesImported,
    callout::Code,
    rota::{Absence, Rota},
};
use icalendar::parser::{Component, Property, read_calendar_simple, unfold};
use jiff::{Span, civil::DateTime, tz::TimeZone};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, fmt::Write};
use utoipa::IntoParams;

/// The largest calendar, in bytes.
pub(super) const LARGEST: usize = 256 << 10;
/// The most events in it.
const MOST_EVENTS: usize = 500;
/// The most days that one repeating event makes.
const MOST_REPEATS: usize = 366;
/// Components stand in a calendar, and alarms in those: nothing is deeper. The parser descends, so this is checked first.
const DEEPEST: usize = 4;

/// Whose absences they are.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Of {
    /// The person; the caller, if it is absent.
    person: Option<PersonId>,
}

/// Takes absences from a calendar (`text/calendar`): everybody for themself, supervisors and admins for all.
///
/// Each event is an absence: whole days in the rota's time zone, or times of a zone by its IANA name, in UTC, or in the
/// rota's own. Events that repeat daily or weekly are taken with `INTERVAL`, `COUNT` and `UNTIL`; every other repetition
/// is refused. The same calendar again changes nothing but what changed in it; cancelled events go.
#[utoipa::path(post, path = "/v1/rota/absences/import", tag = "rota", params(Of),
    request_body(content = String, content_type = "text/calendar"), responses(
    (status = 200, body = AbsencesImported), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn import(
    State(app): State<Shared>,
    caller: Caller,
    Query(Of { person }): Query<Of>,
    CalendarText(text): CalendarText<LARGEST>,
) -> Result<Json<AbsencesImported>> {
    require_host(&app, &caller, &READERS).await?;
    let person = person.unwrap_or(caller.person);
    require_own(&caller, person)?;
    require_able(&app, &caller, &[person]).await?;
    let events = tokio::task::spawn_blocking(move || events(&text)).await.map_err(crate::Error::internal)??;
    let (mut kept, mut removed) = (0, 0);
    for event in &events {
        *(if event.cancelled { &mut removed } else { &mut kept }) += u32::try_from(event.times.len()).unwrap_or(0);
    }
    let audit = ("rota.absences_imported", person.to_string());
    let changed = change(&app, &caller, audit, move |rota, _| take(rota, person, &events)).await?;
    Ok(Json(AbsencesImported { version: changed.version, kept, removed }))
}

/// An event, as far as it is of interest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// The calendar's own id for it, in one way.
    key: [u8; 8],
    cancelled: bool,
    /// Beginning and end of each of its days.
    times: Vec<(Time, Time)>,
}

/// A time as a calendar writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Time {
    /// Of the rota's zone.
    Local(DateTime),
    /// Of a zone that it names.
    At(Timestamp),
}

fn take(rota: &mut Rota, person: PersonId, events: &[Found]) -> Result<(), Problem> {
    let mut new: BTreeMap<Code, Option<Absence>> = BTreeMap::new();
    for event in events {
        for (n, (from, until)) in event.times.iter().enumerate() {
            let id = absence_id(person, event.key, n)?;
            let (from, until) = (local(rota, from, false)?, local(rota, until, true)?);
            let absence = Absence { id: id.clone(), person, from, until };
            new.insert(id, (!event.cancelled && from < until).then_some(absence));
        }
        // What used to repeat longer.
        let prefix = prefix(person, event.key);
        for known in rota.absences.iter().filter(|one| one.id.as_str().starts_with(&prefix)) {
            new.entry(known.id.clone()).or_insert(None);
        }
    }
    rota.absences.retain_mut(|known| match new.remove(&known.id) {
        Some(Some(changed)) => {
            *known = changed;
            true
        }
        Some(None) => false,
        None => true,
    });
    rota.absences.extend(new.into_values().flatten());
    Ok(())
}

fn prefix(person: PersonId, key: [u8; 8]) -> String {
    let mut hash = Sha256::new_with_prefix(person.as_bytes());
    hash.update(key);
    hash.finalize()[..8].iter().fold("ics-".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn absence_id(person: PersonId, key: [u8; 8], n: usize) -> Result<Code, Problem> {
    format!("{}-{n}", prefix(person, key)).parse().map_err(|_| refused("an event repeats too often"))
}

/// In the rota's own time; an end that falls into an hour that comes twice ends after both.
fn local(rota: &Rota, time: &Time, end: bool) -> Result<DateTime, Problem> {
    match time {
        Time::Local(local) => Ok(*local),
        Time::At(at) if end => rota.local_not_before(*at),
        Time::At(at) => rota.local(*at),
    }
}

fn refused(what: impl std::fmt::Display) -> Problem {
    Problem::with(ErrorCode::InvalidValue, format!("The calendar can't be taken: {what}."))
}

/// Reads a calendar's events.
///
/// # Errors
/// `invalid_value` with the reason, which never quotes the calendar.
pub(super) fn events(text: &str) -> Result<Vec<Found>, Problem> {
    let text = unfold(text);
    let mut open: Vec<String> = Vec::new();
    for line in text.lines() {
        let (key, name) = line.split_once(':').unwrap_or_default();
        if key.eq_ignore_ascii_case("BEGIN") {
            open.push(name.trim().to_ascii_uppercase());
        } else if key.eq_ignore_ascii_case("END") && open.pop() != Some(name.trim().to_ascii_uppercase()) {
            return Err(refused("something in it ends that has not begun"));
        }
        if open.len() > DEEPEST {
            return Err(refused("its parts are nested too deeply"));
        }
    }
    let parts = read_calendar_simple(&text).map_err(|_| refused("it is not in the form of RFC 5545"))?;
    let calendars = parts.iter().filter(|part| part.name == "VCALENDAR");
    let events: Vec<&Component<'_>> =
        calendars.flat_map(|calendar| &calendar.components).filter(|part| part.name == "VEVENT").collect();
    if events.is_empty() {
        return Err(refused("it has no events"));
    }
    if events.len() > MOST_EVENTS {
        return Err(refused(format_args!("it has more than {MOST_EVENTS} events")));
    }
    events
        .iter()
        .enumerate()
        .map(|(n, event)| found(event).map_err(|what| refused(format_args!("event {}: {what}", n + 1))))
        .collect()
}

fn found(event: &Component<'_>) -> Result<Found, String> {
    let value = |name: &str| event.find_prop(name).map(|property| property.val.to_string());
    let uid = value("UID").ok_or("it has no UID")?;
    for unknown in ["RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID"] {
        if event.find_prop(unknown).is_some() {
            return Err(format!("{unknown} is not understood; export single events"));
        }
    }
    let start = event.find_prop("DTSTART").ok_or("it has no DTSTART")?;
    let (from, all_day) = time(start)?;
    let until = match (event.find_prop("DTEND"), value("DURATION")) {
        (Some(end), _) => time(end)?.0,
        (None, Some(duration)) => {
            let span: Span = duration.parse().map_err(|_| "DURATION is not understood")?;
            later(&from, span)?
        }
        (None, None) if all_day => later(&from, Span::new().days(1))?,
        (None, None) => return Err("it has neither DTEND nor DURATION".into()),
    };
    let repeats = value("RRULE").map_or(Ok(vec![Span::new()]), |rule| repeats(&rule, &from))?;
    let times = repeats.into_iter().map(|step| Ok((later(&from, step)?, later(&until, step)?)));
    let mut key = [0; 8];
    key.copy_from_slice(&Sha256::digest(uid.as_bytes())[..8]);
    Ok(Found {
        key,
        cancelled: value("STATUS").is_some_and(|status| status.eq_ignore_ascii_case("CANCELLED")),
        times: times.collect::<Result<_, String>>()?,
    })
}

fn later(time: &Time, step: Span) -> Result<Time, String> {
    let far = |_| "it is too far away".to_owned();
    Ok(match time {
        Time::Local(local) => Time::Local(local.checked_add(step).map_err(far)?),
        // A repetition keeps its wall time in its own zone; in UTC that is the same time of day.
        Time::At(at) => {
            let at = jiff::Timestamp::from_millisecond(at.as_millis()).map_err(far)?;
            let moved = at.to_zoned(TimeZone::UTC).checked_add(step).map_err(far)?;
            Time::At(Timestamp(moved.timestamp().as_millisecond()))
        }
    })
}

/// A `DTSTART` or `DTEND`, and whether it is a whole day.
fn time(property: &Property<'_>) -> Result<(Time, bool), String> {
    let text = property.val.to_string();
    let wrong = |_| format!("{} is not a date or a time", property.name);
    if text.len() == 8 {
        let date = jiff::civil::Date::strptime("%Y%m%d", &text).map_err(wrong)?;
        return Ok((Time::Local(date.at(0, 0, 0, 0)), true));
    }
    let (text, utc) = text.strip_suffix('Z').map_or((text.as_str(), false), |text| (text, true));
    let local = DateTime::strptime("%Y%m%dT%H%M%S", text).map_err(wrong)?;
    let named = property.params.iter().find(|param| param.key == "TZID").and_then(|param| param.val.as_ref());
    let zone = match named {
        _ if utc => TimeZone::UTC,
        None => return Ok((Time::Local(local), false)),
        Some(name) => TimeZone::get(name.as_str().trim_start_matches('/'))
            .map_err(|_| "TZID is not an IANA time zone such as America/Los_Angeles".to_owned())?,
    };
    let at = zone.to_ambiguous_zoned(local).compatible().map_err(|_| "it is too far away".to_owned())?;
    Ok((Time::At(Timestamp(at.timestamp().as_millisecond())), false))
}

/// How far each repetition is from the first.
fn repeats(rule: &str, from: &Time) -> Result<Vec<Span>, String> {
    let (mut unit, mut interval, mut count, mut until) = (None, 1, None, None);
    for part in rule.split(';') {
        match part.split_once('=') {
            Some(("FREQ", "DAILY")) => unit = Some(1),
            Some(("FREQ", "WEEKLY")) => unit = Some(7),
            Some(("INTERVAL", n)) => interval = n.parse::<i64>().map_err(|_| "RRULE: INTERVAL is not a number")?,
            Some(("COUNT", n)) => count = Some(n.parse::<usize>().map_err(|_| "RRULE: COUNT is not a number")?),
            Some(("UNTIL", last)) => until = Some(time(&Property::new_ref("UNTIL", last))?.0),
            Some(("WKST", _)) => {}
            _ => return Err("RRULE: only FREQ=DAILY or WEEKLY with INTERVAL, COUNT and UNTIL is understood".into()),
        }
    }
    let days = unit.ok_or("RRULE: only FREQ=DAILY or WEEKLY is understood")?;
    if !(1..=366).contains(&interval) || matches!(count, Some(0)) {
        return Err("RRULE: INTERVAL and COUNT are at least 1".into());
    }
    if matches!(from, Time::At(_)) {
        // Across a change of that zone's clock the time of day in UTC is another one.
        return Err("RRULE with times of a zone is not understood; export whole days or single events".into());
    }
    if count.is_none() && until.is_none() {
        return Err("RRULE repeats for ever: give it COUNT or UNTIL".into());
    }
    let mut steps = Vec::new();
    for n in 0.. {
        let step = Span::new().try_days(days * interval * n).map_err(|_| "it is too far away")?;
        let begins = later(from, step)?;
        let over = match (&begins, &until) {
            (Time::Local(begins), Some(Time::Local(last))) => begins.date() > last.date(),
            (Time::Local(begins), Some(Time::At(last))) => {
                let last = jiff::Timestamp::from_millisecond(last.as_millis()).map_err(|_| "it is too far away")?;
                begins.date() > last.to_zoned(TimeZone::UTC).date()
            }
            _ => false,
        };
        if over || count.is_some_and(|count| steps.len() >= count) {
            break;
        }
        if steps.len() >= MOST_REPEATS {
            return Err(format!("RRULE: more than {MOST_REPEATS} days"));
        }
        steps.push(step);
    }
    Ok(steps)
}

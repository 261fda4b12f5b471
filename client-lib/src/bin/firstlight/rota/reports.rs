//! What follows from the rota, laid out for people.

use crate::{
    context::Context,
    failure::Failure,
    output::{Answer, took},
    words,
};
use clap::Args;
use firstlight_client::session::Session;
use firstlight_protocol::{
    Timestamp,
    api::{GapsView, ScheduleView},
    callout::{Code, Tier},
};
use jiff::{Zoned, civil::Date, tz::TimeZone};
use serde_json::json;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);
const TIERS: [Tier; 3] = [Tier::Primary, Tier::Backup, Tier::Supervisor];

/// How much of the schedule.
#[derive(Debug, Args)]
pub(super) struct Schedule {
    /// How many days from today
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..=90))]
    days: u32,
}

impl Schedule {
    /// What a person wants to see mostly.
    pub(super) fn two_weeks() -> Self {
        Self { days: 14 }
    }

    /// Shows it as a table by day.
    pub(super) async fn run(self, context: &Context, session: &Session) -> Result<Answer, Failure> {
        let mut page = context.page();
        let now = page.when().now;
        let until = now + DAY * self.days;
        let view = session.api().schedule(now, until).await?;
        let gaps = session.api().gaps(now, until).await?;
        page.title(&format!("The next {} days ({})", self.days, view.tz));
        let rows = days(&view, &gaps)?;
        page.table(&["DAY", "PRIMARY", "BACKUP", "SUPERVISOR"], &rows, "nothing");
        if !gaps.gaps.is_empty() {
            page.alarm(&format!("{} gaps: \"firstlight rota gaps\"", gaps.gaps.len()));
        }
        Ok(Answer::new(&json!({ "schedule": view, "gaps": gaps }), page))
    }
}

/// A time of one tier, on one day.
struct Cell {
    from: Timestamp,
    until: Timestamp,
    text: String,
}

/// A few rows for each day, since a cell is one line.
fn days(view: &ScheduleView, gaps: &GapsView) -> Result<Vec<Vec<String>>, Failure> {
    let zone = TimeZone::get(&view.tz)
        .map_err(|_| Failure::Usage(format!("This machine does not know the rota's time zone, {}.", view.tz)))?;
    let (Some(first), Some(last)) = (date(&zone, view.from), date(&zone, view.until)) else { return Ok(Vec::new()) };
    let mut rows = Vec::new();
    let mut day = first;
    while day <= last {
        let begins = midnight(&zone, day).unwrap_or(view.from).max(view.from);
        let ends = day.tomorrow().ok().and_then(|next| midnight(&zone, next)).unwrap_or(view.until).min(view.until);
        let columns = TIERS.map(|tier| column(view, gaps, tier, begins, ends, &zone));
        let height = columns.iter().map(Vec::len).max().unwrap_or(0).max(1);
        for line in 0..height {
            let label = if line == 0 { day.strftime("%a %-d %b").to_string() } else { String::new() };
            let cells = columns.iter().map(|column| column.get(line).cloned().unwrap_or_default());
            rows.push(std::iter::once(label).chain(cells).collect());
        }
        let Ok(next) = day.tomorrow() else { break };
        day = next;
    }
    Ok(rows)
}

fn column(
    view: &ScheduleView,
    gaps: &GapsView,
    tier: Tier,
    begins: Timestamp,
    ends: Timestamp,
    zone: &TimeZone,
) -> Vec<String> {
    let named = |person| view.people.iter().find(|p| p.person == person).map(|p| p.work_name.clone());
    let zoned = |text: String, code: Option<&Code>| match code {
        Some(code) => format!("{text} ({code})"),
        None => text,
    };
    let on = view.spans.iter().filter(|span| span.tier == tier).map(|span| Cell {
        from: span.from,
        until: span.until,
        text: zoned(named(span.person).unwrap_or_else(|| span.person.short()), span.zone.as_ref()),
    });
    let off = gaps.gaps.iter().filter(|gap| gap.tier == tier).map(|gap| Cell {
        from: gap.from,
        until: gap.until,
        text: zoned("NOBODY".into(), gap.zone.as_ref()),
    });
    let mut cells: Vec<Cell> = on.chain(off).filter(|cell| cell.from < ends && begins < cell.until).collect();
    cells.sort_by_key(|cell| cell.from);
    let lines = cells.into_iter().map(|cell| match (cell.from <= begins, ends <= cell.until) {
        (true, true) => cell.text,
        (true, false) => format!("until {} {}", clock(zone, cell.until), cell.text),
        (false, true) => format!("from {} {}", clock(zone, cell.from), cell.text),
        (false, false) => format!("{}-{} {}", clock(zone, cell.from), clock(zone, cell.until), cell.text),
    });
    lines.collect()
}

fn zoned(zone: &TimeZone, at: Timestamp) -> Option<Zoned> {
    jiff::Timestamp::from_millisecond(at.as_millis()).ok().map(|at| at.to_zoned(zone.clone()))
}

fn date(zone: &TimeZone, at: Timestamp) -> Option<Date> {
    zoned(zone, at).map(|at| at.date())
}

fn clock(zone: &TimeZone, at: Timestamp) -> String {
    zoned(zone, at).map_or_else(|| at.to_string(), |at| at.strftime("%H:%M").to_string())
}

fn midnight(zone: &TimeZone, day: Date) -> Option<Timestamp> {
    let zoned = day.to_zoned(zone.clone()).ok()?;
    Some(Timestamp(zoned.timestamp().as_millisecond()))
}

/// The gaps of the next 90 days.
pub(super) async fn gaps(context: &Context, session: &Session) -> Result<Answer, Failure> {
    let mut page = context.page();
    let now = page.when().now;
    let view = session.api().gaps(now, now + DAY * 90).await?;
    page.title("Gaps in the next 90 days");
    let rows: Vec<Vec<String>> = view
        .gaps
        .iter()
        .map(|gap| {
            vec![
                words::tier(gap.tier).into(),
                gap.zone.as_ref().map_or("all zones", |zone| zone.as_str()).into(),
                page.when().clock(gap.from),
                page.when().clock(gap.until),
                took(gap.until.since(gap.from).as_millis()),
            ]
        })
        .collect();
    page.table(
        &["TIER", "ZONE", "FROM", "UNTIL", "LENGTH"],
        &rows,
        "none: somebody is on duty wherever somebody has to be",
    );
    Ok(Answer::new(&view, page))
}

/// Who carried how much in the last 90 days.
pub(super) async fn fairness(context: &Context, session: &Session) -> Result<Answer, Failure> {
    let mut page = context.page();
    let now = page.when().now;
    let view = session.api().fairness(now - DAY * 90, now).await?;
    page.title("The last 90 days");
    let rows: Vec<Vec<String>> = view
        .people
        .iter()
        .map(|one| {
            let load = &one.load;
            vec![
                one.work_name.clone().unwrap_or_else(|| load.person.short()),
                (load.duty_ms / 3_600_000).to_string(),
                load.nights.to_string(),
                load.weekends.to_string(),
                load.holidays.to_string(),
                load.callouts.to_string(),
                load.rest_ms.map_or_else(|| "-".into(), |rest| took(u128::from(rest))),
            ]
        })
        .collect();
    let head = ["NAME", "HOURS", "NIGHTS", "WEEKENDS", "HOLIDAYS", "CALLOUTS", "REST SINCE"];
    page.table(&head, &rows, "nobody stands in the rota");
    Ok(Answer::new(&view, page))
}

#[cfg(test)]
mod tests {
    use super::*;
    use firstlight_protocol::{
        PersonId,
        api::NamedPerson,
        rota::{Gap, Source, SourceKind, Span},
    };

    #[test]
    fn a_day_shows_who_from_when_until_when_and_who_is_missing() {
        let at = |text: &str| Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond());
        let person = PersonId([1; 16]);
        let source =
            Source { kind: SourceKind::Layer, id: None, begins: "2026-01-05T00:00:00".parse().unwrap(), swap: None };
        let (from, until) = (at("2026-01-05T16:00:00Z"), at("2026-01-07T04:00:00Z"));
        let span = |from, until| Span { from, until, tier: Tier::Primary, zone: None, person, source: source.clone() };
        let view = ScheduleView {
            tz: "Asia/Manila".into(),
            from,
            until,
            spans: vec![span(from, at("2026-01-06T00:00:00Z")), span(at("2026-01-06T02:00:00Z"), until)],
            people: vec![NamedPerson { person, work_name: "Advocate 1".into() }],
        };
        let gap = Gap {
            from: at("2026-01-06T00:00:00Z"),
            until: at("2026-01-06T02:00:00Z"),
            tier: Tier::Primary,
            zone: None,
        };
        let gaps = GapsView { tz: view.tz.clone(), from, until, gaps: vec![gap] };
        let rows = days(&view, &gaps).unwrap();
        let row = |cells: [&str; 4]| cells.map(str::to_owned).to_vec();
        assert_eq!(
            rows,
            [
                row(["Tue 6 Jan", "until 08:00 Advocate 1", "", ""]),
                row(["", "08:00-10:00 NOBODY", "", ""]),
                row(["", "from 10:00 Advocate 1", "", ""]),
                row(["Wed 7 Jan", "Advocate 1", "", ""]),
            ]
        );
    }
}

//! Figures, their export and the report over HTTP. Whoever is given something leaves a line in the audit trail.

use super::{
    csv::csv,
    facts::{Fact, of_period},
    period::{Calendar, Period},
    report,
    table::{Wish, table},
};
use crate::store::sql;
use crate::{
    Result, Shared,
    caller::Caller,
    extract::{Json, Query},
    store::id,
};
use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use firstlight_protocol::{
    ErrorCode, OrgId, Problem, Role, Timestamp,
    figures::{ExportedCallout, FigureExport, FigureTable, GroupBy},
    rota::Rota,
};
use serde::Deserialize;
use std::collections::BTreeMap;
use utoipa::IntoParams;

/// The form of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum Form {
    /// For programs.
    Json,
    /// For spreadsheets.
    Csv,
}

/// What is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Ask {
    /// What the rows of a table are; zones, if it is absent.
    by: Option<GroupBy>,
    /// Callouts opened from then on, in milliseconds since 1970; a year before `until`, if it is absent.
    from: Option<Timestamp>,
    /// Callouts opened before then; the end of the month that runs, if it is absent.
    until: Option<Timestamp>,
    /// For eyes outside the organisation: suppresses what is small, and covers whole calendar months.
    #[serde(default)]
    outside: bool,
    /// The form of a table; else what `Accept` asks for.
    #[param(inline)]
    format: Option<Form>,
}

/// Whose callouts somebody may count.
struct Scope {
    agency: Option<OrgId>,
    outside: bool,
}

/// Supervisors and admins of the host: everything. Watch commanders of a partner: their own agency's, as outsiders.
async fn scope(app: &Shared, caller: &Caller, outside: bool) -> Result<Scope> {
    if caller.org == crate::runner::host(app).await? {
        caller.require(&[Role::Supervisor, Role::Admin])?;
        return Ok(Scope { agency: None, outside });
    }
    caller.require(&[Role::WatchCommander])?;
    Ok(Scope { agency: Some(caller.org), outside: true })
}

/// What is given out: the audit trail's word, and the facts that it is made from.
async fn gather(app: &Shared, caller: &Caller, ask: &Ask, word: &'static str) -> Result<(Vec<Fact>, Wish)> {
    let Scope { agency, outside } = scope(app, caller, ask.outside).await?;
    let now = app.clock.now();
    app.runner.figures.check(caller.device, now)?;
    let rota = app.store.document::<Rota>().await?;
    let calendar = Calendar::named(rota.as_ref().map_or("UTC", |(_, rota)| rota.tz.as_str()));
    let period = calendar.period(ask.from, ask.until, now, outside)?;
    let mut conn = app.store.read().acquire().await?;
    let facts = of_period(&mut conn, period, agency).await?;
    let mut names = BTreeMap::new();
    for row in sql::query("SELECT org, name FROM orgs").fetch_all(&mut *conn).await? {
        names.insert(id::<OrgId>(row.get("org"))?.to_string(), row.get("name"));
    }
    drop(conn);
    let detail = format!("from={} until={} outside={outside}", period.from.0, period.until.0);
    let (device, org) = (caller.device, caller.org);
    app.store.write(move |tx| Box::pin(async move { tx.audit(now, Some(device), word, org, detail).await })).await?;
    Ok((facts, Wish { period, calendar, outside, now, names }))
}

/// Figures by zone, agency or month: median and p90 of times, within target, unanswered, duplicates, language match.
///
/// For supervisors and admins of the host. A partner's watch commanders get their own agency's, always as `outside`.
/// With `outside` nothing under 5 is told, neither directly nor by subtraction; a suppressed figure is absent.
#[utoipa::path(get, path = "/v1/figures", tag = "figures", params(Ask), responses(
    (status = 200, description = "The table; as CSV for `format=csv` or `Accept: text/csv`.",
        content((FigureTable = "application/json"), (String = "text/csv"))),
    (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn figures(
    State(app): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
    Query(ask): Query<Ask>,
) -> Result<Response> {
    let form = ask.format.unwrap_or_else(|| accepted(&headers));
    let word = if form == Form::Csv { "figures.export" } else { "figures.read" };
    let (facts, wish) = gather(&app, &caller, &ask, word).await?;
    let table = table(&facts, ask.by.unwrap_or(GroupBy::Zone), &wish);
    Ok(match form {
        Form::Json => Json(table).into_response(),
        Form::Csv => {
            let name = format!("attachment; filename=\"figures-by-{}.csv\"", table.by);
            let headers =
                [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
            (headers, csv(&table)).into_response()
        }
    })
}

fn accepted(headers: &HeaderMap) -> Form {
    let accepts = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if accepts.split(',').any(|kind| kind.trim().to_ascii_lowercase().starts_with("text/csv")) {
        Form::Csv
    } else {
        Form::Json
    }
}

/// The after-action data of every callout: codes and times, no person. For the organisation itself (supervisors and
/// admins of the host), never suppressed; the audit trail says who took it.
#[utoipa::path(get, path = "/v1/figures/export", tag = "figures", params(Ask), responses(
    (status = 200, body = FigureExport), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn export(
    State(app): State<Shared>,
    caller: Caller,
    Query(ask): Query<Ask>,
) -> Result<Json<FigureExport>> {
    if ask.outside || caller.org != crate::runner::host(&app).await? {
        let detail = "Single callouts don't leave the organisation: take the figures or the report.";
        return Err(Problem::with(ErrorCode::Forbidden, detail).into());
    }
    let (facts, wish) = gather(&app, &caller, &ask, "figures.export").await?;
    let Period { from, until } = wish.period;
    Ok(Json(FigureExport { from, until, callouts: facts.into_iter().map(exported).collect() }))
}

fn exported(fact: Fact) -> ExportedCallout {
    ExportedCallout {
        callout: fact.callout,
        agency: fact.agency,
        zone: fact.zone,
        state: fact.state,
        times: fact.times,
        target_ms: fact.target,
        unanswered: fact.unanswered,
        language_match: fact.language_match,
        reasons: fact.reasons,
        support: fact.support,
        kits_given: fact.kits_given,
    }
}

/// What the report's page may do: show itself, and nothing else.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'; sandbox";

/// The figures as a page to read and print: charts, each with its table. One file without scripts, which loads nothing.
///
/// For whoever may see the figures, with the same rules for `outside`.
#[utoipa::path(get, path = "/v1/report", tag = "figures", params(Ask), responses(
    (status = 200, description = "The page.", body = String, content_type = "text/html"),
    (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn report(State(app): State<Shared>, caller: Caller, Query(ask): Query<Ask>) -> Result<Response> {
    let (facts, wish) = gather(&app, &caller, &ask, "figures.report").await?;
    let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, PAGE_POLICY)];
    Ok((headers, report::page(&facts, &wish)).into_response())
}

//! Drills that begin by themselves, and that end by themselves: nobody is called all night for practice.

use crate::store::sql::{self, Conn, Row};
use crate::{
    Error, Result, Shared,
    caller::Caller,
    extract::{Json, Path},
    rota::require_host,
    runner::{load_callout, sleep_until},
    store::{Tx, id, word},
};
use axum::{extract::State, http::StatusCode};
use firstlight_protocol::{
    CalloutId, ErrorCode, PersonId, Problem, Role, Timestamp,
    api::{DrillList, DrillState, DrillView, ScheduleDrill},
    callout::Routing,
    policy::Millis,
    wire::{from_cbor, to_cbor},
};
use std::time::Duration;

/// How far ahead a drill may be scheduled.
const AHEAD: Duration = Duration::from_secs(90 * 24 * 3600);
/// How long a drill may run.
const LENGTH: std::ops::RangeInclusive<Millis> = Millis::minutes(5)..=Millis::minutes(240);
/// How long one that was opened by hand runs.
const BY_HAND: Millis = Millis::minutes(60);
/// How many drills a list shows, and how many may be scheduled.
const LISTED: i64 = 200;
/// How long to wait after the database failed.
const PAUSE: Duration = Duration::from_secs(1);

/// Schedules a drill: from its time on it is a callout with this id, marked as a drill everywhere and in no figure.
#[utoipa::path(post, path = "/v1/drills", tag = "proof", request_body = ScheduleDrill, responses(
    (status = 200, body = DrillView), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn schedule(
    State(app): State<Shared>,
    caller: Caller,
    Json(mut drill): Json<ScheduleDrill>,
) -> Result<Json<DrillView>> {
    require_host(&app, &caller, &[Role::Supervisor]).await?;
    let now = app.clock.now();
    drill.routing.first_contact_at = drill.at;
    drill.routing.validate(drill.at)?;
    if !LENGTH.contains(&drill.ends_after_ms) {
        return Err(refuse("ends_after_ms: 5 minutes to 4 hours."));
    }
    let view = app.store.write(move |tx| Box::pin(async move { tx.schedule_drill(&caller, drill, now).await })).await?;
    app.proof.again_drills.notify_one();
    Ok(Json(view))
}

/// Drills: those to come first, then the newest.
#[utoipa::path(get, path = "/v1/drills", tag = "proof", responses(
    (status = 200, body = DrillList), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn list(State(app): State<Shared>, caller: Caller) -> Result<Json<DrillList>> {
    require_host(&app, &caller, &[Role::Supervisor, Role::Admin]).await?;
    let rows = sql::query(
        "SELECT * FROM drills ORDER BY state = 'scheduled' DESC, CASE WHEN state = 'scheduled' THEN at ELSE -at END LIMIT $1",
    )
    .bind(LISTED)
    .fetch_all(app.store.read())
    .await?;
    Ok(Json(DrillList { drills: rows.iter().map(read).collect::<Result<_>>()? }))
}

/// Takes a drill back before it begins. One that runs is cancelled as the callout that it is.
#[utoipa::path(delete, path = "/v1/drills/{callout}", tag = "proof",
    params(("callout" = CalloutId, Path, description = "The drill")), responses(
    (status = 204), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn cancel(
    State(app): State<Shared>,
    caller: Caller,
    Path(drill): Path<CalloutId>,
) -> Result<StatusCode> {
    require_host(&app, &caller, &[Role::Supervisor]).await?;
    let now = app.clock.now();
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let known = load(tx.conn, drill).await?.ok_or(ErrorCode::NotFound)?;
                match known.state {
                    DrillState::Cancelled => Ok(()),
                    DrillState::Scheduled => {
                        tx.set_drill(drill, DrillState::Cancelled, None).await?;
                        tx.audit(now, Some(caller.device), "drill.cancelled", drill, "").await
                    }
                    state => {
                        let detail = format!("The drill is {state}: cancel the callout instead.");
                        Err(Problem::with(ErrorCode::WrongState, detail).into())
                    }
                }
            })
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn refuse(detail: &str) -> Error {
    Problem::with(ErrorCode::InvalidValue, detail).into()
}

/// Begins and ends drills when they are due.
pub(super) async fn run(app: Shared) {
    loop {
        let next = match turn(&app).await {
            Ok(next) => next,
            Err(error) => {
                tracing::error!(%error, "drills could not be looked at; it is tried again");
                Some(app.clock.now() + PAUSE)
            }
        };
        tokio::select! {
            () = sleep_until(&app.clock, next) => {}
            () = app.proof.again_drills.notified() => {}
        }
    }
}

/// Does what is due, and answers when something is due next.
async fn turn(app: &Shared) -> Result<Option<Timestamp>> {
    let now = app.clock.now();
    let due = sql::query(
        "SELECT callout, state FROM drills WHERE (state = 'scheduled' AND at <= $1) OR (state = 'running' AND ends_at <= $1)
         LIMIT 100",
    )
    .bind(now.0)
    .fetch_all(app.store.read())
    .await?;
    for row in due {
        let (drill, state): (CalloutId, DrillState) = (id(row.get("callout"))?, word(row.get("state"))?);
        let done = app.store.write(move |tx| {
            Box::pin(async move {
                match state {
                    DrillState::Scheduled => tx.begin_drill(drill, now).await,
                    _ => tx.end_drill(drill, now).await,
                }
            })
        });
        match done.await {
            Ok(()) => {}
            // It could not begin, and would not a second later: that is said, and others go on.
            Err(Error::Refused(problem)) => {
                let why = problem.detail.unwrap_or(problem.title);
                tracing::warn!(%drill, "a drill could not begin or end");
                let given_up = app.store.write(move |tx| {
                    Box::pin(async move {
                        tx.set_drill(drill, DrillState::Failed, Some(&why)).await?;
                        tx.audit(now, None, "drill.failed", drill, "").await
                    })
                });
                given_up.await?;
            }
            Err(error) => return Err(error),
        }
    }
    let next: Option<i64> = sql::query_scalar(
        "SELECT min(CASE WHEN state = 'scheduled' THEN at ELSE ends_at END) FROM drills WHERE state IN ('scheduled', 'running')",
    )
    .fetch_one(app.store.read())
    .await?;
    Ok(next.map(Timestamp))
}

/// A drill by its id.
pub(super) async fn load(conn: &mut Conn, drill: CalloutId) -> Result<Option<DrillView>> {
    let row = sql::query("SELECT * FROM drills WHERE callout = $1").bind(drill.as_bytes()).fetch_optional(conn).await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &Row) -> Result<DrillView> {
    Ok(DrillView {
        id: id(row.get("callout"))?,
        at: Timestamp(row.get("at")),
        ends_at: Timestamp(row.get("ends_at")),
        by: id(row.get("person"))?,
        state: word(row.get("state"))?,
        problem: row.get("problem"),
    })
}

/// Notes a drill that was opened by hand, so that it is listed, reported and ended like the others.
pub(crate) async fn opened_by_hand(tx: &mut Tx<'_>, callout: CalloutId, by: PersonId, now: Timestamp) -> Result<()> {
    sql::query(
        "INSERT INTO drills (callout, person, at, ends_at, state) VALUES ($1, $2, $3, $4, 'running') ON CONFLICT DO NOTHING",
    )
    .bind(callout.as_bytes())
    .bind(by.as_bytes())
    .bind(now.0)
    .bind((now + BY_HAND.into()).0)
    .execute(&mut *tx.conn)
    .await?;
    Ok(())
}

impl Tx<'_> {
    async fn schedule_drill(&mut self, by: &Caller, drill: ScheduleDrill, now: Timestamp) -> Result<DrillView> {
        let ScheduleDrill { id: callout, at, ends_after_ms, routing } = drill;
        let ends_at = at + ends_after_ms.into();
        let routing = to_cbor(&routing);
        if let Some(known) = load(self.conn, callout).await? {
            let stored: Option<Vec<u8>> = sql::query_scalar("SELECT routing FROM drills WHERE callout = $1")
                .bind(callout.as_bytes())
                .fetch_one(&mut *self.conn)
                .await?;
            let same =
                (known.at, known.ends_at, known.by) == (at, ends_at, by.person) && stored.as_ref() == Some(&routing);
            return if same { Ok(known) } else { Err(ErrorCode::Conflict.into()) };
        }
        if at < now || at > now + AHEAD {
            return Err(refuse("at: from now to 90 days ahead."));
        }
        if load_callout(self.conn, callout).await?.is_some() {
            return Err(ErrorCode::Conflict.into());
        }
        let waiting: i64 = sql::query_scalar("SELECT count(*) FROM drills WHERE state = 'scheduled'")
            .fetch_one(&mut *self.conn)
            .await?;
        if waiting >= LISTED {
            return Err(Problem::with(ErrorCode::TooLarge, format!("At most {LISTED} drills may be scheduled.")).into());
        }
        sql::query(
            "INSERT INTO drills (callout, person, at, ends_at, state, routing) VALUES ($1, $2, $3, $4, 'scheduled', $5)",
        )
        .bind(callout.as_bytes())
        .bind(by.person.as_bytes())
        .bind(at.0)
        .bind(ends_at.0)
        .bind(routing)
        .execute(&mut *self.conn)
        .await?;
        self.audit(now, Some(by.device), "drill.scheduled", callout, format!("at={}", at.0)).await?;
        load(self.conn, callout).await?.ok_or_else(|| ErrorCode::NotFound.into())
    }

    async fn begin_drill(&mut self, drill: CalloutId, now: Timestamp) -> Result<()> {
        let row =
            sql::query("SELECT person, routing, at, ends_at FROM drills WHERE callout = $1 AND state = 'scheduled'")
                .bind(drill.as_bytes())
                .fetch_optional(&mut *self.conn)
                .await?;
        let Some(row) = row else { return Ok(()) };
        let routing: Vec<u8> = row.get("routing");
        let routing: Routing = from_cbor(&routing).map_err(|e| Error::internal(format!("stored drill: {e}")))?;
        let (by, planned): (PersonId, Timestamp) = (id(row.get("person"))?, Timestamp(row.get("at")));
        let length = Timestamp(row.get("ends_at")).since(planned);
        self.open_drill(drill, by, Routing { first_contact_at: now, ..routing }, now).await?;
        // A server that was away begins it late, and gives it its whole time.
        sql::query("UPDATE drills SET state = 'running', at = $2, ends_at = $3 WHERE callout = $1")
            .bind(drill.as_bytes())
            .bind(now.0)
            .bind((now + length).0)
            .execute(&mut *self.conn)
            .await?;
        Ok(())
    }

    /// Ends a drill: whoever is still called is stood down.
    async fn end_drill(&mut self, drill: CalloutId, now: Timestamp) -> Result<()> {
        if load_callout(self.conn, drill).await?.is_some_and(|callout| callout.is_open()) {
            self.call_drill_off(drill, now).await?;
        }
        self.set_drill(drill, DrillState::Ended, None).await
    }

    async fn set_drill(&mut self, drill: CalloutId, state: DrillState, problem: Option<&str>) -> Result<()> {
        sql::query("UPDATE drills SET state = $2, problem = $3 WHERE callout = $1")
            .bind(drill.as_bytes())
            .bind(state.as_str())
            .bind(problem)
            .execute(&mut *self.conn)
            .await?;
        Ok(())
    }
}

//! Overrides and absences, one at a time.

use super::plan::{KEEPERS, READERS, add, change, require_able, require_host, require_own};
use crate::{
    Result, Shared,
    caller::Caller,
    extract::{Json, Path},
};
use axum::extract::State;
use firstlight_protocol::{
    ErrorCode, PersonId, Problem,
    api::RotaChanged,
    callout::Code,
    rota::{Absence, Override, Rota},
};
use jiff::civil::DateTime;

/// Puts somebody on duty for a while: for supervisors and admins. The same again changes nothing.
#[utoipa::path(post, path = "/v1/rota/overrides", tag = "rota", request_body = Override, responses(
    (status = 200, body = RotaChanged), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn add_override(
    State(app): State<Shared>,
    caller: Caller,
    Json(new): Json<Override>,
) -> Result<Json<RotaChanged>> {
    require_host(&app, &caller, &KEEPERS).await?;
    require_able(&app, &caller, &[new.person]).await?;
    let audit = ("rota.override", format!("{} {}", new.id, new.person));
    let changed = change(&app, &caller, audit, move |rota, _| {
        require_present(rota, new.person, new.from, new.until)?;
        let id = new.id.clone();
        add(&mut rota.overrides, new, |one| one.id == id)
    });
    changed.await.map(Json)
}

/// Takes an override back: for supervisors and admins. One that is gone already is no error.
#[utoipa::path(delete, path = "/v1/rota/overrides/{override}", tag = "rota",
    params(("override" = Code, Path, description = "Its id")), responses(
    (status = 200, body = RotaChanged), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn remove_override(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<Code>,
) -> Result<Json<RotaChanged>> {
    require_host(&app, &caller, &KEEPERS).await?;
    let audit = ("rota.override_removed", id.to_string());
    let changed = change(&app, &caller, audit, move |rota, _| {
        rota.overrides.retain(|one| one.id != id);
        Ok(())
    });
    changed.await.map(Json)
}

/// Says that somebody is away: everybody for themself, supervisors and admins for all. The same again changes nothing.
#[utoipa::path(post, path = "/v1/rota/absences", tag = "rota", request_body = Absence, responses(
    (status = 200, body = RotaChanged), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn add_absence(
    State(app): State<Shared>,
    caller: Caller,
    Json(new): Json<Absence>,
) -> Result<Json<RotaChanged>> {
    require_host(&app, &caller, &READERS).await?;
    require_own(&caller, new.person)?;
    require_able(&app, &caller, &[new.person]).await?;
    let audit = ("rota.absence", format!("{} {}", new.id, new.person));
    let changed = change(&app, &caller, audit, move |rota, _| {
        let id = new.id.clone();
        add(&mut rota.absences, new, |one| one.id == id)
    });
    changed.await.map(Json)
}

/// Takes an absence back. One that is gone already is no error.
#[utoipa::path(delete, path = "/v1/rota/absences/{absence}", tag = "rota",
    params(("absence" = Code, Path, description = "Its id")), responses(
    (status = 200, body = RotaChanged), (status = "default", description = "Refused", body = Problem)))]
pub(super) async fn remove_absence(
    State(app): State<Shared>,
    caller: Caller,
    Path(id): Path<Code>,
) -> Result<Json<RotaChanged>> {
    require_host(&app, &caller, &READERS).await?;
    let (by, keeps) = (caller.person, KEEPERS.contains(&caller.role));
    let audit = ("rota.absence_removed", id.to_string());
    let changed = change(&app, &caller, audit, move |rota, _| {
        if rota.absences.iter().any(|one| one.id == id && one.person != by && !keeps) {
            return Err(Problem::with(ErrorCode::Forbidden, "This is somebody else's absence."));
        }
        rota.absences.retain(|one| one.id != id);
        Ok(())
    });
    changed.await.map(Json)
}

/// Refuses to put somebody on duty who is away in that time: they would not be on duty, and nobody would see why.
pub(super) fn require_present(rota: &Rota, person: PersonId, from: DateTime, until: DateTime) -> Result<(), Problem> {
    let away = |one: &Absence| one.person == person && one.from < until && from < one.until;
    if rota.absences.iter().any(away) {
        let detail = "This person is away in that time; take the absence back first.";
        return Err(Problem::with(ErrorCode::WrongState, detail));
    }
    Ok(())
}

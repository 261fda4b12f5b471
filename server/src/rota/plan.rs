//! The rota as a whole, and how every change of it is made.

use crate::{
    Result, Shared,
    caller::Caller,
    callouts::documents::{read_document, replace},
    extract::Json,
};
use axum::extract::State;
use firstlight_protocol::{
    ErrorCode, PersonId, Problem, Role, Timestamp,
    api::{RotaChanged, RotaDocument},
    rota::Rota,
};
use std::{collections::HashSet, time::Duration};

/// Who keeps the documents.
pub(crate) const KEEPERS: [Role; 2] = [Role::Supervisor, Role::Admin];
/// Who reads the rota besides its keepers: the people who stand in it.
pub(super) const READERS: [Role; 3] = [Role::Supervisor, Role::Admin, Role::Advocate];
/// Overrides, absences and swaps stay this long after they are over: the fairness report looks back.
const KEPT: Duration = Duration::from_secs(400 * 24 * 3600);

/// Refuses everybody who is not of the host organisation in one of these roles.
pub(crate) async fn require_host(app: &Shared, caller: &Caller, roles: &[Role]) -> Result<()> {
    if caller.org != crate::runner::host(app).await? {
        return Err(ErrorCode::Forbidden.into());
    }
    caller.require(roles)
}

/// Refuses who may not act for this person: everybody acts for themself, keepers for all.
pub(super) fn require_own(caller: &Caller, person: PersonId) -> Result<()> {
    if caller.person == person { Ok(()) } else { caller.require(&KEEPERS) }
}

/// The rota.
#[utoipa::path(get, path = "/v1/rota", tag = "dispatch", responses(
    (status = 200, body = RotaDocument), (status = "default", description = "Refused", body = Problem)))]
pub(crate) async fn get_rota(State(app): State<Shared>, caller: Caller) -> Result<Json<RotaDocument>> {
    require_host(&app, &caller, &READERS).await?;
    let (version, rota) = app.store.document::<Rota>().await?.ok_or(ErrorCode::NotFound)?;
    Ok(Json(RotaDocument { version, rota: (*rota).clone() }))
}

/// Replaces the rota. `version` is the one that was read (0: there is none yet); the answer has the new one.
#[utoipa::path(put, path = "/v1/rota", tag = "dispatch", request_body = RotaDocument, responses(
    (status = 200, body = RotaDocument), (status = "default", description = "Refused", body = Problem)))]
pub(crate) async fn put_rota(
    State(app): State<Shared>,
    caller: Caller,
    Json(document): Json<RotaDocument>,
) -> Result<Json<RotaDocument>> {
    require_host(&app, &caller, &KEEPERS).await?;
    document.rota.validate()?;
    let able = able(&app, &caller).await?;
    if let Some((_, place)) = document.rota.people().find(|(person, _)| !able.contains(person)) {
        let detail = format!("{place}: not an advocate or supervisor of your organisation.");
        return Err(Problem::with(ErrorCode::InvalidValue, detail).into());
    }
    let RotaDocument { version, rota } = document;
    let (version, rota) = replace(&app, &caller, version, rota).await?;
    Ok(Json(RotaDocument { version, rota }))
}

/// Everybody of the host, in a role that answers callouts.
async fn able(app: &Shared, caller: &Caller) -> Result<HashSet<PersonId>> {
    let people = app.store.people_of_org(caller.org).await?.into_iter();
    Ok(people.filter(|person| crate::runner::can_respond(person.role)).map(|person| person.person).collect())
}

/// Refuses to put somebody on duty who can't be.
pub(super) async fn require_able(app: &Shared, caller: &Caller, people: &[PersonId]) -> Result<()> {
    let able = able(app, caller).await?;
    if people.iter().all(|person| able.contains(person)) {
        return Ok(());
    }
    let detail = "Not an advocate or supervisor of your organisation.";
    Err(Problem::with(ErrorCode::InvalidValue, detail).into())
}

/// Changes the rota in one transaction, with a line in the audit trail. A change that finds everything as it wants it
/// answers with the version that is there.
pub(super) async fn change(
    app: &Shared,
    caller: &Caller,
    (action, subject): (&'static str, String),
    change: impl FnOnce(&mut Rota, Timestamp) -> Result<(), Problem> + Send + 'static,
) -> Result<RotaChanged> {
    let (now, device) = (app.clock.now(), caller.device);
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let Some((version, before)) = read_document::<Rota>(tx.conn).await? else {
                    return Err(Problem::with(ErrorCode::NotFound, "There is no rota yet.").into());
                };
                let mut rota = (*before).clone();
                change(&mut rota, now)?;
                if rota == *before {
                    return Ok(RotaChanged { version });
                }
                forget(&mut rota, now)?;
                rota.validate()?;
                let version = tx.replace_document(version, &rota, now).await?;
                tx.audit(now, Some(device), action, subject, format!("version {version}")).await?;
                tx.after.rota();
                Ok(RotaChanged { version })
            })
        })
        .await
}

/// Drops what is over for so long that nobody looks back on it.
fn forget(rota: &mut Rota, now: Timestamp) -> Result<(), Problem> {
    let before = rota.local(now - KEPT)?;
    rota.overrides.retain(|one| one.until > before);
    rota.absences.retain(|one| one.until > before);
    rota.swaps.retain(|one| {
        let last = one.in_return.as_ref().map_or(one.turn.begins, |back| back.begins.max(one.turn.begins));
        last > before
    });
    Ok(())
}

/// Adds something to a list under its id; the same again changes nothing.
pub(super) fn add<T: PartialEq>(list: &mut Vec<T>, new: T, same_id: impl Fn(&T) -> bool) -> Result<(), Problem> {
    match list.iter().find(|one| same_id(one)) {
        None => list.push(new),
        Some(known) if *known == new => {}
        Some(_) => return Err(Problem::with(ErrorCode::Conflict, "Another one has this id.")),
    }
    Ok(())
}

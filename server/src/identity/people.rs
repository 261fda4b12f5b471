//! The directory: who works here, and whom a caller may look up.

use super::{Person, store::Detail, trust};
use crate::store::sql;
use crate::{
    Result,
    app::{App, Shared},
    caller::Caller,
    extract::{Json, Path},
};
use axum::{extract::State, http::StatusCode};
use firstlight_protocol::{
    ErrorCode, PersonId, Problem, Role,
    api::{DirectoryQuery, PersonView, UpdatePerson},
    callout::Language,
    limits::MAX_CLAIM,
};

/// Everybody of the caller's own organisation. Admins also see revoked devices; admins and supervisors, when a device was
/// last connected.
#[utoipa::path(get, path = "/v1/people", tag = "identity",
    responses((status = 200, body = Vec<PersonView>), (status = 401, body = Problem)))]
pub(super) async fn list(caller: Caller, State(app): State<Shared>) -> Result<Json<Vec<PersonView>>> {
    let detail = match caller.role {
        Role::Admin => Detail::All,
        Role::Supervisor => Detail::Seen,
        _ => Detail::Live,
    };
    app.store.views_of_org(caller.org, detail).await.map(Json)
}

/// Sets the languages that a person works in: for admins and supervisors of their organisation. The rest of what dispatch
/// knows about them stands in their profile.
#[utoipa::path(patch, path = "/v1/people/{person}", tag = "identity", request_body = UpdatePerson,
    params(("person" = PersonId, Path, description = "The person")),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn update(
    caller: Caller,
    State(app): State<Shared>,
    Path(person): Path<PersonId>,
    Json(change): Json<UpdatePerson>,
) -> Result<StatusCode> {
    caller.require(&[Role::Admin, Role::Supervisor])?;
    let now = app.clock.now();
    let Some(languages) = change.languages else {
        return Ok(StatusCode::NO_CONTENT);
    };
    let Ok(languages) = languages.iter().map(|l| l.parse()).collect::<std::result::Result<Vec<Language>, _>>() else {
        return Err(Problem::with(ErrorCode::InvalidValue, "languages: codes such as \"es\" or \"zh-Hant\".").into());
    };
    app.store.write(move |tx| Box::pin(async move { tx.set_languages(&caller, person, languages, now).await })).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Looks up people whom the caller may add to a room, with their live devices' chains.
///
/// The rule: the caller's own organisation; for the host's people, also those of its partners; for a partner's people,
/// beyond their own only members of a room that they are in themselves (whom a callout may page, they get with the
/// callout's team). Who is not known, or not to be known, is left out.
#[utoipa::path(post, path = "/v1/directory", tag = "identity", request_body = DirectoryQuery,
    responses((status = 200, body = Vec<PersonView>), (status = 413, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn directory(
    caller: Caller,
    State(app): State<Shared>,
    Json(DirectoryQuery { people }): Json<DirectoryQuery>,
) -> Result<Json<Vec<PersonView>>> {
    if people.len() > MAX_CLAIM {
        return Err(Problem::with(ErrorCode::TooLarge, format!("At most {MAX_CLAIM} people at a time.")).into());
    }
    let count = u32::try_from(people.len()).unwrap_or(u32::MAX).max(1);
    app.identity.limits.directory.check_many(caller.device, count, app.clock.now())?;
    let mut views = Vec::with_capacity(people.len());
    for id in people {
        if let Some(person) = app.store.person(id).await?
            && app.may_look_up(&caller, &person).await?
        {
            views.push(app.store.view(person, Detail::Live).await?);
        }
    }
    Ok(Json(views))
}

impl App {
    async fn may_look_up(&self, caller: &Caller, person: &Person) -> Result<bool> {
        if person.org == caller.org {
            return Ok(true);
        }
        let anchors = self.identity.anchors()?;
        if !trust::is_active(&anchors, person.org) {
            return Ok(false);
        }
        if caller.org == anchors.host() {
            return Ok(true);
        }
        let shared: Option<i64> = sql::query_scalar(
            "SELECT 1 FROM room_members own JOIN room_members other ON other.room = own.room
             WHERE own.device = $1 AND own.left_seq IS NULL AND own.suspended = 0
               AND other.person = $2 AND other.left_seq IS NULL LIMIT 1",
        )
        .bind(caller.device.as_bytes())
        .bind(person.person.as_bytes())
        .fetch_optional(self.store.read())
        .await?;
        Ok(shared.is_some())
    }
}

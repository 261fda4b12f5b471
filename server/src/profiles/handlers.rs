//! `/v1/people/{person}/profile`, and the languages in `PATCH /v1/people/{person}`.

use super::{
    rights::{Standing, permit},
    store::Kept,
};
use crate::{
    Result, Shared,
    caller::Caller,
    extract::{Json, Path},
    store::Tx,
};
use axum::extract::State;
use firstlight_protocol::{
    ErrorCode, PersonId, Problem, Role, Timestamp,
    api::{ProfileView, PutProfile},
    callout::Language,
    profile::Profile,
};

/// What dispatch knows about a person: for the person themself, and the admins and supervisors of their organisation.
#[utoipa::path(get, path = "/v1/people/{person}/profile", tag = "identity",
    params(("person" = PersonId, Path, description = "The person")),
    responses((status = 200, body = ProfileView), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn get(
    State(app): State<Shared>,
    caller: Caller,
    Path(person): Path<PersonId>,
) -> Result<Json<ProfileView>> {
    let known = app.store.person(person).await?.filter(|p| p.org == caller.org).ok_or(ErrorCode::NotFound)?;
    standing(&caller, known.person)?;
    let kept = app.store.profile(person).await?.ok_or(ErrorCode::NotFound)?;
    Ok(Json(shown(person, kept)))
}

/// Replaces a profile whose version is still the one that was read. The same request again is answered like the first.
///
/// The person themself sets languages, as whom they present, zones, and bars. Admins and supervisors of their
/// organisation set languages, training, zones, and bars, and never as whom somebody presents. A bar is lifted by the
/// side that set it: the person, or the organisation.
#[utoipa::path(put, path = "/v1/people/{person}/profile", tag = "identity", request_body = PutProfile,
    params(("person" = PersonId, Path, description = "The person")),
    responses((status = 200, body = ProfileView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn put(
    State(app): State<Shared>,
    caller: Caller,
    Path(person): Path<PersonId>,
    Json(PutProfile { version, profile }): Json<PutProfile>,
) -> Result<Json<ProfileView>> {
    let now = app.clock.now();
    app.identity.check_change(&caller, now)?;
    profile.validate()?;
    let kept = app
        .store
        .write(move |tx| Box::pin(async move { tx.replace_profile(&caller, person, version, profile, now).await }))
        .await?;
    Ok(Json(shown(person, kept)))
}

fn standing(caller: &Caller, person: PersonId) -> Result<Standing> {
    let by = Standing { own: caller.person == person, keeps: caller.require(&[Role::Admin, Role::Supervisor]).is_ok() };
    if by.own || by.keeps { Ok(by) } else { Err(ErrorCode::Forbidden.into()) }
}

fn shown(person: PersonId, kept: Kept) -> ProfileView {
    let Kept { version, profile, own_bars } = kept;
    ProfileView { person, version, profile, own_bars }
}

impl Tx<'_> {
    async fn replace_profile(
        &mut self,
        caller: &Caller,
        person: PersonId,
        version: u64,
        profile: Profile,
        now: Timestamp,
    ) -> Result<Kept> {
        self.person(person).await?.filter(|p| p.org == caller.org).ok_or(ErrorCode::NotFound)?;
        let by = standing(caller, person)?;
        let before = self.profile(person).await?.ok_or(ErrorCode::NotFound)?;
        if before.version != version {
            if before.version == version.wrapping_add(1) && before.profile == profile {
                // The same request again.
                return Ok(before);
            }
            let detail = format!("It is at version {} by now: read it again, then change it.", before.version);
            return Err(Problem::with(ErrorCode::Conflict, detail).into());
        }
        let changed = permit(by, &before, &profile)?;
        let mut own_bars = before.own_bars;
        own_bars.retain(|bar| profile.bars.contains(bar));
        if by.own {
            own_bars.extend(profile.bars.iter().filter(|bar| !before.profile.bars.contains(bar)).cloned());
        }
        let after = Kept { version: version + 1, profile, own_bars };
        self.save_profile(person, after.clone()).await?;
        // Which fields, never what stands in them: the trail outlives what somebody once said about themself.
        self.audit(now, Some(caller.device), "person.profile", person, changed.join(" ")).await?;
        Ok(after)
    }

    /// Sets the languages alone, whatever the version: for `PATCH /v1/people/{person}`.
    ///
    /// # Errors
    /// `not_found` for somebody of another organisation.
    pub(crate) async fn set_languages(
        &mut self,
        caller: &Caller,
        person: PersonId,
        languages: Vec<Language>,
        now: Timestamp,
    ) -> Result<()> {
        self.person(person).await?.filter(|p| p.org == caller.org).ok_or(ErrorCode::NotFound)?;
        let before = self.profile(person).await?.ok_or(ErrorCode::NotFound)?;
        let profile = Profile { languages, ..before.profile };
        profile.validate()?;
        self.save_profile(person, Kept { version: before.version + 1, profile, own_bars: before.own_bars }).await?;
        self.audit(now, Some(caller.device), "person.profile", person, "languages").await
    }
}

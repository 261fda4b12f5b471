//! How a person is reached besides the app. Secrets go in and never come out again, and nothing is used before somebody
//! has shown that it reaches the person.

mod device;
mod store;
mod verify;

pub(super) use device::{
    __path_confirm_push, __path_delete_push, __path_put_push, confirm_push, delete_push, put_push,
};
pub use store::ContactRow;
pub(crate) use store::{read_rule, rules};
pub(super) use verify::{__path_confirm, __path_start, confirm, start};

use crate::{
    Error, Result,
    app::{App, Shared},
    caller::Caller,
    extract::{Json, Path},
};
use axum::{extract::State, http::StatusCode};
use firstlight_protocol::{
    ContactId, ErrorCode, PersonId, Problem, Role,
    api::Contacts,
    policy::{ContactMethod, ContactState, MAX_CONTACT_METHODS, NotificationRule},
};
use std::collections::BTreeSet;

/// A person's contact methods in the order in which they are tried, whether each is used, and when: for the person, and
/// their organisation's admins and supervisors.
#[utoipa::path(get, path = "/v1/people/{person}/contacts", tag = "identity",
    params(("person" = PersonId, Path, description = "The person")),
    responses((status = 200, body = Contacts), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn get(
    caller: Caller,
    State(app): State<Shared>,
    Path(person): Path<PersonId>,
) -> Result<Json<Contacts>> {
    app.may_keep_contacts(&caller, person).await?;
    let rows = app.store.contacts(person).await?;
    let rules = rules(&mut *app.store.read().acquire().await?, person).await?;
    let states = rows.iter().map(ContactRow::status).collect();
    let methods = rows.into_iter().map(|row| row.method.without_key()).collect();
    let hand_off = app.store.hand_off_contact(person).await?;
    Ok(Json(Contacts { methods, rules, hand_off, states }))
}

/// Replaces a person's contact methods and notification rules: for the same callers. A method that is sent without its
/// secret keeps the one it has. One that is new or leads somewhere else is not used until it is verified.
#[utoipa::path(put, path = "/v1/people/{person}/contacts", tag = "identity", request_body = Contacts,
    params(("person" = PersonId, Path, description = "The person")),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn put(
    caller: Caller,
    State(app): State<Shared>,
    Path(person): Path<PersonId>,
    Json(Contacts { methods, rules, hand_off, .. }): Json<Contacts>,
) -> Result<StatusCode> {
    app.may_keep_contacts(&caller, person).await?;
    let now = app.clock.now();
    app.identity.limits.change.check(caller.device, now)?;
    check(&methods, &rules, hand_off)?;
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let known = tx.contacts(person).await?;
                let rows: Vec<_> = methods.into_iter().map(|method| renew(method, &known)).collect::<Result<_>>()?;
                tx.replace_contacts(person, &rows, &rules, hand_off).await?;
                let ids: Vec<_> = rows.iter().map(|row| row.id().to_string()).collect();
                tx.audit(now, Some(caller.device), "person.contacts", person, ids.join(" ")).await
            })
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is stored of a method that was sent: with the secrets it had, and verified only if it leads where it led.
fn renew(mut method: ContactMethod, known: &[ContactRow]) -> Result<ContactRow> {
    let before = known.iter().find(|row| row.method.channel() == method.channel());
    match (&mut method, before.map(|row| &row.method)) {
        (
            ContactMethod::Webhook { key, next_key, .. },
            Some(ContactMethod::Webhook { key: old_key, next_key: old_next, .. }),
        ) => {
            if key.is_none() && next_key.is_none() {
                next_key.clone_from(old_next);
            }
            if key.is_none() {
                key.clone_from(old_key);
            }
        }
        (ContactMethod::Push { auth: secret, .. }, Some(ContactMethod::Push { auth: old, .. })) if secret.is_none() => {
            secret.clone_from(old);
        }
        // The token is sent along: to where it was given for, and nowhere else.
        (ContactMethod::Ntfy { token, url, .. }, Some(ContactMethod::Ntfy { token: old, url: before, .. }))
            if token.is_none() && url == before =>
        {
            token.clone_from(old);
        }
        _ => {}
    }
    match &method {
        ContactMethod::Webhook { key: None, .. } => return Err(refuse("key: a new webhook needs one.")),
        ContactMethod::Push { auth: None, .. } => return Err(refuse("auth: a new push subscription needs one.")),
        _ => {}
    }
    let new = ContactRow { method, state: ContactState::Unverified, verified_at: None };
    Ok(match before.filter(|row| row.place() == new.place()) {
        Some(row) => ContactRow { state: row.state, verified_at: row.verified_at, ..new },
        None => new,
    })
}

fn refuse(detail: impl Into<String>) -> Error {
    Problem::with(ErrorCode::InvalidValue, detail).into()
}

/// What doesn't depend on the store.
fn check(methods: &[ContactMethod], rules: &[NotificationRule], hand_off: Option<ContactId>) -> Result<()> {
    // The app itself is one of them.
    if methods.len() >= MAX_CONTACT_METHODS {
        return Err(refuse(format!("methods: at most {} besides the app.", MAX_CONTACT_METHODS - 1)));
    }
    let mut ids = BTreeSet::<ContactId>::new();
    for method in methods {
        method.validate()?;
        match method.channel().contact() {
            None => return Err(refuse("methods: the app is always the first and is not named.")),
            Some(id) if !ids.insert(id) => return Err(refuse("methods: the same id stands twice.")),
            Some(_) => {}
        }
    }
    let tells = |method: &ContactMethod| {
        method.channel().contact() == hand_off && !matches!(method, ContactMethod::Voice { .. })
    };
    if hand_off.is_some() && !methods.iter().any(tells) {
        return Err(refuse("hand_off: one of the contact methods, and no call."));
    }
    Ok(NotificationRule::validate_all(rules, &ids.into_iter().collect::<Vec<_>>())?)
}

impl App {
    async fn may_keep_contacts(&self, caller: &Caller, person: PersonId) -> Result<()> {
        let known = self.store.person(person).await?.filter(|p| p.org == caller.org).ok_or(ErrorCode::NotFound)?;
        if known.person == caller.person {
            return Ok(());
        }
        caller.require(&[Role::Admin, Role::Supervisor])
    }
}

//! How a person is reached besides the app. Keys go in and never come out again.

use crate::{
    Error, Result,
    app::{App, Shared},
    caller::Caller,
    extract::{Json, Path},
    store::{Store, Tx, id},
};
use axum::{extract::State, http::StatusCode};
use firstlight_protocol::{
    ContactId, ErrorCode, PersonId, Problem, Role, Secret,
    api::Contacts,
    policy::{ContactMethod, MAX_CONTACT_METHODS},
};
use sqlx::{Row, SqliteExecutor};
use std::collections::BTreeSet;

/// A webhook of a person's, with its key: for the paging channel alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Id.
    pub id: ContactId,
    /// Where requests go.
    pub url: String,
    /// What signs them.
    pub key: Secret,
}

/// A person's webhooks, in the order in which they are tried: for the person, and their organisation's admins and
/// supervisors.
#[utoipa::path(get, path = "/v1/people/{person}/contacts", tag = "identity",
    params(("person" = PersonId, Path, description = "The person")),
    responses((status = 200, body = Contacts), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn get(
    caller: Caller,
    State(app): State<Shared>,
    Path(person): Path<PersonId>,
) -> Result<Json<Contacts>> {
    app.may_keep_contacts(&caller, person).await?;
    let hooks = app.store.contacts(person).await?;
    let methods = hooks
        .into_iter()
        .map(|Webhook { id, url, .. }| ContactMethod::Webhook { id, url, key: None, next_key: None })
        .collect();
    Ok(Json(Contacts { methods, ..Contacts::default() }))
}

/// Replaces a person's webhooks: for the same callers. A webhook that is sent without its key keeps the one it has.
#[utoipa::path(put, path = "/v1/people/{person}/contacts", tag = "identity", request_body = Contacts,
    params(("person" = PersonId, Path, description = "The person")),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn put(
    caller: Caller,
    State(app): State<Shared>,
    Path(person): Path<PersonId>,
    Json(Contacts { methods, .. }): Json<Contacts>,
) -> Result<StatusCode> {
    app.may_keep_contacts(&caller, person).await?;
    let now = app.clock.now();
    app.identity.limits.change.check(caller.device, now)?;
    check(&methods)?;
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let known = tx.contacts(person).await?;
                sqlx::query("DELETE FROM contacts WHERE person = $1")
                    .bind(person.as_bytes())
                    .execute(&mut *tx.conn)
                    .await?;
                let mut ids = Vec::new();
                for (place, method) in (1i64..).zip(methods) {
                    let ContactMethod::Webhook { id, url, key, .. } = method else {
                        continue;
                    };
                    let kept = || known.iter().find(|hook| hook.id == id).map(|hook| hook.key.clone());
                    let key = key.or_else(kept).ok_or_else(|| refuse("key: a new webhook needs one."))?;
                    sqlx::query("INSERT INTO contacts (person, place, contact, url, key) VALUES ($1, $2, $3, $4, $5)")
                        .bind(person.as_bytes())
                        .bind(place)
                        .bind(id.as_bytes())
                        .bind(url)
                        .bind(key.reveal())
                        .execute(&mut *tx.conn)
                        .await?;
                    ids.push(id.to_string());
                }
                tx.audit(now, Some(caller.device), "person.contacts", person, ids.join(" ")).await
            })
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn refuse(detail: impl Into<String>) -> Error {
    Problem::with(ErrorCode::InvalidValue, detail).into()
}

/// What doesn't depend on the store.
fn check(methods: &[ContactMethod]) -> Result<()> {
    // The app itself is one of them.
    if methods.len() >= MAX_CONTACT_METHODS {
        return Err(refuse(format!("methods: at most {} besides the app.", MAX_CONTACT_METHODS - 1)));
    }
    let mut ids = BTreeSet::new();
    for method in methods {
        method.validate()?;
        match method {
            ContactMethod::InApp => return Err(refuse("methods: the app is always the first and is not named.")),
            ContactMethod::Webhook { id, .. } if !ids.insert(*id) => {
                return Err(refuse("methods: the same id stands twice."));
            }
            ContactMethod::Webhook { .. } => {}
            _ => return Err(refuse("methods: this kind can't be stored yet.")),
        }
    }
    Ok(())
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

async fn contacts<'e>(db: impl SqliteExecutor<'e>, person: PersonId) -> Result<Vec<Webhook>> {
    let rows = sqlx::query("SELECT contact, url, key FROM contacts WHERE person = $1 ORDER BY place")
        .bind(person.as_bytes())
        .fetch_all(db)
        .await?;
    let read = |row: sqlx::sqlite::SqliteRow| {
        Ok(Webhook { id: id(row.get("contact"))?, url: row.get("url"), key: Secret::new(row.get::<String, _>("key")) })
    };
    rows.into_iter().map(read).collect()
}

impl Store {
    /// A person's webhooks with their keys, in the order in which they are tried.
    pub async fn contacts(&self, person: PersonId) -> Result<Vec<Webhook>> {
        contacts(self.read(), person).await
    }

    /// The address and the key of one webhook; `None` if the person has it no longer.
    pub async fn webhook(&self, person: PersonId, contact: ContactId) -> Result<Option<(String, Secret)>> {
        let hooks = contacts(self.read_for_dispatch(), person).await?;
        Ok(hooks.into_iter().find(|hook| hook.id == contact).map(|hook| (hook.url, hook.key)))
    }
}

impl Tx<'_> {
    /// A person's webhooks with their keys, in the order in which they are tried.
    pub async fn contacts(&mut self, person: PersonId) -> Result<Vec<Webhook>> {
        contacts(&mut *self.conn, person).await
    }
}

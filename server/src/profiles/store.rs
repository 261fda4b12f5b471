//! Where profiles are kept.

use crate::store::sql::{self, Executor};
use crate::{
    Error, Result,
    store::{Store, Tx},
};
use firstlight_protocol::{
    PersonId,
    callout::{Code, Preference},
    profile::{Bar, Profile},
    wire::{from_cbor, to_cbor},
};
use serde::{Deserialize, Serialize};

/// A profile with what is remembered beside it. Version 0: nothing was ever set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Kept {
    pub(super) version: u64,
    pub(super) profile: Profile,
    /// The bars that the person has set themself.
    pub(super) own_bars: Vec<Bar>,
}

/// The column `body`: all but the languages.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Body {
    presents: Preference,
    training: Vec<Code>,
    zones: Vec<Code>,
    bars: Vec<Bar>,
    own_bars: Vec<Bar>,
}

/// Puts a profile together from the columns `people.languages` and `profiles.body`.
///
/// # Errors
/// A defect where the body can't be read: whoever might be barred must not be taken for somebody who is not.
pub(crate) fn read_profile(languages: &str, body: Option<&[u8]>) -> Result<Profile> {
    read(languages, body, 0).map(|kept| kept.profile)
}

fn read(languages: &str, body: Option<&[u8]>, version: u64) -> Result<Kept> {
    let decode = |body: &[u8]| from_cbor(body).map_err(|e| Error::internal(format!("stored profile: {e}")));
    let Body { presents, training, zones, bars, own_bars } = body.map(decode).transpose()?.unwrap_or_default();
    let languages = languages.split_whitespace().filter_map(|code| code.parse().ok()).collect();
    Ok(Kept { version, profile: Profile { languages, presents, training, zones, bars }, own_bars })
}

async fn find<'e>(db: impl Executor<'e>, person: PersonId) -> Result<Option<Kept>> {
    let row = sql::query(
        "SELECT p.languages, f.body, coalesce(f.version, 0) AS version
         FROM people p LEFT JOIN profiles f ON f.person = p.person WHERE p.person = $1",
    )
    .bind(person.as_bytes())
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let (languages, body): (String, Option<Vec<u8>>) = (row.get("languages"), row.get("body"));
    read(&languages, body.as_deref(), row.get::<i64>("version").cast_unsigned()).map(Some)
}

impl Store {
    /// Somebody's profile; `None` for nobody.
    pub(super) async fn profile(&self, person: PersonId) -> Result<Option<Kept>> {
        find(self.read(), person).await
    }
}

impl Tx<'_> {
    /// Somebody's profile; `None` for nobody.
    pub(super) async fn profile(&mut self, person: PersonId) -> Result<Option<Kept>> {
        find(&mut *self.conn, person).await
    }

    /// Writes a profile down.
    pub(super) async fn save_profile(&mut self, person: PersonId, kept: Kept) -> Result<()> {
        let Kept { version, profile, own_bars } = kept;
        let languages: Vec<&str> = profile.languages.iter().map(|language| language.as_str()).collect();
        sql::query("UPDATE people SET languages = $2 WHERE person = $1")
            .bind(person.as_bytes())
            .bind(languages.join(" "))
            .execute(&mut *self.conn)
            .await?;
        let Profile { presents, training, zones, bars, .. } = profile;
        sql::query(
            "INSERT INTO profiles (person, version, body) VALUES ($1, $2, $3)
             ON CONFLICT (person) DO UPDATE SET version = excluded.version, body = excluded.body",
        )
        .bind(person.as_bytes())
        .bind(version.cast_signed())
        .bind(to_cbor(&Body { presents, training, zones, bars, own_bars }))
        .execute(&mut *self.conn)
        .await?;
        Ok(())
    }
}

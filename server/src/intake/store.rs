//! Agencies' lines in the database.

use crate::store::sql::{self, Executor, Row};
use crate::{
    Error, Result,
    store::{Store, Tx, id, word},
};
use firstlight_protocol::{LineId, Timestamp, line::Line};

fn read(row: &Row) -> Result<Line> {
    let (site, languages): (Option<String>, String) = (row.get("site"), row.get("languages"));
    let quota = u16::try_from(row.get::<i64>("quota")).map_err(|_| Error::internal("stored quota"))?;
    Ok(Line {
        id: id(row.get("line"))?,
        agency: id(row.get("agency"))?,
        zone: word(row.get("zone"))?,
        site: site.as_deref().map(word).transpose()?,
        languages: languages.split_whitespace().filter_map(|code| code.parse().ok()).collect(),
        active: row.get("active"),
        quota,
    })
}

async fn find<'e>(db: impl Executor<'e>, line: LineId) -> Result<Option<Line>> {
    let row = sql::query("SELECT * FROM lines WHERE line = $1 AND removed_at IS NULL")
        .bind(line.as_bytes())
        .fetch_optional(db)
        .await?;
    row.as_ref().map(read).transpose()
}

impl Store {
    /// Every line, those added first at the front.
    pub(crate) async fn lines(&self) -> Result<Vec<Line>> {
        let rows = sql::query("SELECT * FROM lines WHERE removed_at IS NULL ORDER BY added_at, line")
            .fetch_all(self.read())
            .await?;
        rows.iter().map(read).collect()
    }

    /// One line; `None` if it was removed.
    pub(crate) async fn line(&self, line: LineId) -> Result<Option<Line>> {
        find(self.read(), line).await
    }

    /// The line that opens callouts with this code, by the code's digest.
    pub(crate) async fn line_of_code(&self, code: [u8; 32]) -> Result<Option<Line>> {
        let row = sql::query("SELECT * FROM lines WHERE code = $1 AND removed_at IS NULL AND active = 1")
            .bind(code.as_slice())
            .fetch_optional(self.read())
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// The salt of the codes' digests.
    pub(crate) async fn line_salt(&self) -> Result<[u8; 16]> {
        let salt: Vec<u8> =
            sql::query_scalar("SELECT salt FROM line_salt WHERE one = 1").fetch_one(self.read()).await?;
        salt.try_into().map_err(|_| Error::internal("stored salt"))
    }

    /// Whether somebody has opened a callout from this number before.
    pub(crate) async fn has_called(&self, caller: [u8; 32]) -> Result<bool> {
        let found: Option<i64> = sql::query_scalar("SELECT 1 FROM line_callouts WHERE caller = $1 LIMIT 1")
            .bind(caller.as_slice())
            .fetch_optional(self.read())
            .await?;
        Ok(found.is_some())
    }
}

impl Tx<'_> {
    /// One line; `None` if it was removed.
    pub(super) async fn line(&mut self, line: LineId) -> Result<Option<Line>> {
        find(&mut *self.conn, line).await
    }

    /// Writes a line down; a new one with the digest of its code.
    pub(super) async fn save_line(&mut self, line: &Line, code: Option<[u8; 32]>, now: Timestamp) -> Result<()> {
        let languages: Vec<_> = line.languages.iter().map(|l| l.as_str()).collect();
        let settings = match code {
            Some(_) => sql::query(
                "INSERT INTO lines (zone, site, languages, active, quota, line, agency, code, added_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            ),
            None => sql::query(
                "UPDATE lines SET zone = $1, site = $2, languages = $3, active = $4, quota = $5 WHERE line = $6",
            ),
        };
        let mut query = settings
            .bind(line.zone.as_str())
            .bind(line.site.as_ref().map(|site| site.as_str()))
            .bind(languages.join(" "))
            .bind(line.active)
            .bind(i64::from(line.quota))
            .bind(line.id.0.to_vec());
        if let Some(code) = code {
            query = query.bind(line.agency.0.to_vec()).bind(code.to_vec()).bind(now.0);
        }
        query.execute(&mut *self.conn).await?;
        Ok(())
    }

    /// Whether a code is taken; also by a line that was removed, so that no old note ever opens another agency's callout.
    pub(super) async fn has_code(&mut self, code: [u8; 32]) -> Result<bool> {
        let found: Option<i64> = sql::query_scalar("SELECT 1 FROM lines WHERE code = $1")
            .bind(code.as_slice())
            .fetch_optional(&mut *self.conn)
            .await?;
        Ok(found.is_some())
    }
}

//! What a database says after it was restored from a copy: places that were given out after the copy was made are never
//! given out again, since devices may be past them, and would take what is new there for something that they have.

use super::Store;
use crate::Result;
use crate::store::sql::{self, Conn, Database};
use firstlight_protocol::Timestamp;

/// More items than any inbox gets between two backups; small enough for two million restores within 2^53.
const SKIP: i64 = 1 << 32;

/// Makes every inbox go on far above its newest place; those of devices that have none yet as well.
///
/// # Errors
/// If the database can't be written.
pub(super) async fn skip_places(conn: &mut Conn) -> Result<()> {
    // A running server of an earlier version has not migrated its database yet; restoring the copy will.
    let known: i64 = match conn.database() {
        Database::Postgres => 1,
        Database::Sqlite => {
            let columns = sql::query_scalar("SELECT count(*) FROM pragma_table_info('inboxes') WHERE name = 'skip'");
            columns.fetch_one(&mut *conn).await?
        }
    };
    if known == 0 {
        return Ok(());
    }
    sql::query(
        "INSERT INTO inboxes (device, head, skip) SELECT device, 0, $1 FROM devices WHERE true
         ON CONFLICT (device) DO UPDATE SET skip = excluded.skip",
    )
    .bind(SKIP)
    .execute(conn)
    .await?;
    Ok(())
}

impl Store {
    /// Notes that a backup was made which holds everything up to `at`.
    ///
    /// # Errors
    /// If the database can't be written.
    pub async fn note_backup(&self, at: Timestamp) -> Result<()> {
        self.write(move |tx| {
            Box::pin(async move {
                sql::query(
                    "INSERT INTO newest_backup (one, at) VALUES (1, $1) ON CONFLICT (one) DO UPDATE SET at = excluded.at",
                )
                .bind(at.0)
                .execute(&mut *tx.conn)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// This database was put into an empty data directory, so it may be a copy that is older than what devices know.
    ///
    /// # Errors
    /// If the database can't be written.
    pub async fn was_restored(&self) -> Result<()> {
        self.write(|tx| Box::pin(async move { skip_places(tx.conn).await })).await
    }
}

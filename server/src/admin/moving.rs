//! `move-to-postgres`: everything that is in the SQLite file, into the PostgreSQL that the configuration names; and
//! `restored`, what is to be said of a database that came out of a backup.

use super::{Outcome, Output};
use crate::{
    Error, Result,
    bus::Bus,
    config::Config,
    store::{AuditVerdict, Store},
};
use serde::Serialize;
use std::{collections::BTreeMap, io::Write};

#[derive(Debug, Serialize)]
struct Moved<'a> {
    tables: &'a BTreeMap<String, u64>,
    rows: u64,
    audit_entries: i64,
    audit_head: &'a str,
}

fn url(config: &Config) -> Result<firstlight_protocol::Secret> {
    config.database.url()?.ok_or_else(|| {
        Error::internal("the configuration names no PostgreSQL: set database.kind = \"postgres\" and database.url_file")
    })
}

/// Copies the database of `data_dir` into the empty PostgreSQL database of the configuration, and checks the copy by its
/// rows and by the audit trail. The server must not run; the file stays as it is.
///
/// # Errors
/// If a server runs, the database is not empty, or anything differs; then nothing is kept of it.
pub async fn move_to_postgres(config: &Config, out: &mut Output<impl Write>) -> Result<Outcome> {
    let url = url(config)?;
    let _alone = crate::serve::lock(&config.data_dir)?;
    let from = Store::open_read_only(&config.data_dir).await?;
    let before = from.audit_verify().await?;
    if let Some(seq) = before.broken_at {
        return Err(Error::internal(format!("the audit trail is broken at entry {seq}; see `audit verify`.")));
    }
    let tables = from.move_to(&url).await?;
    from.close().await;
    let to = Store::open_shared_read_only(&url).await?;
    let after: AuditVerdict = to.audit_verify().await?;
    to.close().await;
    if after != before {
        return Err(Error::internal(
            "the audit trail is not the same after the move: drop the new database, and tell us",
        ));
    }
    let rows = tables.values().sum();
    let answer = Moved { tables: &tables, rows, audit_entries: after.entries, audit_head: &after.head };
    out.say(&answer, || {
        format!(
            "Moved {rows} rows of {} tables, and compared each of them; the audit trail is whole ({} entries, head {}). \
             Copy access-token.key and the other .key files of {} into node.keys_dir of every node, then start them. The \
             old file is as it was: keep it until you are sure.",
            tables.len(),
            after.entries,
            after.head,
            config.data_dir.display()
        )
    })?;
    Ok(Outcome::Good)
}

/// Notes that the shared database was restored from a backup, or that the nodes' keys are lost: what devices know may be
/// newer, so places in inboxes leap; and the next node to start brings the keys. No node may run.
///
/// # Errors
/// If the database can't be written.
pub async fn restored(config: &Config, out: &mut Output<impl Write>) -> Result<Outcome> {
    let store = Store::open_shared(&url(config)?, Bus::default()).await?;
    let result = store.forget_keys().await;
    store.close().await;
    result?;
    out.say(&serde_json::json!({ "restored": true }), || {
        "Noted. Start the nodes now, all with the same keys; devices that sign in again go on from here.".into()
    })?;
    Ok(Outcome::Good)
}

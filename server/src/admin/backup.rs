//! `backup`: a consistent copy of the database while the server runs, checked before it gets its name.
//!
//! The copy holds all there is to restore: rooms' logs (ciphertext), identities, rotas, callouts, the audit trail. The
//! files `access-token.key` and `bootstrap-token` of the data directory are not in it: whoever has the backup must not be
//! able to sign in with it. Without the key a restored server makes a new one, and devices sign in again by themselves.

use super::{Outcome, Output};
use crate::{
    Error, Result,
    config::{Config, DatabaseKind},
    store::Store,
};
use firstlight_protocol::Timestamp;
use serde::Serialize;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

#[derive(Debug, Serialize)]
struct Copied<'a> {
    file: &'a Path,
    bytes: u64,
    audit_entries: i64,
    audit_head: &'a str,
}

/// Copies the database of `data_dir` to `target`: a new file, or a new file in an existing directory.
///
/// # Errors
/// If the target exists, can't be written, or the copy does not pass its checks; then nothing is left behind.
pub async fn backup(config: &Config, target: &Path, now: Timestamp, out: &mut Output<impl Write>) -> Result<Outcome> {
    if config.database.kind == DatabaseKind::Postgres {
        return Err(Error::internal(
            "the database is PostgreSQL: back it up with its own tools, as deploy/backup does (base backup and archived log)",
        ));
    }
    let data_dir = &config.data_dir;
    let file = if target.is_dir() { target.join(format!("firstlight-{}.db", stamp(now))) } else { target.to_owned() };
    if file.exists() {
        return Err(Error::internal(format!("{} exists already; a backup overwrites nothing.", file.display())));
    }
    let part = file.with_added_extension("part");
    let result = copy(data_dir, &part, &file).await;
    if result.is_err() {
        let _ = fs::remove_file(&part);
    }
    let (bytes, audit) = result?;
    if let Err(error) = note(config, now).await {
        tracing::warn!(%error, "the copy is good, but the server can't be told of it: its metric of the backup's age is wrong");
    }
    let answer = Copied { file: &file, bytes, audit_entries: audit.entries, audit_head: &audit.head };
    out.say(&answer, || {
        format!(
            "Copied to {} ({bytes} bytes), and checked: the database is whole, and so is its audit trail ({} entries, \
             head {}). To restore, stop the server, and put this file in an empty data directory as firstlight.db.",
            file.display(),
            audit.entries,
            audit.head
        )
    })?;
    Ok(Outcome::Good)
}

/// For the metric of the newest backup's age.
async fn note(config: &Config, now: Timestamp) -> Result<()> {
    let store = Store::open_beside(config).await?;
    let noted = store.note_backup(now).await;
    store.close().await;
    noted
}

async fn copy(data_dir: &Path, part: &Path, file: &Path) -> Result<(u64, crate::store::AuditVerdict)> {
    let failed = |e: io::Error| Error::internal(format!("{} can't be written: {e}", part.display()));
    // The file is made here, empty and for its owner alone, so that at no moment others can read it.
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(part).map_err(failed)?;
    let store = Store::open_read_only(data_dir).await?;
    let copied = store.copy_to(part).await;
    store.close().await;
    copied?;
    let copy = Store::open_copy(part).await?;
    let checked = async {
        copy.check_integrity().await?;
        copy.audit_verify().await
    };
    let verdict = checked.await;
    copy.close().await;
    let verdict = verdict?;
    if let Some(seq) = verdict.broken_at {
        return Err(Error::internal(format!(
            "the audit trail is broken at entry {seq}, so the copy was not kept; see `audit verify`."
        )));
    }
    let bytes = File::open(part).and_then(|f| f.sync_all().and_then(|()| f.metadata())).map_err(failed)?.len();
    fs::rename(part, file).map_err(failed)?;
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).map_or_else(|| PathBuf::from("."), PathBuf::from);
    File::open(folder).and_then(|f| f.sync_all()).map_err(failed)?;
    Ok((bytes, verdict))
}

/// The time in a form that sorts and that every file system takes.
fn stamp(now: Timestamp) -> String {
    now.to_string().chars().filter(|c| c.is_ascii_alphanumeric()).take(15).collect()
}

//! `audit verify` and `audit show`.

use super::{Outcome, Output, look};
use crate::{Result, config::Config};
use serde::Serialize;
use std::io::Write;

/// Entries read at a time.
const PAGE: i64 = 500;

/// The answer of `audit verify`.
#[derive(Debug, Serialize)]
struct Verdict<'a> {
    ok: bool,
    entries: i64,
    head: &'a str,
    broken_at: Option<i64>,
    /// Whether the hash that was expected is the hash of some entry; absent where none was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_found: Option<bool>,
}

/// Checks the whole trail. With `expect`, a hash noted down at an earlier time, it also shows whether the trail was cut
/// short or replaced since.
///
/// # Errors
/// If the database can't be read.
pub async fn verify(config: &Config, expect: Option<&str>, out: &mut Output<impl Write>) -> Result<Outcome> {
    let store = look(config).await?;
    let verdict = store.audit_verify().await?;
    let expected_found = match expect {
        Some(hash) => Some(store.audit_has(hash).await?),
        None => None,
    };
    store.close().await;
    let ok = verdict.broken_at.is_none() && expected_found != Some(false);
    let answer =
        Verdict { ok, entries: verdict.entries, head: &verdict.head, broken_at: verdict.broken_at, expected_found };
    out.say(&answer, || match (verdict.broken_at, expected_found) {
        (Some(seq), _) => format!("The audit trail is broken at entry {seq}: it was changed, removed or inserted."),
        (None, Some(false)) => {
            "The expected hash is not in the audit trail: it was cut short or replaced since you noted it down.".into()
        }
        (None, _) => format!(
            "The audit trail is whole: {} entries, head {}. Note the head down elsewhere; later, --expect-head shows \
             whether anything up to here is missing.",
            verdict.entries, verdict.head
        ),
    })?;
    Ok(if ok { Outcome::Good } else { Outcome::Broken })
}

/// Prints entries after `after`, at most `limit`.
///
/// # Errors
/// If the database can't be read.
pub async fn show(config: &Config, mut after: i64, limit: i64, out: &mut Output<impl Write>) -> Result<Outcome> {
    let store = look(config).await?;
    let mut left = limit.max(0);
    while left > 0 {
        let entries = store.audit_entries(after, left.min(PAGE)).await?;
        let Some(last) = entries.last() else { break };
        after = last.seq;
        left -= i64::try_from(entries.len()).unwrap_or(i64::MAX);
        for e in &entries {
            out.say(e, || {
                let actor = e.actor.map_or_else(|| "server".into(), |d| d.to_string());
                format!("{} {} {} {} {} {}", e.seq, e.at, actor, e.action, e.subject, e.detail).trim_end().to_owned()
            })?;
        }
    }
    store.close().await;
    Ok(Outcome::Good)
}

//! `hold`: what a court or a counsel has asked to be kept, beside the running server.

use super::{Outcome, Output, look};
use crate::{
    Error, Result,
    config::Config,
    retention::{Hold, Subject},
    store::Store,
};
use firstlight_protocol::{Timestamp, callout::Code};
use serde::Serialize;
use std::io::Write;

#[derive(Debug, Serialize)]
struct Changed<'a> {
    #[serde(flatten)]
    subject: Subject,
    reason: &'a Code,
    /// False: it was so already.
    changed: bool,
}

/// Places a hold, at once and in the audit trail.
///
/// # Errors
/// If there is no such callout or room, or the database can't be written.
pub async fn add_hold(
    config: &Config,
    subject: Subject,
    reason: Code,
    now: Timestamp,
    out: &mut Output<impl Write>,
) -> Result<Outcome> {
    let store = Store::open_beside(config).await?;
    let word = reason.clone();
    let placed = store.write(move |tx| Box::pin(async move { tx.place_hold(subject, &word, now).await })).await;
    store.close().await;
    let changed = placed?;
    out.say(&Changed { subject, reason: &reason, changed }, || match changed {
        true => format!("{subject} is held ({reason}): nothing of it is purged until the hold is released."),
        false => format!("{subject} is held for this reason ({reason}) already."),
    })?;
    Ok(Outcome::Good)
}

/// Releases a hold; what is held for no other reason goes when its time is over, which may be within the hour.
///
/// # Errors
/// If there is no such hold, or the database can't be written.
pub async fn release_hold(
    config: &Config,
    subject: Subject,
    reason: Code,
    now: Timestamp,
    out: &mut Output<impl Write>,
) -> Result<Outcome> {
    let store = Store::open_beside(config).await?;
    let word = reason.clone();
    let released = store.write(move |tx| Box::pin(async move { tx.release_hold(subject, &word, now).await })).await;
    store.close().await;
    if !released? {
        return Err(Error::internal(format!("{subject} is not held for this reason ({reason}); see `hold list`.")));
    }
    out.say(&Changed { subject, reason: &reason, changed: true }, || {
        format!(
            "Released: {subject} ({reason}). What is too old of it goes within the hour, unless it is held otherwise."
        )
    })?;
    Ok(Outcome::Good)
}

/// Prints the holds that stand, oldest first.
///
/// # Errors
/// If the database can't be read.
pub async fn list_holds(config: &Config, out: &mut Output<impl Write>) -> Result<Outcome> {
    let store = look(config).await?;
    let holds = store.holds().await;
    store.close().await;
    for hold in holds? {
        let Hold { subject, reason, placed_at } = &hold;
        out.say(&hold, || format!("{subject} {reason} since {placed_at}"))?;
    }
    Ok(Outcome::Good)
}

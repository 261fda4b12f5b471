//! Deletes what has to go: attachments whose messages the log no longer has, those that were begun and never announced,
//! and whatever lies in the place that no row names.
//!
//! A row is marked before its chunks are deleted, and goes after them, so a crash in between is found by the next round.
//! A chunk that was written when its row went at the same moment is found by comparing the place with the rows, once a day.

use super::{pause, place::path};
use crate::{App, Result, Shared};
use firstlight_protocol::{AttachmentId, attachment::Shape};
use futures_util::TryStreamExt;
use std::time::Duration;

/// How often what has to go goes.
const EVERY: Duration = Duration::from_secs(3_600);
/// How many such rounds lie between two comparisons.
const COMPARE_EVERY: u32 = 24;
/// What was begun and not announced is kept this long after its last chunk came, and so is a chunk that no row names.
const ABANDONED: Duration = Duration::from_secs(86_400);
/// Attachments of one round.
const BATCH: i64 = 100;
/// Chunks that are deleted together.
const CHUNKS: usize = 500;

/// Collects every hour, until it is dropped.
pub async fn run(app: Shared) {
    for round in 0.. {
        match collect(&app).await {
            Ok(0) => {}
            Ok(gone) => tracing::info!(gone, "attachments: deleted what no message announces any more"),
            Err(error) => tracing::warn!(%error, "attachments: deleting failed, it will be tried again"),
        }
        if round % COMPARE_EVERY == 0 {
            match compare(&app).await {
                Ok(0) => {}
                Ok(chunks) => tracing::info!(chunks, "attachments: deleted chunks that nothing names"),
                Err(error) => tracing::warn!(%error, "attachments: comparing failed, it will be tried again"),
            }
        }
        pause(&app.clock, EVERY).await;
    }
}

/// Deletes attachments that have to go; answers with how many.
///
/// # Errors
/// `unavailable` where the place does not answer: what was marked is deleted later.
pub async fn collect(app: &App) -> Result<u64> {
    let before = app.clock.now() - ABANDONED;
    let mut gone = 0;
    loop {
        let batch = app.store.attachments_to_go(before, BATCH).await?;
        let full = i64::try_from(batch.len()).is_ok_and(|n| n == BATCH);
        for (attachment, shape) in batch {
            let marked =
                app.store.write(move |tx| Box::pin(async move { tx.let_go(attachment, before).await })).await?;
            if marked {
                delete(app, attachment, shape).await?;
                gone += 1;
            }
        }
        if !full {
            return Ok(gone);
        }
    }
}

async fn delete(app: &App, attachment: AttachmentId, shape: Shape) -> Result<()> {
    app.blobs.chunks.delete((0..shape.chunks()).map(|n| path(attachment, n)).collect()).await?;
    app.store.write(move |tx| Box::pin(async move { tx.forget_attachment(attachment).await })).await
}

/// Deletes chunks that no row names, and what crashes left half-written; answers with how many.
///
/// # Errors
/// As [`collect`].
pub async fn compare(app: &App) -> Result<u64> {
    let before = app.clock.now() - ABANDONED;
    let mut found = app.blobs.chunks.all();
    // A place lists an attachment's chunks one after the other.
    let (mut last, mut orphans, mut gone) = (None, Vec::new(), 0);
    while let Some(chunk) = found.try_next().await? {
        if chunk.since > before {
            continue;
        }
        let named = match last {
            Some((attachment, named)) if attachment == chunk.attachment => named,
            _ => app.store.has_attachment(chunk.attachment).await?,
        };
        last = Some((chunk.attachment, named));
        if !named {
            orphans.push(chunk.into_path());
            gone += 1;
        }
        if orphans.len() >= CHUNKS {
            app.blobs.chunks.delete(std::mem::take(&mut orphans)).await?;
        }
    }
    app.blobs.chunks.delete(orphans).await?;
    Ok(gone + app.blobs.chunks.sweep(ABANDONED).await?)
}

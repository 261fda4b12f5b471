//! Sends what the outbox holds: woken by the commit that wrote a page, never by a tick.
//!
//! One task claims, and each claimed page is sent by a task of its own. A receiver that is slow holds up only the pages
//! for the same receiver; nobody else waits for it, and nothing is buffered here. What became of pages is written down
//! together for each callout, in one step of the engine.

use super::{
    outbox::{Claimed, Next, has_another_try},
    step::Cause,
};
use crate::{
    Result, Shared,
    app::random,
    paging::{Outcome, PageKind, backoff},
};
use firstlight_dispatch::{Input, PageOutcome, PageReceipt};
use firstlight_protocol::{
    CalloutId, Timestamp,
    callout::{FailReason, Receipt},
};
use std::{collections::HashMap, time::Duration};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

/// How long a claim holds beyond the receiver's own deadline.
const LEASE_MARGIN: Duration = Duration::from_secs(10);
/// How long to wait after the database failed.
const PAUSE: Duration = Duration::from_secs(1);

/// What a task has done: sent a page, or written outcomes down.
type Done = Option<(Claimed, Outcome)>;

/// Sends until `stop`; what is being sent then is waited for.
pub(super) async fn run(app: Shared, stop: CancellationToken) {
    let mut tasks = JoinSet::new();
    while !stop.is_cancelled() {
        let wake_at = match claim(&app, &mut tasks).await {
            Ok(next) => next,
            Err(error) => {
                tracing::error!(%error, "the outbox could not be read");
                Some(app.clock.now() + PAUSE)
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = app.bus.page_written() => {}
            Some(done) = tasks.join_next() => finish(&app, done, &mut tasks),
            () = super::sleep_until(&app.clock, wake_at) => {}
        }
    }
    while let Some(done) = tasks.join_next().await {
        finish(&app, done, &mut tasks);
    }
}

/// Claims what is due and starts to send it; answers when to look again.
async fn claim(app: &Shared, tasks: &mut JoinSet<Done>) -> Result<Option<Timestamp>> {
    let now = app.clock.now();
    let (claimed, given_up) = app.store.claim_pages(now, app.runner.webhook_timeout + LEASE_MARGIN).await?;
    for page in claimed {
        let app = Shared::clone(app);
        tasks.spawn(async move {
            let outcome = send(&app, &page).await;
            Some((page, outcome))
        });
    }
    if !given_up.is_empty() {
        tracing::warn!(pages = given_up.len(), "given up: too many pages wait for one receiver");
        let outcome = Outcome::GivenUp;
        write_down(app, given_up.into_iter().map(|page| (page, outcome)).collect(), tasks);
    }
    app.store.next_page_due(now).await
}

async fn send(app: &Shared, page: &Claimed) -> Outcome {
    match app.store.webhook(page.person, page.contact).await {
        Ok(Some((url, key))) => app.runner.webhooks.send(&url, &key, &page.outgoing, app.clock.now()).await,
        Ok(None) => Outcome::NotConfigured,
        Err(error) => {
            tracing::error!(%error, "a contact method could not be read");
            Outcome::Failed { reason: FailReason::Unreachable, uncertain: false }
        }
    }
}

/// Gathers every page that is sent by now.
fn finish(app: &Shared, first: Result<Done, JoinError>, tasks: &mut JoinSet<Done>) {
    let mut sent = Vec::new();
    let mut next = Some(first);
    while let Some(done) = next {
        match done {
            Ok(done) => sent.extend(done),
            // Its lease runs out, and it is sent again with the label that it may have arrived.
            Err(error) => tracing::error!(%error, "a page's task failed"),
        }
        next = tasks.try_join_next();
    }
    write_down(app, sent, tasks);
}

fn write_down(app: &Shared, sent: Vec<(Claimed, Outcome)>, tasks: &mut JoinSet<Done>) {
    let mut by_callout: HashMap<CalloutId, Vec<(Claimed, Outcome)>> = HashMap::new();
    for (page, outcome) in sent {
        by_callout.entry(page.callout).or_default().push((page, outcome));
    }
    for (callout, pages) in by_callout {
        let app = Shared::clone(app);
        tasks.spawn(async move {
            if let Err(error) = settle(&app, callout, pages).await {
                tracing::error!(%callout, %error, "what became of pages could not be written down; they are sent again");
            }
            None
        });
    }
}

/// Writes down what became of one callout's pages, and tells the engine, in one transaction.
async fn settle(app: &Shared, callout: CalloutId, pages: Vec<(Claimed, Outcome)>) -> Result<()> {
    let now = app.clock.now();
    let mut receipts = Vec::new();
    let mut rows = Vec::with_capacity(pages.len());
    for (page, outcome) in pages {
        rows.push((page, next(&page, outcome, now)));
        if page.outgoing.kind == PageKind::Page {
            receipts.push(PageReceipt { page: page.outgoing.page, outcome: told(outcome) });
        }
    }
    app.store
        .write(move |tx| {
            Box::pin(async move {
                for (page, next) in &rows {
                    tx.settle_page(page, *next).await?;
                }
                if receipts.is_empty() {
                    tx.after.dispatch();
                    return Ok(());
                }
                tx.step_callout(callout, Input::Receipts(receipts), Cause { device: None, now }).await
            })
        })
        .await
}

fn next(page: &Claimed, outcome: Outcome, now: Timestamp) -> Next {
    match outcome {
        Outcome::Failed { uncertain, .. } if has_another_try(page.tries) => {
            let random = random().map(u32::from_be_bytes).unwrap_or_default();
            Next::Again { at: now + backoff(page.tries, random), uncertain }
        }
        _ => Next::Settled,
    }
}

/// The first failure is told at once, so that the next channel is used; that this one is tried again costs nothing.
fn told(outcome: Outcome) -> PageOutcome {
    match outcome {
        Outcome::Taken => PageOutcome::Reached(Receipt::HandedOver),
        Outcome::NotConfigured => PageOutcome::Failed(FailReason::NotConfigured),
        Outcome::GivenUp => PageOutcome::Failed(FailReason::Timeout),
        Outcome::Failed { reason, .. } => PageOutcome::Failed(reason),
    }
}

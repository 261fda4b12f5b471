//! Sends what the outbox holds: woken by the commit that wrote a page, never by a tick.
//!
//! One task claims, and each claimed page is sent by a task of its own. A provider or receiver that is slow holds up only
//! the pages for the same one; nobody else waits for it, and nothing is buffered here. What became of pages is written
//! down together for each callout, in one step of the engine.

use super::{
    elsewhere::settled_elsewhere,
    outbox::{Claimed, Destination, Next, Ordered, Places, has_another_try},
    step::Cause,
};
use crate::{
    Result, Shared,
    app::random,
    callouts::documents::read_document,
    identity::ContactRow,
    paging::{Again, Message, Outcome, Sent, Try, VOICE_LANE, Values, backoff, text},
    store::Tx,
};
use firstlight_dispatch::{Input, PageOutcome, PageReceipt};
use firstlight_protocol::{
    CalloutId, PersonId, Timestamp,
    api::MessageKind,
    callout::{FailReason, Receipt},
    policy::{ContactMethod, ContactState, Policy},
};
use std::{collections::HashMap, time::Duration};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span, field};

/// How long a claim holds beyond the longest try.
const LEASE_MARGIN: Duration = Duration::from_secs(10);
/// How long to wait after the database failed.
const PAUSE: Duration = Duration::from_secs(1);

/// What a task has done: sent a page, or written outcomes down.
type Done = Option<(Claimed, Sent)>;

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

/// How many pages each provider gets at the same time.
pub(super) fn places(app: &Shared) -> Places {
    let channels = app.runner.channels();
    let each = i64::try_from(channels.places()).unwrap_or(i64::MAX);
    let accounts = i64::try_from(channels.telephony().accounts().max(1)).unwrap_or(1);
    Places { telephony: each.saturating_mul(accounts), others: each }
}

/// Claims what is due and starts to send it; answers when to look again.
async fn claim(app: &Shared, tasks: &mut JoinSet<Done>) -> Result<Option<Timestamp>> {
    let now = app.clock.now();
    let lease = app.runner.channels().longest() + LEASE_MARGIN;
    let claim = app.store.claim_pages(now, lease, places(app)).await?;
    for page in claim.claimed {
        let app = Shared::clone(app);
        let callout = page.ordered.callout.map(field::display);
        let span = tracing::debug_span!("page", callout, try_ = page.tries);
        let work = async move {
            let sent = send(&app, &page).await;
            Some((page, sent))
        };
        tasks.spawn(work.instrument(span));
    }
    if !claim.given_up.is_empty() {
        tracing::warn!(pages = claim.given_up.len(), "given up: tried too often, or too many wait for one receiver");
        let sent = |page| (page, Sent::new("", Outcome::GivenUp));
        write_down(app, claim.given_up.into_iter().map(sent).collect(), tasks);
    }
    app.store.next_page_due(now).await
}

async fn send(app: &Shared, page: &Claimed) -> Sent {
    match try_to_send(app, page).await {
        Ok(sent) => sent,
        Err(error) => {
            tracing::error!(%error, "what a page needs could not be read");
            Sent::failed("", FailReason::Unreachable, false)
        }
    }
}

async fn try_to_send(app: &Shared, page: &Claimed) -> Result<Sent> {
    let (ordered, now) = (&page.ordered, app.clock.now());
    let tried = if page.tries > 1 { app.store.tried(ordered.page).await? } else { Vec::new() };
    let try_ = Try { leg: page.tries, tried: &tried, now };
    let languages = match (ordered.person, ordered.callout) {
        (Some(person), _) => app.store.languages(person).await?,
        (None, Some(callout)) => app.store.caller_languages(callout).await?,
        (None, None) => Vec::new(),
    };
    let text = text(ordered.says(), &languages, &values(app, page).await?);
    let message = Message {
        page: ordered.page,
        callout: ordered.callout,
        kind: ordered.kind,
        attempt: ordered.attempt,
        redelivery: page.redelivery,
        text: &text,
    };
    // In this order: whoever took it over did so after this node was last heard.
    if !app.store.is_held(page).await? {
        return Ok(Sent::new("", Outcome::GivenUp));
    }
    if !app.nodes.lives() {
        // Nothing went out. The others take it over, or this node tries again when it is heard.
        return Ok(Sent::failed("", FailReason::Unreachable, false));
    }
    // What remains is the provider's time.
    hand_over(app, page, &message, try_).instrument(tracing::debug_span!("provider", name = field::Empty)).await
}

async fn hand_over(app: &Shared, page: &Claimed, message: &Message<'_>, try_: Try<'_>) -> Result<Sent> {
    let (ordered, channels) = (&page.ordered, app.runner.channels());
    let sent = match (&ordered.to, ordered.person) {
        (Destination::Contact(contact), Some(person)) => match app.store.contact(person, *contact).await? {
            None => Sent::new("", Outcome::NotConfigured),
            // What somebody changed a moment ago may lead to somebody else.
            Some(row) if row.state != ContactState::Verified && ordered.kind != MessageKind::Verify => {
                Sent::broken("", FailReason::Unverified)
            }
            Some(row) if ordered.kind == MessageKind::StandDown => stand_down(app, person, &row, message, try_).await?,
            Some(row) => channels.to_contact(&row, message, try_).await,
        },
        (Destination::Phone(number), _) => channels.to_phone(number, message, try_).await,
        (Destination::Outside(code), _) => {
            let policy = read_document::<Policy>(&mut *app.store.read_for_dispatch().acquire().await?).await?;
            match policy.as_ref().and_then(|(_, policy)| policy.outside.get(code)) {
                Some(outside) => channels.to_outside(&outside.url, &outside.keys, message, try_.now).await,
                None => Sent::new("outside", Outcome::NotConfigured),
            }
        }
        (Destination::Loopback, _) => Sent::new("loopback", Outcome::Taken),
        (Destination::App | Destination::Contact(_), _) => Sent::new("", Outcome::NotConfigured),
    };
    Span::current().record("name", &sent.vendor);
    Ok(sent)
}

/// A telephone that rings stops ringing; nobody is called to hear that they are not needed. Every other channel says it.
async fn stand_down(
    app: &Shared,
    person: PersonId,
    row: &ContactRow,
    message: &Message<'_>,
    try_: Try<'_>,
) -> Result<Sent> {
    let channels = app.runner.channels();
    let (ContactMethod::Voice { id, .. }, Some(callout)) = (&row.method, message.callout) else {
        return Ok(channels.to_contact(row, message, try_).await);
    };
    for (account, reference) in app.store.ringing(callout, person, *id).await? {
        channels.telephony().hang_up(&account, &reference).await;
    }
    Ok(Sent::new(VOICE_LANE, Outcome::Taken))
}

/// What the text of a message says besides its words.
async fn values(app: &Shared, page: &Claimed) -> Result<Values> {
    let reference = page.ordered.callout.map(|callout| callout.short()).unwrap_or_default();
    let number = match page.ordered.kind {
        MessageKind::CallerNobody => {
            let policy = read_document::<Policy>(&mut *app.store.read_for_dispatch().acquire().await?).await?;
            policy.map(|(_, policy)| policy.duty_number.to_string()).unwrap_or_default()
        }
        _ => String::new(),
    };
    Ok(Values { arg: page.ordered.arg, reference, number })
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

fn write_down(app: &Shared, sent: Vec<(Claimed, Sent)>, tasks: &mut JoinSet<Done>) {
    let mut by_callout: HashMap<Option<CalloutId>, Vec<(Claimed, Sent)>> = HashMap::new();
    for (page, sent) in sent {
        by_callout.entry(page.ordered.callout).or_default().push((page, sent));
    }
    for (callout, pages) in by_callout {
        let app = Shared::clone(app);
        tasks.spawn(async move {
            let rows: Vec<_> = pages.into_iter().map(|(page, sent)| Settled::of(page, sent, app.clock.now())).collect();
            if let Err(error) = settle(&app, callout, rows.clone()).await {
                tracing::error!(?callout, %error, "what became of pages could not be written down; they are sent again");
                // Unless they have been sent often enough: whatever is wrong with the callout must not ring for ever.
                if let Err(error) = give_up(&app, rows).await {
                    tracing::error!(%error, "pages could not be given up");
                }
            }
            None
        });
    }
}

/// A page whose try is over, and what follows from it.
#[derive(Debug, Clone)]
struct Settled {
    page: Claimed,
    sent: Sent,
    next: Next,
    /// What whoever ordered it is told; nothing while another provider takes over at once.
    told: Option<PageOutcome>,
}

impl Settled {
    fn of(page: Claimed, sent: Sent, now: Timestamp) -> Self {
        let next = next(&page, sent.outcome, now);
        let takes_over = matches!(sent.outcome, Outcome::Failed { again: Again::OtherVendor, .. })
            && matches!(next, Next::Again { .. });
        let told = (!takes_over).then(|| told(sent.outcome));
        Self { page, sent, next, told }
    }
}

/// Writes down what became of one callout's pages, and tells whoever ordered them, in one transaction.
async fn settle(app: &Shared, callout: Option<CalloutId>, rows: Vec<Settled>) -> Result<()> {
    let (now, accounts) = (app.clock.now(), Shared::clone(app));
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let telephony = accounts.runner.channels().telephony();
                let mut receipts = Vec::new();
                for row in &rows {
                    let reported = tx.end_leg(&row.page, &row.sent, now).await?;
                    // What was delivered, taken back or claimed by somebody else in between is none of ours any more.
                    if !tx.settle_page(&row.page, row.next).await? {
                        continue;
                    }
                    let Ordered { page, person, ref to, kind, .. } = row.page.ordered;
                    let told = match reported {
                        Some(reason) => tx.failed_early(telephony, page, reason, now).await?,
                        None => row.told,
                    };
                    let Some(outcome) = told else { continue };
                    tx.contact_told(to, person, outcome, now).await?;
                    let receipt = PageReceipt { page, outcome };
                    if callout.is_some() && kind.concerns_callout() {
                        receipts.push(receipt);
                    } else {
                        tx.note_receipts(&[receipt], now).await?;
                        settled_elsewhere(tx, kind, (page, callout), outcome, now).await?;
                    }
                }
                tx.after.dispatch();
                match callout {
                    Some(callout) if !receipts.is_empty() => step(tx, callout, receipts, now).await,
                    _ => Ok(()),
                }
            })
        })
        .await
}

async fn step(tx: &mut Tx<'_>, callout: CalloutId, receipts: Vec<PageReceipt>, now: Timestamp) -> Result<()> {
    tx.step_callout(callout, Input::Receipts(receipts), Cause { device: None, now }).await
}

/// Settles the rows that have no try left, without telling anybody: they could not be told.
async fn give_up(app: &Shared, rows: Vec<Settled>) -> Result<()> {
    app.store
        .write(move |tx| {
            Box::pin(async move {
                for row in rows.iter().filter(|row| !has_another_try(row.page.tries)) {
                    tx.settle_page(&row.page, Next::Settled).await?;
                }
                Ok(())
            })
        })
        .await
}

fn next(page: &Claimed, outcome: Outcome, now: Timestamp) -> Next {
    match outcome {
        Outcome::Failed { uncertain, again, .. } if again != Again::Never && has_another_try(page.tries) => {
            let random = random().map(u32::from_be_bytes).unwrap_or_default();
            let wait = if again == Again::OtherVendor { Duration::ZERO } else { backoff(page.tries, random) };
            Next::Again { at: now + wait, uncertain }
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

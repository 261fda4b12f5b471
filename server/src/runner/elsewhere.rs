//! What became of messages that are no callout's pages: whoever ordered one hears of it here, in the same transaction.

use crate::{Result, store::Tx};
use firstlight_dispatch::PageOutcome;
use firstlight_protocol::{CalloutId, PageId, Timestamp, api::MessageKind, attention::Attention};

/// Tells whoever ordered a message what became of it: that a provider took it, that it was delivered, or that it failed.
/// Each may come more than once, and a failure may be followed by a delivery.
pub(super) async fn settled_elsewhere(
    tx: &mut Tx<'_>,
    kind: MessageKind,
    (page, callout): (PageId, Option<CalloutId>),
    outcome: PageOutcome,
    now: Timestamp,
) -> Result<()> {
    // Each part that orders messages takes those of its own kinds; the record of pages holds the rest.
    match kind {
        MessageKind::Test => crate::proof::test_settled(tx, page, outcome, now).await,
        // They were promised a message, and wait for it.
        MessageKind::CallerPaging
        | MessageKind::CallerAccepted
        | MessageKind::CallerArrived
        | MessageKind::CallerNobody
        | MessageKind::CallerCalledOff => match (outcome, callout) {
            (PageOutcome::Failed(_), Some(callout)) => {
                tx.raise_attention(Attention::CallerUnreached { callout }, now).await
            }
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

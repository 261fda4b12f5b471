//! What a caller beside [`Live`](super::Live) has stored: its requests go out on the open connection, and what it changed
//! is shown at once.

use crate::storage::Outcome;
use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
};

/// Outcomes on their way to the connection.
#[derive(Debug, Default)]
pub(super) struct Handed(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    outcomes: VecDeque<Outcome>,
    taker: Option<Waker>,
}

impl Handed {
    /// Hands one over.
    pub(super) fn give(&self, outcome: Outcome) {
        let mut waiting = self.hold();
        waiting.outcomes.push_back(outcome);
        if let Some(taker) = waiting.taker.take() {
            taker.wake();
        }
    }

    /// The next one. Cancelling it loses nothing.
    pub(super) async fn take(&self) -> Outcome {
        poll_fn(|context| {
            let mut waiting = self.hold();
            match waiting.outcomes.pop_front() {
                Some(outcome) => Poll::Ready(outcome),
                None => {
                    waiting.taker = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Forgets those that wait: a connection that opens asks for everything that is open anyway.
    pub(super) fn clear(&self) {
        self.hold().outcomes.clear();
    }

    fn hold(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

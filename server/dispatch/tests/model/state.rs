//! Everything there is in the model: two tables in a database, what each node holds in memory, and the clock.

/// A page that is on its way through a node's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Claim {
    pub(crate) page: usize,
    /// Which try of the row this claim is, from 1.
    pub(crate) tries: u8,
    /// What the receiver will be told: an earlier try may have arrived.
    pub(crate) labelled: bool,
}

/// What a try came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Outcome {
    Taken,
    Failed { uncertain: bool },
}

/// What a node keeps in memory alone: a crash loses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Task {
    /// A timer was claimed, its step has not been committed.
    Tick,
    /// Only where a faulty protocol orders a page in a transaction of its own.
    Order { page: usize },
    /// A page was claimed, nothing has been sent.
    Send(Claim),
    /// The request is under way.
    Sending(Claim),
    /// The answer is known and not written down.
    Settle(Claim, Outcome),
}

impl Task {
    pub(crate) fn page(self) -> Option<usize> {
        match self {
            Self::Tick => None,
            Self::Order { page } => Some(page),
            Self::Send(claim) | Self::Sending(claim) | Self::Settle(claim, _) => Some(claim.page),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Health {
    Up,
    /// Stands still with all that it holds (a suspended machine), and does not know it.
    Paused,
    Down,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Node {
    pub(crate) health: Health,
    /// How far its clock is ahead.
    pub(crate) skew: i8,
    /// Sorted.
    pub(crate) tasks: Vec<Task>,
}

impl Node {
    pub(crate) fn runs(&self) -> bool {
        self.health == Health::Up
    }

    pub(crate) fn remove(&mut self, task: Task) {
        if let Some(i) = self.tasks.iter().position(|held| *held == task) {
            self.tasks.remove(i);
        }
    }
}

/// A row of `timers`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Timer {
    pub(crate) due: i8,
    pub(crate) lease: Option<i8>,
}

/// A row of `outbox`, and below it what the properties remember of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Row {
    pub(crate) next_at: Option<i8>,
    pub(crate) lease: Option<i8>,
    pub(crate) tries: u8,
    pub(crate) uncertain: bool,

    pub(crate) stood_down: bool,
    pub(crate) given_up: bool,
    /// How often it arrived without the label, and with it.
    pub(crate) plain: u8,
    pub(crate) labelled: u8,
    /// How often a node that held it crashed or stood still, or an answer was lost.
    pub(crate) interrupted: u8,
}

impl Row {
    pub(crate) fn arrived(&self) -> bool {
        self.plain + self.labelled > 0
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// The true time, which no node knows.
    pub(crate) now: i8,
    /// The engine's state: how many steps of the escalation are done, when the next is due, its own newest time.
    pub(crate) stage: usize,
    pub(crate) wake: Option<i8>,
    pub(crate) updated: i8,
    pub(crate) timer: Option<Timer>,
    /// One page for each step; `None` while it is not ordered.
    pub(crate) rows: Vec<Option<Row>>,
    /// Sorted: which node is which makes no difference.
    pub(crate) nodes: Vec<Node>,

    /// Somebody accepted: everybody who was called stood down.
    pub(crate) answered: bool,
    pub(crate) crashes: u8,
    pub(crate) pauses: u8,
    pub(crate) faults: u8,
    /// For how long the next step has been due while some node ran, and how often one that had claimed it was
    /// interrupted.
    pub(crate) overdue: i8,
    pub(crate) interrupted: u8,
    /// A page was sent although its person had stood down before the request began.
    pub(crate) sent_too_late: bool,
    /// A step came before it was due by the clock of the node that took it.
    pub(crate) too_early: bool,
}

impl State {
    pub(crate) fn clock(&self, node: usize) -> i8 {
        self.now + self.nodes[node].skew
    }

    /// Whether the callout still has something to do by itself.
    pub(crate) fn runs(&self) -> bool {
        self.wake.is_some()
    }
}

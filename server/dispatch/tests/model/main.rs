//! Every order in which claims, leases, sends, crashes and takeovers can happen, with one to three nodes.
//!
//! The protocol that the runner follows is written down once more (`protocol`), small enough for a checker to visit all
//! of its states. What has to hold in each of them is in this file; below are the protocol's faulty variants, each of
//! which the checker has to catch. `FIRSTLIGHT_EXHAUSTIVE=1` raises the bounds (minutes instead of seconds).

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a test may panic and print")]

mod protocol;
mod state;

use protocol::{Action, LEASE, Protocol, Release};
use state::{Row, State, Task};
use stateright::{Checker, HasDiscoveries, Model, Property};
use std::{env, thread};

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let skews = -self.skew..=self.skew;
        let mut clocks = vec![vec![0]];
        for _ in 1..self.nodes {
            clocks = clocks.iter().flat_map(|c| skews.clone().map(|skew| [c.as_slice(), &[skew]].concat())).collect();
        }
        clocks.iter().map(|skews| self.start(skews)).collect()
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.urgent(state, actions);
        let idle = actions.is_empty();
        self.rest(state, idle, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        Some(self.apply(state, action))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(NEVER_SILENT, |_, s: &State| s.timer.is_some() || !s.runs()),
            Property::always(NO_LOST_PAGE, |_, s: &State| s.rows.iter().take(s.stage).all(accounted_for)),
            Property::always(SOMEBODY_ACTS, somebody_acts),
            Property::always(IN_TIME, |p: &Protocol, s: &State| {
                // Clocks differ by up to twice the skew: in what is due, and in each lease.
                s.overdue <= i8::try_from(s.interrupted).unwrap_or(i8::MAX) * (LEASE + 2 * p.skew) + 2 * p.skew
            }),
            Property::always(NOT_EARLY, |_, s: &State| !s.too_early),
            Property::always(ONE_PLAIN, |_, s: &State| s.rows.iter().flatten().all(|row| row.plain <= 1)),
            Property::always(ONE_PER_FAULT, |_, s: &State| {
                s.rows.iter().flatten().all(|row| row.plain + row.labelled <= 1 + row.interrupted)
            }),
            Property::always(STOOD_DOWN, |_, s: &State| !s.sent_too_late),
            // The model is worth something only if it gets there.
            Property::sometimes("a page arrives twice, labelled", |_, s: &State| {
                s.rows.iter().flatten().any(|row| row.plain == 1 && row.labelled == 1)
            }),
            Property::sometimes("somebody stands down while a request is under way", |_, s: &State| {
                s.answered && s.nodes.iter().any(|node| node.tasks.iter().any(|task| matches!(task, Task::Sending(_))))
            }),
            Property::sometimes("another node takes a step over", |p: &Protocol, s: &State| {
                p.nodes == 1 || (s.interrupted > 0 && s.overdue > 0)
            }),
            Property::sometimes("everything is done", |_, s: &State| {
                !s.runs() && !s.answered && s.rows.iter().all(|row| row.is_some_and(|row| row.arrived()))
            }),
        ]
    }
}

const NEVER_SILENT: &str = "a running callout has a timer";
const NO_LOST_PAGE: &str = "an ordered page has arrived, waits in its row, or was taken back";
const SOMEBODY_ACTS: &str = "while anything is to be done, something happens next";
const IN_TIME: &str = "a step is late by one lease for each crash";
const NOT_EARLY: &str = "no step comes before its time";
const ONE_PLAIN: &str = "at most one copy of a page is without the label";
const ONE_PER_FAULT: &str = "at most one more copy for each crash or lost answer that concerned it";
const STOOD_DOWN: &str = "no request begins after its person stood down";

fn accounted_for(row: &Option<Row>) -> bool {
    row.is_some_and(|row| row.next_at.is_some() || row.arrived() || row.stood_down || row.given_up)
}

/// That people may still act, or more may go wrong, is no progress.
fn somebody_acts(protocol: &Protocol, s: &State) -> bool {
    let waits = s.runs() || s.rows.iter().flatten().any(|row| row.next_at.is_some());
    let mut actions = Vec::new();
    protocol.actions(s, &mut actions);
    !waits || actions.iter().any(|a| !matches!(a, Action::Accept | Action::Crash(_) | Action::Pause(_)))
}

/// How many states there are; panics with the shortest way to a broken property.
fn holds(protocol: Protocol) -> usize {
    let checker = protocol.checker().threads(threads()).spawn_bfs().join();
    checker.assert_properties();
    let states = checker.unique_state_count();
    println!("{} nodes, {} crashes: {states} states", protocol.nodes, protocol.crashes);
    states
}

/// The fault breaks this property; prints how.
fn breaks(protocol: Protocol, property: &'static str) {
    let wanted = HasDiscoveries::AllOf([property].into());
    let checker = protocol.checker().threads(threads()).finish_when(wanted).spawn_bfs().join();
    let path = checker.discovery(property).expect("the checker has to find the fault");
    println!("broken: {property}");
    path.into_actions().iter().for_each(|action| println!("  {action:?}"));
}

fn threads() -> usize {
    thread::available_parallelism().map_or(2, usize::from)
}

fn exhaustive() -> bool {
    env::var_os("FIRSTLIGHT_EXHAUSTIVE").is_some()
}

#[test]
fn one_node_that_starts_again() {
    holds(Protocol { crashes: 2, faults: 2, ..Protocol::new(1) });
}

#[test]
fn two_nodes() {
    let more = u8::from(exhaustive());
    let states = holds(Protocol { crashes: 1 + more, skew: 1 - more.cast_signed(), ..Protocol::new(2) });
    assert!(states > 10_000, "too small to mean anything");
}

#[test]
fn three_nodes() {
    let more = u8::from(exhaustive());
    holds(Protocol { crashes: 1 + more, ..Protocol::new(3) });
}

/// `run` in `server/src/runner` releases every claim when it starts. With a database of its own that is right; two
/// processes on one database would take each other's pages out of their hands: a duplicate without any crash.
#[test]
fn a_node_that_releases_the_claims_of_others_is_caught() {
    breaks(Protocol { release: Release::All, ..Protocol::new(2) }, ONE_PER_FAULT);
}

#[test]
fn forgotten_claims_are_caught() {
    breaks(Protocol { release: Release::Forget, ..Protocol::new(1) }, ONE_PLAIN);
}

#[test]
fn a_timer_that_is_claimed_by_deleting_it_is_caught() {
    breaks(Protocol { leases_timers: false, ..Protocol::new(2) }, NEVER_SILENT);
}

#[test]
fn a_page_that_counts_as_sent_once_claimed_is_caught() {
    breaks(Protocol { settles_after: false, ..Protocol::new(2) }, NO_LOST_PAGE);
}

#[test]
fn a_page_that_is_ordered_after_its_step_is_caught() {
    breaks(Protocol { atomic: false, ..Protocol::new(2) }, NO_LOST_PAGE);
}

#[test]
fn a_missing_label_is_caught() {
    breaks(Protocol { labels: false, ..Protocol::new(2) }, ONE_PLAIN);
}

#[test]
fn a_page_that_comes_back_after_standing_down_is_caught() {
    breaks(Protocol { drop_is_final: false, ..Protocol::new(1) }, STOOD_DOWN);
}

#[test]
fn a_page_that_nobody_takes_back_is_caught() {
    breaks(Protocol { drops: false, ..Protocol::new(1) }, STOOD_DOWN);
}

/// A sender that claimed a page, and then did not look again before its request began.
#[test]
fn a_claim_that_is_not_looked_at_again_is_caught() {
    breaks(Protocol { looks_again: false, ..Protocol::new(1) }, STOOD_DOWN);
}

#[test]
fn an_engine_that_does_not_ask_what_is_due_is_caught() {
    breaks(Protocol { checks_due: false, steps: 3, ..Protocol::new(2) }, NOT_EARLY);
}

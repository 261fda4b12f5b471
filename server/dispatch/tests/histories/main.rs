//! Random histories in virtual time, checked against a model that was written from the rules, not from the engine.
//!
//! `FIRSTLIGHT_HISTORIES` sets how many are run (100,000 by default), `FIRSTLIGHT_SEED` runs one alone and tells it step
//! by step. A failure prints the seed to run it again with.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a test may panic and print")]

mod history;
mod invariants;
mod model;
mod policy;
mod random;

use history::History;
use std::{env, thread};

const HISTORIES: u64 = 100_000;

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} must be a number")))
}

#[test]
fn no_history_breaks_a_promise() {
    if let Some(seed) = number("FIRSTLIGHT_SEED") {
        History::new(seed, true).run();
        return;
    }
    let count = number("FIRSTLIGHT_HISTORIES").unwrap_or(HISTORIES);
    let workers = thread::available_parallelism().map_or(2, |n| n.get() as u64);
    let totals: Vec<_> = thread::scope(|scope| {
        let run = |worker| move || (worker..count).step_by(workers as usize).map(one).fold((0, 0, 0), add);
        let started: Vec<_> = (0..workers).map(|worker| scope.spawn(run(worker))).collect();
        started.into_iter().map(|worker| worker.join().expect("a history failed: its seed stands above")).collect()
    });
    let (steps, pages, filled) = totals.into_iter().fold((0, 0, 0), add);
    println!("{count} histories, {steps} steps, {pages} pages, {filled} filled");
    assert!(pages > 5 * count && filled * 5 > count, "the histories must be worth something");
}

fn add(a: (u64, u64, u64), b: (u64, u64, u64)) -> (u64, u64, u64) {
    (a.0 + b.0, a.1 + b.1, a.2 + b.2)
}

fn one(seed: u64) -> (u64, u64, u64) {
    struct Tell(u64);
    impl Drop for Tell {
        fn drop(&mut self) {
            if thread::panicking() {
                eprintln!("history {0} failed; run it again with FIRSTLIGHT_SEED={0}", self.0);
            }
        }
    }
    let _tell = Tell(seed);
    History::new(seed, false).run()
}

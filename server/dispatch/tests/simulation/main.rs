//! Nights of a whole organisation in virtual time: the real engine and the real rota, one to three nodes that crash, stand
//! still and have wrong clocks, providers that fail in every way, and people as they are.
//!
//! `FIRSTLIGHT_CALLOUTS` sets how many callouts are run, `FIRSTLIGHT_SEED` runs one night alone and tells it event by
//! event. A failure prints the seed to run it again with.
//!
//! | file | what |
//! |---|---|
//! | `world` | who there is, their policy and rota: the one place where the engine's context is made |
//! | `night` | the events of one night, in order |
//! | `runner`, `tables` | `server/src/runner` once more: steps, claims, leases, crashes |
//! | `providers`, `people` | what becomes of a page, and what whoever gets it does |
//! | `checks` | what must hold (with `histories/invariants`, the same promises) |
//! | `coverage` | what has happened, how often |

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a test may panic and print")]

mod checks;
mod coverage;
#[path = "../histories/invariants.rs"]
mod invariants;
mod night;
mod people;
mod providers;
#[path = "../histories/random.rs"]
mod random;
mod runner;
mod tables;
mod world;

use coverage::Coverage;
use night::Night;
use std::{
    env,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

/// About a minute on two slow cores; a million is for a night of its own.
const CALLOUTS: u64 = 40_000;

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} must be a number")))
}

#[test]
fn no_night_breaks_a_promise() {
    if let Some(seed) = number("FIRSTLIGHT_SEED") {
        let coverage = tell_seed(seed, true);
        println!("{coverage}");
        return;
    }
    let wanted = number("FIRSTLIGHT_CALLOUTS").unwrap_or(CALLOUTS);
    // Half are the same in every run, half are new: their seeds are of this moment, and printed by whatever fails.
    let moment = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let fresh = moment.wrapping_mul(1 << 24);
    println!("seeds from 0 and from {fresh}");
    let (next, opened) = (AtomicU64::new(0), AtomicU64::new(0));
    let began = Instant::now();
    let work = || {
        let mut all = Coverage::default();
        while opened.load(Ordering::Relaxed) < wanted {
            let n = next.fetch_add(1, Ordering::Relaxed);
            let night = tell_seed(if n.is_multiple_of(2) { n / 2 } else { fresh + n / 2 }, false);
            opened.fetch_add(night.callouts(), Ordering::Relaxed);
            all.add(&night);
        }
        all
    };
    let workers = thread::available_parallelism().map_or(2, usize::from);
    let coverage = thread::scope(|scope| {
        let started: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let mut all = Coverage::default();
        for worker in started {
            all.add(&worker.join().expect("a night failed: its seed stands above"));
        }
        all
    });
    println!("{} nights in {:.0} s\n{coverage}", next.into_inner(), began.elapsed().as_secs_f64());
    coverage.check();
}

fn tell_seed(seed: u64, tell: bool) -> Coverage {
    struct Tell(u64);
    impl Drop for Tell {
        fn drop(&mut self) {
            if thread::panicking() {
                eprintln!("night {0} failed; run it again with FIRSTLIGHT_SEED={0}", self.0);
            }
        }
    }
    let _tell = Tell(seed);
    Night::new(seed, tell).run()
}

//! A client that was away: 10,000 messages decrypted, sealed and stored by the engine.

use crate::report::Report;
use firstlight_client::{
    storage::{SqliteStorage, seal::Unlock},
    testing::prepare_catch_up,
};
use firstlight_protocol::mls::SUITE_HYBRID;
use std::time::Instant;

pub(crate) fn measure(report: &mut Report, quick: bool) {
    let messages = if quick { 1_000 } else { 10_000 };
    eprintln!("catch-up: {messages} messages");
    let mut away = prepare_catch_up(SUITE_HYBRID, 10, messages);
    let dir = tempfile::tempdir().expect("a temporary directory");
    let unlock = Unlock::Key(zeroize::Zeroizing::new([7; 32]));
    let storage = SqliteStorage::create(&dir.path().join("state.db"), &unlock).expect("a store");
    let mut host = away.load_into(storage).expect("an engine");
    let began = Instant::now();
    let lines = away.run(&mut host).expect("catching up");
    let took = began.elapsed().as_secs_f64();
    assert!(lines >= messages, "{lines} lines of {messages} messages");
    report.at_most(format!("client catch-up of {messages} messages, sealed SQLite"), took, "s", 3.0);
}

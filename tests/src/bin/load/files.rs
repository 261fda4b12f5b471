//! A file of the largest size, by the command line: sealed, sent, and saved by somebody else.

use crate::report::Report;
use firstlight_tests::{
    process::{Plan, ServerProcess, World},
    world::random,
};
use std::{fs, time::Instant};

const MIB: usize = 1 << 20;

pub(crate) fn measure(report: &mut Report, quick: bool) {
    let size = if quick { 10 } else { 100 };
    eprintln!("files: one of {size} MiB");
    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = ServerProcess::start(dir.path(), |_| {}).expect("a server");
    let plan = Plan::with_timers(firstlight_protocol::policy::Timers::default()).expect("a plan");
    let world = World::found(&server, &dir.path().join("devices"), &plan, |_, _, _| {}).expect("a world");
    let create = ["room", "create", "--kind", "advocate", "--name", "Team", "--with", &world.backup.who];
    let made = world.primary.run(&create).expect("a room");
    let room = made["room"].as_str().expect("a room has an id");
    // The other one joins before it is asked for a file.
    world.backup.run(&["room", "list"]).expect("its rooms");
    let (name, saved) = ("plan.bin", dir.path().join("saved"));
    let file = dir.path().join(name);
    // What can't be made smaller, and is the same nowhere.
    let piece: [u8; 4_096] = random();
    let bytes: Vec<u8> = (0..size * MIB).map(|n| piece[n % 4_096] ^ (n >> 12) as u8).collect();
    fs::write(&file, &bytes).expect("a file");
    fs::create_dir(&saved).expect("a folder");

    let began = Instant::now();
    world.primary.run(&["room", "send-file", room, &file.to_string_lossy()]).expect("sending");
    let sent = began.elapsed();
    let began = Instant::now();
    world.backup.run(&["room", "save", room, name, "--to", &saved.to_string_lossy()]).expect("saving");
    let took = began.elapsed();
    assert!(fs::read(saved.join(name)).expect("the saved file") == bytes, "it is the same file");
    report.told(format!("a file of {size} MiB, sealed and sent"), size as f64 / sent.as_secs_f64(), "MiB/s");
    report.told(format!("a file of {size} MiB, fetched and opened"), size as f64 / took.as_secs_f64(), "MiB/s");
}

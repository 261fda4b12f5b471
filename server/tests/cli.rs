//! The binary as an operator meets it: arguments, exit codes, sentences, a clean end.

#![allow(clippy::unwrap_used, reason = "a test: what fails here fails it")]

use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

/// The command in a directory of its own, without this shell's settings.
fn server(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_firstlight-server"));
    command.current_dir(dir).args(arguments);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("FIRSTLIGHT_") {
            command.env_remove(name);
        }
    }
    command
}

fn run(dir: &Path, arguments: &[&str]) -> Output {
    server(dir, arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Starts a server on a free port and waits until it says that it listens.
fn start(dir: &Path) -> (Child, BufReader<std::process::ChildStderr>) {
    let mut child = server(dir, &["serve"])
        .env("FIRSTLIGHT_LISTEN", "127.0.0.1:0")
        .env("FIRSTLIGHT_LOG__FORMAT", "json")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("\"message\":\"listening\"") {
        line.clear();
        assert!(log.read_line(&mut line).unwrap() > 0, "the server ended before it listened");
    }
    (child, log)
}

#[test]
fn a_configuration_is_checked_with_everything_that_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let good = run(dir.path(), &["check-config"]);
    assert_eq!(good.status.code(), Some(0));
    assert!(stdout(&good).contains("listen = \"127.0.0.1:8440\""), "{}", stdout(&good));
    std::fs::write(dir.path().join("firstlight-server.toml"), "listen = 'x'\n[log]\nfilter = 'a=b=c'\n").unwrap();
    for arguments in [["check-config"], ["serve"]] {
        let bad = run(dir.path(), &arguments);
        assert_eq!(bad.status.code(), Some(2), "{arguments:?}");
        let told = stderr(&bad);
        assert!(told.contains("error: listen (set in ") && told.contains("error: log.filter (set in "), "{told}");
        assert_eq!(stdout(&bad), "", "nothing that looks like a configuration");
    }
    let json: Value = serde_json::from_slice(&run(dir.path(), &["check-config", "--json"]).stdout).unwrap();
    assert_eq!(json["ok"], false);
    assert_eq!(json["problems"].as_array().unwrap().len(), 2);
}

#[test]
fn a_server_serves_is_looked_after_and_ends_cleanly() {
    let dir = tempfile::tempdir().unwrap();
    let before = run(dir.path(), &["audit", "verify"]);
    assert_eq!(before.status.code(), Some(1));
    assert!(stderr(&before).contains("there is no database in"), "{}", stderr(&before));
    let (mut child, log) = start(dir.path());
    let verdict = run(dir.path(), &["audit", "verify", "--json"]);
    assert_eq!(verdict.status.code(), Some(0), "{}", stderr(&verdict));
    assert_eq!(serde_json::from_slice::<Value>(&verdict.stdout).unwrap()["ok"], true);
    let forged = run(dir.path(), &["audit", "verify", "--expect-head", &"ab".repeat(32)]);
    assert_eq!(forged.status.code(), Some(3));
    assert!(stdout(&forged).contains("cut short or replaced"), "{}", stdout(&forged));
    let backup = run(dir.path(), &["backup", "copy.db"]);
    assert_eq!(backup.status.code(), Some(0), "{}", stderr(&backup));
    assert_eq!(run(dir.path(), &["backup", "copy.db"]).status.code(), Some(1), "a backup overwrites nothing");
    let kill = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let last = log.lines().map(Result::unwrap).last().unwrap();
    assert!(last.contains("\"message\":\"stopped\""), "{last}");
}

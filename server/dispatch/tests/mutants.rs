//! Deliberate faults in the engine and the rota (`tests/mutants.toml`), each of which the tests have to kill.
//!
//! That they still apply is checked with all other tests. `tests/mutants` builds them, one after another, in a copy of
//! the sources under `target/mutants`, and runs the tests of dispatch and protocol against each.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic and print")]

use serde::Deserialize;
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What nextest answers when tests have failed, as opposed to a build that has.
const TESTS_FAILED: i32 = 100;

/// A mutant may make a test run for ever.
const PATIENCE: &str = "[profile.default]\nslow-timeout = { period = '60s', terminate-after = 4 }\n";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Faults {
    mutant: Vec<Mutant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutant {
    name: String,
    file: String,
    find: String,
    replace: String,
    /// A test binary that has to notice, besides whichever else does.
    killed_by: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().into()
}

fn mutants() -> Vec<Mutant> {
    toml::from_str::<Faults>(&fs::read_to_string(root().join("tests/mutants.toml")).unwrap()).unwrap().mutant
}

#[test]
fn every_mutant_still_applies() {
    let all = mutants();
    assert!(all.len() >= 12);
    for Mutant { name, file, find, replace, .. } in all {
        let text = fs::read_to_string(root().join(&file)).unwrap();
        assert_eq!(text.matches(&find).count(), 1, "{name}: what it replaces stands exactly once in {file}");
        assert_ne!(find, replace, "{name}");
    }
}

/// `FIRSTLIGHT_MUTANT` runs those alone whose name contains it.
#[test]
#[ignore = "builds the engine once for each mutant: tests/mutants runs it"]
fn every_mutant_is_killed() {
    let only = env::var("FIRSTLIGHT_MUTANT").unwrap_or_default();
    let sources = root().join("target/mutants/sources");
    if sources.exists() {
        fs::remove_dir_all(&sources).unwrap();
    }
    for part in ["Cargo.toml", "Cargo.lock", ".cargo", "protocol", "server", "client-lib", "tests"] {
        copy(&root().join(part), &sources.join(part));
    }
    fs::create_dir_all(sources.join(".config")).unwrap();
    fs::write(sources.join(".config/nextest.toml"), PATIENCE).unwrap();
    assert!(failing(&sources).is_empty(), "without a mutant every test passes");
    let all = mutants();
    let mut survived = Vec::new();
    for mutant in all.iter().filter(|mutant| mutant.name.contains(&only)) {
        let file = sources.join(&mutant.file);
        let whole = fs::read_to_string(&file).unwrap();
        fs::write(&file, whole.replacen(&mutant.find, &mutant.replace, 1)).unwrap();
        let killers = failing(&sources);
        fs::write(&file, whole).unwrap();
        let expected = killers.iter().any(|killer| killer.contains(&mutant.killed_by));
        let fate = if expected { "killed" } else { "SURVIVED" };
        let others = killers.len().saturating_sub(3);
        let shown = killers.iter().take(3).map(|name| name.rsplit_once(' ').map_or(name.as_str(), |(_, test)| test));
        let shown = shown.collect::<Vec<_>>().join(", ");
        println!("{fate:<9} {:<58} {shown} and {others} more", mutant.name);
        if !expected {
            survived.push(&mutant.name);
        }
    }
    assert!(survived.is_empty(), "not killed by the test that should: {survived:?}");
}

/// The tests that fail.
fn failing(sources: &Path) -> Vec<String> {
    let run = Command::new("cargo")
        .args(["nextest", "run", "--locked", "--no-fail-fast", "--color", "never", "--status-level", "none"])
        .args(["--failure-output", "never", "--final-status-level", "fail"])
        .args(["-p", "firstlight-dispatch", "-p", "firstlight-protocol", "--lib"])
        .args(["--test", "rules", "--test", "histories", "--test", "simulation"])
        // Never where the real ones are built: cargo takes the artifacts of a copy of the sources for those of the sources.
        .env("CARGO_TARGET_DIR", root().join("target/mutants/build"))
        .env("FIRSTLIGHT_HISTORIES", "10000")
        .env("FIRSTLIGHT_CALLOUTS", "3000")
        .current_dir(sources)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success() || run.status.code() == Some(TESTS_FAILED), "a mutant has to compile:\n{said}");
    let bad = |line: &&str| ["FAIL [", "TIMEOUT ["].iter().any(|status| line.trim_start().starts_with(status));
    let fails = said.lines().filter(bad);
    let mut names: Vec<_> = fails.filter_map(|line| line.rsplit_once(") ").map(|(_, name)| name.to_owned())).collect();
    names.sort_unstable();
    names.dedup();
    assert!(run.status.success() == names.is_empty(), "no names of failing tests in:\n{said}");
    names
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            if entry.file_name() != "target" {
                copy(&entry.path(), &to.join(entry.file_name()));
            }
        }
    } else {
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    }
}

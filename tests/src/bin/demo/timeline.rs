//! What was done when, as it is printed: one aligned line for each step as it happens, or JSON at the end.

use firstlight_protocol::policy::Millis;
use firstlight_tests::process::Failed;
use serde::Serialize;
use serde_json::json;
use std::{
    io::{self, IsTerminal, Write},
    time::Instant,
};

/// The widest actor's name.
const ACTOR: usize = 13;

/// A step that was taken.
#[derive(Debug, Serialize)]
struct Step {
    name: String,
    actor: String,
    /// Milliseconds since the beginning.
    at_ms: u64,
    ok: bool,
    /// What was seen, in words.
    detail: String,
}

/// The steps so far.
#[derive(Debug)]
pub(crate) struct Timeline {
    began: Instant,
    json: bool,
    colour: bool,
    steps: Vec<Step>,
}

impl Timeline {
    /// Begins now.
    pub(crate) fn begin(json: bool, minute: Millis) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let timeline =
            Self { began: Instant::now(), json, colour: wanted && io::stdout().is_terminal(), steps: Vec::new() };
        let length = format!("{} s", f64::from(u32::try_from(minute.0).unwrap_or(u32::MAX)) / 1000.0);
        timeline.print(
            &timeline.dim(&format!("One minute of the escalation policy lasts {length} here; times since the start.")),
        );
        timeline.chapter("Setting up");
        timeline
    }

    /// A headline between steps.
    pub(crate) fn chapter(&self, title: &str) {
        self.print(&format!("\n{}", self.dress("1", title)));
    }

    /// A step that is done now.
    pub(crate) fn done(&mut self, name: &str, actor: &str, detail: &str) {
        self.done_at(Instant::now(), name, actor, detail);
    }

    /// A step that was done, or seen, at a moment.
    pub(crate) fn done_at(&mut self, at: Instant, name: &str, actor: &str, detail: &str) {
        let mark = self.dress("32", "✓");
        self.add(at, true, &mark, (name, actor, detail));
    }

    /// Steps that were seen at different places, as they followed each other.
    pub(crate) fn done_in_order<const N: usize>(&mut self, mut steps: [(Instant, &str, &str, &str); N]) {
        steps.sort_by_key(|(at, ..)| *at);
        for (at, name, actor, detail) in steps {
            self.done_at(at, name, actor, detail);
        }
    }

    /// A step that went wrong.
    pub(crate) fn failed(&mut self, name: &str, actor: &str, detail: &str, error: &Failed) {
        let mark = self.dress("31", "✗");
        self.add(Instant::now(), false, &mark, (name, actor, detail));
        complain(&format!("{name}: {error}"));
    }

    /// Says what went wrong.
    pub(crate) fn complain(&self, error: &Failed) {
        complain(&error.to_string());
    }

    fn add(&mut self, at: Instant, ok: bool, mark: &str, (name, actor, detail): (&str, &str, &str)) {
        let at_ms = u64::try_from(at.saturating_duration_since(self.began).as_millis()).unwrap_or(u64::MAX);
        let time = self.dim(&format!("{:>7}", grouped(at_ms)));
        self.print(&format!("{time} {mark} {actor:<ACTOR$}  {detail}"));
        self.steps.push(Step { name: name.into(), actor: actor.into(), at_ms, ok, detail: detail.into() });
    }

    /// Prints the end. Whether every one of the `expected` steps was taken, and went well.
    pub(crate) fn finish(self, expected: &[&str]) -> bool {
        let missing: Vec<&str> =
            expected.iter().copied().filter(|name| !self.steps.iter().any(|step| step.name == *name)).collect();
        let bad = self.steps.iter().filter(|step| !step.ok).count();
        let complete = missing.is_empty() && bad == 0;
        let total = self.began.elapsed();
        if self.json {
            let value =
                json!({ "ok": complete, "missing": missing, "took_ms": total.as_millis() as u64, "steps": self.steps });
            let _ = writeln!(io::stdout(), "{value}");
        } else if complete {
            self.print(&format!(
                "\n{} steps in {:.1} s, all as they should be.",
                self.steps.len(),
                total.as_secs_f32()
            ));
        }
        if !missing.is_empty() {
            complain(&format!("missing: {}", missing.join(", ")));
        }
        complete
    }

    fn print(&self, text: &str) {
        if !self.json {
            let mut out = io::stdout().lock();
            let _ = writeln!(out, "{text}").and_then(|()| out.flush());
        }
    }

    fn dim(&self, text: &str) -> String {
        self.dress("2", text)
    }

    fn dress(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Tells of a failure, on standard error.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// 12345 as "12 345": milliseconds that an eye can compare.
fn grouped(number: u64) -> String {
    match number {
        0..1_000 => number.to_string(),
        _ => format!("{} {:03}", number / 1_000, number % 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_or_bad_step_shows() {
        let mut timeline = Timeline::begin(true, Millis(1_000));
        timeline.done("one", "A", "");
        assert!(!timeline.finish(&["one", "two"]));
        let mut timeline = Timeline::begin(true, Millis(1_000));
        timeline.done("one", "A", "");
        timeline.failed("two", "A", "", &firstlight_tests::process::fail("no"));
        assert!(!timeline.finish(&["one", "two"]));
        let mut timeline = Timeline::begin(true, Millis(1_000));
        timeline.done("one", "A", "");
        assert!(timeline.finish(&["one"]));
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(61_005), "61 005");
    }
}

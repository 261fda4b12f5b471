//! A person's device: the `firstlight` program on a state directory of its own.

use super::{Line, Lines, PATIENCE, Result, at_once, binaries, fail};
use firstlight_client::{
    session::{Session, State},
    storage::seal::Unlock,
};
use serde_json::Value;
use std::{
    io::{Sink, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Variables of whoever runs the tests must not open or move a device.
const OWN_VARIABLES: [&str; 2] = ["FIRSTLIGHT_STATE", "FIRSTLIGHT_PASSPHRASE"];

/// What seals a device's state.
#[derive(Debug, Clone)]
enum Seal {
    KeyFile(PathBuf),
    Passphrase(String),
}

/// A device that is used by commands.
#[derive(Debug, Clone)]
pub struct Cli {
    /// Whose it is: "Advocate 1".
    pub who: String,
    state: PathBuf,
    seal: Seal,
}

/// A command that was refused.
#[derive(Debug, Clone)]
pub struct Refused {
    /// The exit code.
    pub exit: i32,
    /// The problem's code.
    pub code: String,
    /// The problem's sentences.
    pub sentence: String,
}

impl Cli {
    /// A device whose state is sealed by a key file beside it: no Argon2, so that many are quickly opened.
    pub fn with_key_file(who: impl Into<String>, state: PathBuf) -> Self {
        let key = state.with_extension("key");
        Self { who: who.into(), state, seal: Seal::KeyFile(key) }
    }

    /// A device whose state is sealed by a passphrase, given in the environment.
    pub fn with_passphrase(who: impl Into<String>, state: PathBuf, passphrase: impl Into<String>) -> Self {
        Self { who: who.into(), state, seal: Seal::Passphrase(passphrase.into()) }
    }

    /// Its state directory.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// How a person would type the beginning of a command.
    pub fn typed(&self, program: &str) -> String {
        match &self.seal {
            Seal::KeyFile(key) => format!("{program} --state {} --key-file {}", self.state.display(), key.display()),
            Seal::Passphrase(_) => format!("{program} --state {}", self.state.display()),
        }
    }

    /// Runs one command and gives its answer.
    ///
    /// # Errors
    /// If it fails; with its exit code and what it wrote.
    pub fn run(&self, arguments: &[&str]) -> Result<Value> {
        self.run_with_input(arguments, None)
    }

    /// As [`Self::run`], with something on standard input.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn run_with_input(&self, arguments: &[&str], input: Option<&str>) -> Result<Value> {
        let output = self.output(arguments, input)?;
        if !output.status.success() {
            return Err(fail(format!("{}: firstlight {} ended with {}", self.who, shown(arguments), output.status))
                .with(&String::from_utf8_lossy(&output.stderr)));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        serde_json::from_str(text.trim()).map_err(|e| {
            fail(format!("{}: firstlight {} did not answer with JSON: {e}", self.who, shown(arguments))).with(&text)
        })
    }

    /// Runs a command that has to be refused.
    ///
    /// # Errors
    /// If it is not.
    pub fn refused(&self, arguments: &[&str]) -> Result<Refused> {
        self.refused_with_input(arguments, None)
    }

    /// As [`Self::refused`], with something on standard input.
    ///
    /// # Errors
    /// As [`Self::refused`].
    pub fn refused_with_input(&self, arguments: &[&str], input: Option<&str>) -> Result<Refused> {
        let output = self.output(arguments, input)?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        if output.status.success() {
            return Err(fail(format!("{}: firstlight {} was not refused", self.who, shown(arguments))));
        }
        let problem = stderr.lines().rev().find_map(|line| serde_json::from_str::<Value>(line).ok());
        let problem = problem.ok_or_else(|| fail("a refusal without a problem").with(&stderr))?;
        let text = |name: &str| problem["error"][name].as_str().unwrap_or_default().to_owned();
        Ok(Refused {
            exit: output.status.code().unwrap_or(-1),
            code: text("code"),
            sentence: format!("{} {}", text("title"), text("detail")).trim_end().to_owned(),
        })
    }

    /// Runs one command until `seen` says that it has come far enough, and kills it there, as a power cut would.
    ///
    /// # Errors
    /// If it ends before, or does not come so far in time.
    pub fn cut_off(&self, arguments: &[&str], seen: impl Fn() -> bool) -> Result<()> {
        let mut command = self.command()?;
        let mut child = command.args(arguments).arg("--json").stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
        let began = Instant::now();
        while !seen() {
            if child.try_wait()?.is_some() || began.elapsed() > PATIENCE {
                let _ = child.kill();
                return Err(fail(format!("{}: firstlight {} was over too early or late", self.who, shown(arguments))));
            }
            thread::sleep(Duration::from_millis(1));
        }
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Starts `watch`, which runs until it is stopped or dropped.
    ///
    /// # Errors
    /// If it can't be started.
    pub fn watch(&self) -> Result<Watch> {
        let mut command = self.command()?;
        command.args(["watch", "--json"]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let (Some(out), Some(err)) = (out, err) else { return Err(fail("a process without pipes")) };
        let lines = Lines::of(out, None::<Sink>);
        Ok(Watch { who: self.who.clone(), child, lines, errors: Lines::of(err, None::<Sink>) })
    }

    /// The same device inside this process: for what no command offers, such as looking past the client's own rules.
    ///
    /// # Errors
    /// If the state can't be opened.
    pub fn session(&self) -> Result<Session> {
        let unlock = match &self.seal {
            Seal::KeyFile(path) => Unlock::key_file(path)?,
            Seal::Passphrase(text) => Unlock::passphrase(text.as_str()),
        };
        Ok(at_once(Session::new(State::open(&self.state, &unlock)?, false))?)
    }

    fn output(&self, arguments: &[&str], input: Option<&str>) -> Result<Output> {
        let mut command = self.command()?;
        command.args(arguments).arg("--json").stdout(Stdio::piped()).stderr(Stdio::piped());
        command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
        let mut child = command.spawn()?;
        if let (Some(text), Some(mut pipe)) = (input.map(str::to_owned), child.stdin.take()) {
            thread::spawn(move || pipe.write_all(text.as_bytes()));
        }
        Ok(child.wait_with_output()?)
    }

    fn command(&self) -> Result<Command> {
        let mut command = Command::new(binaries::client()?);
        for name in OWN_VARIABLES {
            command.env_remove(name);
        }
        command.arg("--state").arg(&self.state);
        match &self.seal {
            Seal::KeyFile(path) => command.arg("--key-file").arg(path),
            Seal::Passphrase(text) => command.env("FIRSTLIGHT_PASSPHRASE", text),
        };
        Ok(command)
    }
}

/// A command for a report: without the texts that people wrote.
fn shown(arguments: &[&str]) -> String {
    arguments.iter().take(2).copied().collect::<Vec<_>>().join(" ")
}

/// A running `watch --json`: one JSON object per line.
#[derive(Debug)]
pub struct Watch {
    who: String,
    child: Child,
    lines: Lines,
    errors: Lines,
}

impl Watch {
    /// Waits until an event is seen for which `pick` gives something, and says when it was read. Events that came before
    /// count too.
    ///
    /// # Errors
    /// If none comes in time; with the last events and what it complained about.
    pub fn wait_for<T>(&self, what: &str, pick: impl Fn(&Value) -> Option<T>) -> Result<(Instant, T)> {
        self.wait_within(what, PATIENCE, pick)
    }

    /// As [`Self::wait_for`], with a deadline of one's own.
    ///
    /// # Errors
    /// As [`Self::wait_for`].
    pub fn wait_within<T>(
        &self,
        what: &str,
        within: Duration,
        pick: impl Fn(&Value) -> Option<T>,
    ) -> Result<(Instant, T)> {
        let found = self.lines.find(within, |Line { at, text }| {
            let event: Value = serde_json::from_str(text).ok()?;
            pick(&event).map(|found| (*at, found))
        });
        found.map_err(|e| {
            e.while_doing(format!("{} waits for {what}", self.who)).with(&self.lines.tail(8)).with(&self.errors.tail(8))
        })
    }

    /// Every event so far.
    pub fn so_far(&self) -> Vec<(Instant, Value)> {
        let parse = |line: Line| Some((line.at, serde_json::from_str(&line.text).ok()?));
        self.lines.so_far().into_iter().filter_map(parse).collect()
    }

    /// What it wrote on standard error, for a report.
    pub fn complaints(&self) -> String {
        self.errors.tail(8)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

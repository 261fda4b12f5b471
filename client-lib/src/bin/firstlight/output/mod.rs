//! What people and programs see: calm text on a terminal, one JSON value per answer with `--json`.

mod page;
mod style;
mod when;

pub(crate) use page::Page;
pub(crate) use style::{Style, clean};
pub(crate) use when::{When, took};

use super::failure::Failure;
use serde::Serialize;
use serde_json::Value;
use std::io::{IsTerminal, Write};

/// What a command has to say, in both forms.
#[derive(Debug)]
pub(crate) struct Answer {
    /// For programs.
    json: Value,
    /// For people.
    text: String,
    /// What went wrong after the main thing was done.
    pub(crate) partly: Option<Failure>,
}

impl Answer {
    /// Everything was said on the way.
    pub(crate) fn nothing() -> Self {
        Self { json: Value::Null, text: String::new(), partly: None }
    }

    /// Text of another form, such as CSV, that goes out as it is.
    pub(crate) fn text(json: &impl Serialize, text: String) -> Self {
        Self { json: serde_json::to_value(json).unwrap_or(Value::Null), text, partly: None }
    }

    /// An answer in both forms.
    pub(crate) fn new(json: &impl Serialize, page: Page) -> Self {
        Self { json: serde_json::to_value(json).unwrap_or(Value::Null), text: page.into_text(), partly: None }
    }
}

/// Where answers go.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    json: bool,
    style: Style,
    error_style: Style,
}

impl Output {
    /// Colour only on a terminal, and not if the person asked for none (<https://no-color.org>).
    pub(crate) fn new(json: bool) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
            && std::env::var_os("TERM").is_none_or(|t| t != "dumb");
        let on = |terminal: bool| {
            if wanted && terminal { Style::Colour } else { Style::Plain }
        };
        Self {
            json,
            style: if json { Style::Plain } else { on(std::io::stdout().is_terminal()) },
            error_style: on(std::io::stderr().is_terminal()),
        }
    }

    /// An empty page in the right style, for times around `now`.
    pub(crate) fn page(&self, when: &When) -> Page {
        Page::new(self.style, when.clone())
    }

    /// Prints an answer on standard output. A reader that has gone away ends the command quietly.
    pub(crate) fn answer(&self, answer: &Answer) {
        let text = match self.json {
            true if answer.json.is_null() => String::new(),
            true => format!("{}\n", answer.json),
            false => answer.text.clone(),
        };
        let mut out = std::io::stdout().lock();
        if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
            std::process::exit(1);
        }
    }

    /// Says something beside the answer, for people only: warnings and progress go to standard error.
    pub(crate) fn aside(&self, text: &str) {
        if !self.json {
            let mut err = std::io::stderr().lock();
            let _ = writeln!(err, "{}", self.error_style.dim(text));
        }
    }

    /// Whether people watch on a terminal what is said beside the answer.
    pub(crate) fn has_terminal(&self) -> bool {
        !self.json && std::io::stderr().is_terminal()
    }

    /// Something that must not be overlooked, for people.
    pub(crate) fn loud(&self, text: &str) {
        if !self.json {
            let mut err = std::io::stderr().lock();
            let _ = writeln!(err, "{}", self.error_style.alarm(text));
        }
    }

    /// Prints a failure on standard error.
    pub(crate) fn failure(&self, failure: &Failure) {
        let text = if self.json {
            serde_json::json!({ "error": failure.problem() }).to_string()
        } else {
            self.error_style.alarm(&failure.sentence())
        };
        let mut err = std::io::stderr().lock();
        let _ = writeln!(err, "{text}");
    }
}

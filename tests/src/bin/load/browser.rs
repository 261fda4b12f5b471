//! Real pages in Chromium: measured by a script of the app's own tests, which this one starts and whose figures it takes.

use crate::report::Report;
use serde::Deserialize;
use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

const SCRIPT: &str = "web/tests/measure/main.mjs";

/// A line of the script's answer.
#[derive(Debug, Deserialize)]
struct Figure {
    name: String,
    value: f64,
    unit: String,
    goal: Option<f64>,
}

/// Measures, or says why it can't.
pub(crate) fn measure(report: &mut Report, quick: bool) {
    eprintln!("browser");
    let mut command = Command::new("node");
    command.arg(SCRIPT).stdout(Stdio::piped());
    if quick {
        command.arg("--quick");
    }
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(e) => return eprintln!("  NOT MEASURED: node can't be started ({e})"),
    };
    let answer = BufReader::new(child.stdout.take().expect("its output is piped"));
    for line in answer.lines() {
        let line = line.expect("the script's output is text");
        let Figure { name, value, unit, goal } = serde_json::from_str(&line).expect("a figure");
        match goal {
            Some(goal) => report.at_most(name, value, unit, goal),
            None => report.told(name, value, unit),
        }
    }
    let status = child.wait().expect("the script ends");
    if !status.success() {
        report.at_most("browser: parts that could not be measured (said above)", 1.0, "", 0.0);
    }
}

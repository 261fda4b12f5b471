//! Figures against their goals: a table for people, JSON for programs.

use serde::Serialize;
use std::{path::Path, time::Duration};

/// One figure.
#[derive(Debug, Serialize)]
struct Figure {
    name: String,
    value: f64,
    unit: String,
    goal: String,
    met: bool,
}

/// All figures of a run.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<Figure>);

impl Report {
    /// A figure that should be at least `goal`.
    pub(crate) fn at_least(&mut self, name: impl Into<String>, value: f64, unit: impl Into<String>, goal: f64) {
        self.add(name.into(), value, unit.into(), format!(">= {goal}"), value >= goal);
    }

    /// A figure that should be at most `goal`.
    pub(crate) fn at_most(&mut self, name: impl Into<String>, value: f64, unit: impl Into<String>, goal: f64) {
        self.add(name.into(), value, unit.into(), format!("<= {goal}"), value <= goal);
    }

    /// A figure without a goal of its own.
    pub(crate) fn told(&mut self, name: impl Into<String>, value: f64, unit: impl Into<String>) {
        self.add(name.into(), value, unit.into(), String::new(), true);
    }

    fn add(&mut self, name: String, value: f64, unit: String, goal: String, met: bool) {
        let value = (value * 100.0).round() / 100.0;
        eprintln!("  {name}: {value} {unit}");
        self.0.push(Figure { name, value, unit, goal, met });
    }

    /// The table.
    pub(crate) fn print(&self) {
        let width = self.0.iter().map(|f| f.name.len()).max().unwrap_or(0);
        println!("\n{:width$}  {:>12}  {:<10}  {:<12}", "figure", "measured", "unit", "goal");
        for Figure { name, value, unit, goal, met } in &self.0 {
            let verdict = if goal.is_empty() {
                ""
            } else if *met {
                "met"
            } else {
                "NOT MET"
            };
            println!("{name:width$}  {value:>12.2}  {unit:<10}  {goal:<12}  {verdict}");
        }
    }

    /// The list for programs.
    pub(crate) fn write(&self, file: &Path) {
        if let Some(dir) = file.parent() {
            std::fs::create_dir_all(dir).expect("a directory for the report");
        }
        std::fs::write(file, serde_json::to_vec_pretty(&self.0).expect("figures encode")).expect("writing the report");
    }
}

/// The value below which `share` of the samples lie, in milliseconds.
pub(crate) fn percentile(samples: &mut [Duration], share: f64) -> f64 {
    samples.sort_unstable();
    let index = ((samples.len() as f64 * share).ceil() as usize).clamp(1, samples.len().max(1)) - 1;
    samples.get(index).map_or(f64::NAN, |d| d.as_secs_f64() * 1_000.0)
}

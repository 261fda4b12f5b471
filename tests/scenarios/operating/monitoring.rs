//! deploy/monitoring against the server: every metric and label that a rule or a picture asks for is really there, and
//! every alert has its section in the runbook.

use firstlight_protocol::callout::{Action, FailReason};
use firstlight_tests::{
    inproc::{Cast, run},
    world::routing,
};
use reqwest::Method;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A file of the project.
fn file(path: &str) -> String {
    let path = format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn alerts() -> String {
    file("deploy/monitoring/alerts.yaml")
}

/// What others export: Prometheus itself, and postgres_exporter.
const FOREIGN: [&str; 2] = ["up", "pg_replication_lag_seconds"];
/// Labels that Prometheus adds, or that histograms have.
const GIVEN: [&str; 3] = ["job", "instance", "le"];
/// Words of the language.
const LANGUAGE: [&str; 24] = [
    "sum",
    "by",
    "max",
    "min",
    "rate",
    "increase",
    "histogram_quantile",
    "absent",
    "max_over_time",
    "and",
    "or",
    "unless",
    "on",
    "without",
    "count",
    "avg",
    "bool",
    "offset",
    "ignoring",
    "clamp_min",
    "vector",
    "time",
    "s",
    "h",
];

/// The labels and values of each metric.
type Exported = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// What the server exports after some work, and what its table says that it exports at other times.
async fn exported() -> Exported {
    let cast = Cast::new().await;
    let mut primary = cast.primary.connect().await;
    let id = cast.officer.open_callout(routing("north", cast.now())).await.unwrap().id;
    primary.page().await;
    cast.primary.act(id, Action::Accept { eta_minutes: 30 }).await.unwrap();
    let text = cast.server.operations().send(Method::GET, "/metrics", None, None).await.body;
    let mut all = Exported::new();
    for line in String::from_utf8(text).unwrap().lines().filter(|line| !line.starts_with('#')) {
        let series = line.rsplit_once(' ').unwrap().0;
        let (name, labels) = selector(series);
        let known = all.entry(name.into()).or_default();
        for (label, _, value) in labels {
            known.entry(label).or_default().insert(value);
        }
    }
    let table = file("server/src/telemetry/mod.rs");
    for line in table.lines().filter_map(|line| line.strip_prefix("//! | `firstlight_")) {
        let (name, rest) = line.split_once("` |").unwrap();
        let labels = rest.split('|').next().unwrap();
        let labels = labels.split(',').map(|label| label.trim().to_owned()).filter(|label| !label.is_empty());
        // Histograms have three names each; those that were scraped are known already.
        let known = all.entry(format!("firstlight_{name}")).or_default();
        // What did not happen now has its word in the table all the same.
        let words = rest.split('`').skip(1).step_by(2);
        for label in labels {
            known.entry(label).or_default().extend(words.clone().map(str::to_owned));
        }
    }
    let outcomes = all.get_mut("firstlight_pages_total").unwrap().get_mut("outcome").unwrap();
    outcomes.extend(FailReason::ALL.iter().map(|reason| reason.as_str().to_owned()));
    all
}

/// A metric's name and its labels: which, how compared, with what.
fn selector(text: &str) -> (&str, Vec<(String, String, String)>) {
    let Some((name, rest)) = text.split_once('{') else { return (text, Vec::new()) };
    let inside = rest.trim_end_matches('}');
    let one = |pair: &str| {
        let at = pair.find(['=', '!']).unwrap();
        let (label, rest) = pair.split_at(at);
        let (operator, value) = rest.split_at(rest.find('"').unwrap());
        (label.trim().to_owned(), operator.trim().to_owned(), value.trim_matches('"').to_owned())
    };
    (name, inside.split(',').filter(|pair| !pair.is_empty()).map(one).collect())
}

/// Every identifier of an expression that is no word of the language, each with its labels if it has braces.
fn identifiers(expression: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = expression;
    while let Some(at) = rest.find(|c: char| c.is_ascii_alphanumeric() || "_\"$".contains(c)) {
        rest = &rest[at..];
        if let Some(text) = rest.strip_prefix('"') {
            rest = &text[text.find('"').unwrap() + 1..];
            continue;
        }
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_:$.".contains(c))).unwrap_or(rest.len());
        let mut whole = end;
        if rest[end..].starts_with('{') {
            whole = end + rest[end..].find('}').unwrap() + 1;
        }
        if rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            found.push(rest[..whole].to_owned());
        }
        rest = &rest[whole..];
    }
    found
}

/// What is wrong with an expression.
fn wrong(expression: &str, exported: &Exported) -> Vec<String> {
    let mut wrong = Vec::new();
    let all_labels: BTreeSet<&str> = exported.values().flat_map(|labels| labels.keys()).map(String::as_str).collect();
    for found in identifiers(expression) {
        let (name, labels) = selector(&found);
        if LANGUAGE.contains(&name) || GIVEN.contains(&name) || FOREIGN.contains(&name) || all_labels.contains(name) {
            continue;
        }
        let Some(known) = exported.get(name) else {
            wrong.push(format!("no metric {name}"));
            continue;
        };
        for (label, operator, value) in labels {
            let Some(values) = known.get(&label) else {
                if !GIVEN.contains(&label.as_str()) {
                    wrong.push(format!("{name} has no label {label}"));
                }
                continue;
            };
            let words = if operator.contains('~') { value.split('|').collect() } else { vec![value.as_str()] };
            wrong.extend(
                words
                    .iter()
                    .filter(|word| !values.contains(**word))
                    .map(|word| format!("{name}: no {label} is {word}")),
            );
        }
    }
    wrong
}

fn expressions_of(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value.as_str() {
                    Some(text) if key == "expr" => found.push(text.to_owned()),
                    _ => expressions_of(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| expressions_of(value, found)),
        _ => {}
    }
}

#[test]
fn rules_and_pictures_ask_for_what_the_server_exports() {
    run(async {
        let exported = exported().await;
        let rules = alerts();
        let mut expressions: Vec<String> =
            rules.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).map(str::to_owned).collect();
        let alerts = rules.lines().filter(|line| line.trim().starts_with("- alert: ")).count();
        assert!(alerts > 10 && expressions.len() == alerts, "each alert's expression is one line");
        expressions_of(&serde_json::from_str(&file("deploy/monitoring/dashboard.json")).unwrap(), &mut expressions);
        assert!(expressions.len() > alerts + 10);
        let found: Vec<_> = expressions
            .iter()
            .flat_map(|one| wrong(one, &exported).into_iter().map(move |wrong| format!("{wrong}: {one}")))
            .collect();
        assert!(found.is_empty(), "{found:#?}");
        // The check itself finds what it is there for.
        for (bad, words) in [
            ("firstlight_timers_late > 0", "no metric"),
            ("sum by (zone) (firstlight_pages_total{person=\"x\"})", "no metric zone"),
            ("firstlight_pages_total{person=\"x\"}", "no label person"),
            ("rate(firstlight_heartbeats_total{outcome=~\"sent|lost\"}[5m])", "no outcome is lost"),
        ] {
            let told = self::wrong(bad, &exported);
            assert!(told.iter().any(|told| told.contains(words)), "{bad}: {told:?}");
        }
    });
}

#[test]
fn every_alert_has_its_section_in_the_runbook() {
    let (rules, runbook) = (alerts(), file("deploy/RUNBOOK.md"));
    let alerts: Vec<_> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    let sections: BTreeSet<_> = runbook.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    for alert in &alerts {
        assert!(sections.contains(alert), "{alert} has no section in deploy/RUNBOOK.md");
        let link = format!("RUNBOOK.md#{}", alert.to_lowercase());
        assert!(rules.contains(&link), "{alert} does not lead to its section");
    }
    let unique: BTreeSet<_> = alerts.iter().collect();
    assert_eq!(unique.len(), alerts.len());
}

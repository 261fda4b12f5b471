//! Agencies' lines to the duty number: for officers without an app.

use super::{context::Context, failure::Failure, output::Answer, pick::pick, values::yes_no};
use clap::{Args, Subcommand};
use firstlight_client::session::{Session, random};
use firstlight_protocol::{
    LineId, OrgId,
    api::{AddLine, LineAdded, LineSettings},
    callout::{Code, Language},
    line::{DEFAULT_QUOTA, Line},
};
use serde_json::json;

/// Commands about lines.
#[derive(Debug, Subcommand)]
pub(crate) enum Lines {
    /// List the lines; their codes are never shown again
    List,
    /// Add an agency's line; its code is shown once
    Add(Add),
    /// Change a line; what is not named stays
    Change(Change),
    /// Give a line a new code, shown once; the old one opens nothing any more
    Code {
        /// The line's id, or its end
        line: String,
    },
    /// Remove a line with its keys
    Remove {
        /// The line's id, or its end
        line: String,
    },
}

/// A new line.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The agency: an organisation's id, its end, or its name
    #[arg(long)]
    agency: String,
    /// The zone of its callouts
    #[arg(long)]
    zone: Code,
    /// The registered site of its callouts
    #[arg(long)]
    site: Option<Code>,
    /// Languages in which callers are spoken to; repeat for each, best first
    #[arg(long = "language", value_name = "CODE")]
    languages: Vec<Language>,
    /// Callouts that it may open in 24 hours
    #[arg(long, default_value_t = DEFAULT_QUOTA)]
    quota: u16,
    /// Digits of its code, 6 to 8
    #[arg(long, default_value_t = 8)]
    digits: u8,
}

/// What to change.
#[derive(Debug, Args)]
pub(crate) struct Change {
    /// The line's id, or its end
    line: String,
    /// The zone of its callouts
    #[arg(long)]
    zone: Option<Code>,
    /// The registered site of its callouts
    #[arg(long)]
    site: Option<Code>,
    /// Languages in which callers are spoken to; repeat for each. Replaces the list
    #[arg(long = "language", value_name = "CODE")]
    languages: Vec<Language>,
    /// Callouts that it may open in 24 hours
    #[arg(long)]
    quota: Option<u16>,
    /// Whether it opens callouts
    #[arg(long, value_parser = yes_no, action = clap::ArgAction::Set)]
    active: Option<bool>,
}

impl Lines {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let session = context.session().await?;
        match self {
            Self::List => {
                let lines = session.api().lines().await?;
                let mut page = context.page();
                page.title("Lines to the duty number");
                let rows: Vec<Vec<String>> = lines.iter().map(row).collect();
                page.table(&["ID", "AGENCY", "ZONE", "SITE", "LANGUAGES", "A DAY", "ACTIVE"], &rows, "none");
                Ok(Answer::new(&json!({ "lines": lines }), page))
            }
            Self::Add(Add { agency, zone, site, languages, quota, digits }) => {
                let agency = find_agency(&session, &agency).await?;
                let settings = LineSettings { zone, site, languages, active: true, quota };
                let body = AddLine { id: LineId(random()?), agency, code_digits: digits, settings };
                Ok(added(context, &session.api().add_line(&body).await?))
            }
            Self::Change(change) => {
                let line = find_line(&session, &change.line).await?;
                let Change { zone, site, languages, quota, active, .. } = change;
                let settings = LineSettings {
                    zone: zone.unwrap_or(line.zone),
                    site: site.or(line.site),
                    languages: if languages.is_empty() { line.languages } else { languages },
                    active: active.unwrap_or(line.active),
                    quota: quota.unwrap_or(line.quota),
                };
                let line = session.api().change_line(line.id, &settings).await?;
                Ok(added(context, &LineAdded { line, code: None }))
            }
            Self::Code { line } => {
                let line = find_line(&session, &line).await?;
                Ok(added(context, &session.api().renew_line_code(line.id).await?))
            }
            Self::Remove { line } => {
                let line = find_line(&session, &line).await?;
                session.api().remove_line(line.id).await?;
                let mut page = context.page();
                page.title(&format!(
                    "Line {} is removed: its code and its keys open nothing any more",
                    line.id.short()
                ));
                Ok(Answer::new(&json!({ "line": line.id, "status": "removed" }), page))
            }
        }
    }
}

fn row(line: &Line) -> Vec<String> {
    vec![
        line.id.short(),
        line.agency.short(),
        line.zone.to_string(),
        line.site.as_ref().map(ToString::to_string).unwrap_or_default(),
        line.languages.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        line.quota.to_string(),
        if line.active { "yes" } else { "no" }.into(),
    ]
}

fn added(context: &Context, answer: &LineAdded) -> Answer {
    let mut page = context.page();
    page.title(&format!("Line {}", answer.line.id.short()));
    page.row("agency", &answer.line.agency.to_string());
    page.row("zone", answer.line.zone.as_str());
    page.row("active", if answer.line.active { "yes" } else { "no" });
    if let Some(code) = &answer.code {
        page.row("code", code.reveal());
        page.note(
            "The code is shown this once. Officers of the agency key it in, or send it by SMS; hand it to nobody else.",
        );
    }
    Answer::new(answer, page)
}

/// A line by its id or the end of it.
pub(crate) async fn find_line(session: &Session, text: &str) -> Result<Line, Failure> {
    let lines = session.api().lines().await?;
    let id = pick("line", text, lines.iter().map(|line| line.id))?;
    lines.into_iter().find(|line| line.id == id).ok_or_else(|| Failure::missing("There is no such line."))
}

async fn find_agency(session: &Session, text: &str) -> Result<OrgId, Failure> {
    let organisations = session.api().organisations().await?;
    let wanted = text.trim().to_lowercase();
    let mut named = organisations.iter().filter(|org| org.name.to_lowercase() == wanted);
    if let (Some(one), None) = (named.next(), named.next()) {
        return Ok(one.org);
    }
    pick("organisation", text, organisations.iter().map(|org| org.org))
}

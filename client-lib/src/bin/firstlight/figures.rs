//! Figures over callouts, and the printable report.

use super::{
    context::Context,
    failure::Failure,
    output::{Answer, Page, took},
    values::{moment_or_day, word},
};
use clap::Args;
use firstlight_client::transport::FigurePeriod;
use firstlight_protocol::{
    ErrorCode, Timestamp,
    figures::{FigureTable, Figures, GroupBy, ShareFigure, TimeFigure},
    policy::Millis,
};
use serde_json::json;
use std::{fs::OpenOptions, io::Write, os::unix::fs::OpenOptionsExt, path::PathBuf};

/// The time that figures cover, and for whom they are.
#[derive(Debug, Args)]
pub(crate) struct Period {
    /// Callouts opened from this day or moment on [default: a year before the end]
    #[arg(long, value_name = "DAY", value_parser = moment_or_day)]
    from: Option<Timestamp>,
    /// Callouts opened before this day or moment [default: the end of this month]
    #[arg(long, value_name = "DAY", value_parser = moment_or_day)]
    until: Option<Timestamp>,
    /// For eyes outside the organisation: withholds small cells, covers whole months
    #[arg(long)]
    outside: bool,
}

impl Period {
    fn wish(&self) -> FigurePeriod {
        FigurePeriod { from: self.from, until: self.until, outside: self.outside }
    }
}

/// `firstlight figures`.
#[derive(Debug, Args)]
pub(crate) struct FiguresCommand {
    /// zone, agency or month
    #[arg(long, default_value = "zone", value_parser = word(GroupBy::ALL))]
    by: GroupBy,
    #[command(flatten)]
    period: Period,
    /// As CSV, for a spreadsheet
    #[arg(long)]
    csv: bool,
    /// Each callout's codes and times as JSON instead of a table; for the organisation itself
    #[arg(long, conflicts_with_all = ["csv", "outside", "by"])]
    each_callout: bool,
}

impl FiguresCommand {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let session = context.session().await?;
        let api = session.api();
        if self.each_callout {
            let export = api.export_figures(self.period.wish()).await?;
            let text = serde_json::to_string_pretty(&export).unwrap_or_default() + "\n";
            return Ok(Answer::text(&export, text));
        }
        if self.csv {
            let csv = api.figures_csv(self.by, self.period.wish()).await?;
            return Ok(Answer::text(&json!({ "csv": csv }), csv));
        }
        let table = api.figures(self.by, self.period.wish()).await?;
        let mut page = context.page();
        describe(&mut page, &table);
        Ok(Answer::new(&table, page))
    }
}

/// `firstlight report`.
#[derive(Debug, Args)]
pub(crate) struct ReportCommand {
    /// The file to write: one page of HTML that loads nothing
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    period: Period,
}

impl ReportCommand {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let html = context.session().await?.api().report(self.period.wish()).await?;
        let file = self.out.display();
        // It may hold what must not leave the organisation.
        let written = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&self.out);
        written
            .and_then(|mut out| out.write_all(html.as_bytes()).and_then(|()| out.sync_all()))
            .map_err(|e| Failure::local(ErrorCode::InvalidValue, format!("{file} can't be written: {e}.")))?;
        let mut page = context.page();
        page.line(&format!("Written to {file}: open it in a browser, and print it from there."));
        if !self.period.outside {
            page.note("It holds small cells: for the organisation itself. For others, make one with --outside.");
        }
        Ok(Answer::new(&json!({ "file": self.out, "bytes": html.len(), "outside": self.period.outside }), page))
    }
}

fn describe(page: &mut Page, table: &FigureTable) {
    let (from, until) = (page.when().clock(table.from), page.when().clock(table.until));
    page.title(&format!("Callouts by {}, opened from {from} until {until}", table.by));
    let head = [
        "",
        "CALLOUTS",
        "CONTACT-CALLOUT",
        "AWAKE",
        "P90",
        "GOING",
        "P90",
        "THERE",
        "P90",
        "IN TARGET",
        "UNANSWERED",
        "DUPLICATES",
        "CANCELLED",
        "LATE",
        "LANGUAGE",
    ];
    let mut rows: Vec<Vec<String>> = table
        .rows
        .iter()
        .map(|row| {
            let name = match row.key.as_str() {
                "others" => "others, together".to_owned(),
                key => row.name.clone().unwrap_or_else(|| key.to_owned()),
            };
            cells(name, &row.figures)
        })
        .collect();
    rows.push(cells("all".to_owned(), &table.total));
    page.table(&head, &rows, "");
    page.note("  AWAKE, GOING, THERE: median after the callout, and what nine of ten did not exceed.");
    if table.outside {
        page.note("  *: withheld, since it would tell something about fewer than five callouts.");
    }
}

fn cells(name: String, f: &Figures) -> Vec<String> {
    let count = |n: Option<u64>| n.map_or_else(|| "*".to_owned(), |n| n.to_string());
    let mut cells = vec![name, count(f.callouts), time(f.first_contact_to_callout)[0].clone()];
    cells.extend([f.to_acknowledge, f.to_accept, f.to_arrive].into_iter().flat_map(time));
    cells.push(share(f.within_target));
    cells.extend([f.unanswered, f.duplicates, f.cancelled, f.called_late].map(count));
    cells.push(share(f.language_match));
    cells
}

fn time(time: Option<TimeFigure>) -> [String; 2] {
    let say = |time: Option<Millis>| time.map_or_else(|| "-".to_owned(), |time| took(u128::from(time.0)));
    time.map_or_else(|| ["*".to_owned(), "*".to_owned()], |time| [say(time.median_ms), say(time.p90_ms)])
}

fn share(share: Option<ShareFigure>) -> String {
    match share {
        None => "*".to_owned(),
        Some(share) => share.per_cent.map_or_else(|| "-".to_owned(), |n| format!("{n} %")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{Style, When};
    use firstlight_protocol::figures::FigureRow;

    #[test]
    fn a_table_says_what_is_withheld_and_what_was_not_measured() {
        let arrived =
            TimeFigure { measured: None, median_ms: Some(Millis(2_524_000)), p90_ms: Some(Millis(3_780_000)) };
        let figures = Figures {
            callouts: Some(40),
            to_arrive: Some(arrived),
            to_accept: Some(TimeFigure { measured: Some(0), median_ms: None, p90_ms: None }),
            within_target: Some(ShareFigure { of: None, met: None, per_cent: Some(85) }),
            ..Figures::default()
        };
        let table = FigureTable {
            by: GroupBy::Zone,
            from: Timestamp(0),
            until: Timestamp(86_400_000),
            tz: "UTC".into(),
            outside: true,
            rows: vec![FigureRow { key: "north".into(), name: None, figures }],
            total: figures,
        };
        let mut page = Page::new(Style::Plain, When::utc(Timestamp(0)));
        describe(&mut page, &table);
        let text = page.into_text();
        let north = text.lines().find(|line| line.trim_start().starts_with("north")).unwrap();
        let cells: Vec<&str> = north.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
        assert_eq!(
            cells,
            ["north", "40", "*", "*", "*", "-", "-", "42 min 4 s", "63 min", "85 %", "*", "*", "*", "*", "*"]
        );
        assert!(text.contains("*: withheld"));
    }
}

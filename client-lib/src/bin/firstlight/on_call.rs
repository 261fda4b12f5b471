//! Who is on call.

use super::{context::Context, failure::Failure, output::Answer, values::moment, words};
use clap::Args;
use firstlight_protocol::{Timestamp, api::OnCallView};

/// Who is on call.
#[derive(Debug, Args)]
pub(crate) struct OnCall {
    /// At another moment, such as 2026-03-08T22:00:00Z
    #[arg(long, value_parser = moment)]
    at: Option<Timestamp>,
}

impl OnCall {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let session = context.session().await?;
        Ok(show(context, &session.api().on_call(self.at).await?))
    }
}

fn show(context: &Context, view: &OnCallView) -> Answer {
    let mut page = context.page();
    page.title(&format!("On call at {}", page.when().clock(view.at)));
    for tier in &view.tiers {
        let people: Vec<String> = tier
            .people
            .iter()
            .map(|p| match p.connected {
                Some(true) => format!("{} (connected)", p.work_name),
                Some(false) => format!("{} (NOT connected)", p.work_name),
                None => p.work_name.clone(),
            })
            .collect();
        match people.is_empty() {
            true => {
                page.dressed_row(words::tier(tier.tier), "NOBODY: a gap, the next tier is called at once", |s, t| {
                    s.alarm(t)
                })
            }
            false => page.row(words::tier(tier.tier), &people.join("\n")),
        }
    }
    if let Some(next) = view.next_change {
        page.time("changes", next);
    }
    Answer::new(view, page)
}

//! The rota: two weeks of it at a glance, and everything that changes it.

mod edit;
mod feeds;
mod reports;
mod verbs;

use super::{context::Context, failure::Failure, output::Answer};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// The rota; without a command, the next two weeks.
#[derive(Debug, Args)]
pub(crate) struct Rota {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Who is on duty, day by day
    Schedule(reports::Schedule),
    /// The rota as one document
    Show,
    /// Replace the rota with a JSON document ("-": standard input)
    Set {
        /// The document: {"tz": "...", "layers": [...], "shifts": [...]}
        file: PathBuf,
    },
    /// Single shifts
    #[command(subcommand)]
    Shift(edit::ShiftCommand),
    /// People who take turns
    #[command(subcommand)]
    Layer(verbs::LayerCommand),
    /// Days that are not like others
    #[command(subcommand)]
    Holiday(verbs::HolidayCommand),
    /// Somebody else for a while
    #[command(subcommand)]
    Override(verbs::OverrideCommand),
    /// Who is away
    #[command(subcommand)]
    Absence(verbs::AbsenceCommand),
    /// Turns offered to somebody else, and their answers
    #[command(subcommand)]
    Swap(verbs::SwapCommand),
    /// Where nobody is on duty, in the next 90 days
    Gaps,
    /// Who carried how much, in the last 90 days
    Fairness,
    /// Secret calendar addresses
    #[command(subcommand)]
    Feed(feeds::FeedCommand),
}

impl Rota {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let session = context.session().await?;
        match self.command {
            None => reports::Schedule::two_weeks().run(context, &session).await,
            Some(Command::Schedule(command)) => command.run(context, &session).await,
            Some(Command::Show) => edit::show_rota(context, &session).await,
            Some(Command::Set { file }) => edit::set_rota(context, &session, &file).await,
            Some(Command::Shift(command)) => command.run(context, &session).await,
            Some(Command::Layer(command)) => command.run(context, &session).await,
            Some(Command::Holiday(command)) => command.run(context, &session).await,
            Some(Command::Override(command)) => command.run(context, &session).await,
            Some(Command::Absence(command)) => command.run(context, &session).await,
            Some(Command::Swap(command)) => command.run(context, &session).await,
            Some(Command::Gaps) => reports::gaps(context, &session).await,
            Some(Command::Fairness) => reports::fairness(context, &session).await,
            Some(Command::Feed(command)) => command.run(context, &session).await,
        }
    }
}

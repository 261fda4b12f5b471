//! Callouts: open one, see it, act on it.

mod act;
mod open;
mod pages;
mod record;
mod show;
mod timeline;

pub(crate) use open::FREE_TEXT;
pub(crate) use show::summarise;

use super::{context::Context, failure::Failure, output::Answer, pick::pick, values::word};
use clap::Subcommand;
use firstlight_client::session::Session;
use firstlight_protocol::{
    CalloutId,
    callout::{CalloutView, Welfare},
};

/// Commands about callouts.
#[derive(Debug, Subcommand)]
pub(crate) enum Callout {
    /// Call responders: the page goes out at once, the encrypted details follow
    Open(Box<open::Open>),
    /// List callouts, newest first
    List,
    /// Show one callout
    Show(Which),
    /// What happened when
    Timeline(Which),
    /// Every page with each of its tries, receipts, and why one failed; for supervisors
    Pages(Which),
    /// The after-action record: every time, how long things took, reasons, review
    Record(Which),
    /// Say how you are after a callout in which you took part; you and the supervisors see it
    Welfare {
        #[command(flatten)]
        which: Which,
        /// well, follow_up ("somebody should talk with me") or not_asked
        #[arg(long, value_parser = word(Welfare::ALL))]
        how: Welfare,
    },
    /// Build the room of a callout that you opened, if that did not work before
    BuildRoom(Which),
    #[command(flatten)]
    Act(act::Act),
}

/// Which callout.
#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// The callout's id, its end, or "latest" (the newest that is open)
    #[arg(default_value = "latest")]
    callout: String,
}

impl Which {
    /// Finds the callout.
    pub(crate) async fn find(&self, session: &Session) -> Result<CalloutId, Failure> {
        find(session, &self.callout).await
    }
}

/// A callout by its id, the end of its id, or "latest".
pub(crate) async fn find(session: &Session, text: &str) -> Result<CalloutId, Failure> {
    if let Ok(callout) = text.trim().parse() {
        return Ok(callout);
    }
    let callouts = session.api().callouts().await?;
    if text == "latest" {
        return latest(&callouts).ok_or_else(|| Failure::missing("There is no callout that you may see."));
    }
    pick("callout", text, callouts.iter().map(|view| view.id))
}

/// The newest open callout; if none is open, the newest.
fn latest(callouts: &[CalloutView]) -> Option<CalloutId> {
    let newest = |open: bool| callouts.iter().filter(|v| !open || v.state.is_open()).max_by_key(|v| v.opened_at);
    newest(true).or_else(|| newest(false)).map(|view| view.id)
}

impl Callout {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let session = context.session().await?;
        match self {
            Self::Open(open) => open.run(context, &session).await,
            Self::List => show::list(context, &session).await,
            Self::Show(which) => {
                let view = session.api().callout(which.find(&session).await?).await?;
                Ok(show::show(context, &view))
            }
            Self::Timeline(which) => {
                let callout = which.find(&session).await?;
                timeline::run(context, &session, callout).await
            }
            Self::Pages(which) => {
                let callout = which.find(&session).await?;
                pages::run(context, &session, callout).await
            }
            Self::Record(which) => record::show(context, &session, &which).await,
            Self::Welfare { which, how } => record::say_welfare(context, &session, &which, how).await,
            Self::BuildRoom(which) => {
                let callout = which.find(&session).await?;
                open::build_room(context, &session, callout).await
            }
            Self::Act(act) => act.run(context, &session).await,
        }
    }
}

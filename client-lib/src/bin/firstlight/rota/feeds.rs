//! Calendar feeds.

use crate::{context::Context, failure::Failure, output::Answer, people::find_person, pick::pick, values::word, words};
use clap::Subcommand;
use firstlight_client::session::{Session, random};
use firstlight_protocol::{
    FeedId,
    api::{FeedOf, MakeFeed},
    callout::Tier,
};
use serde_json::json;

/// Commands about feeds.
#[derive(Debug, Subcommand)]
pub(super) enum FeedCommand {
    /// Make a secret address for a calendar program; it is shown once
    Create {
        /// Whose duty: work name, or id, or its end [default: your own]
        #[arg(long, conflicts_with_all = ["tier", "rota"])]
        person: Option<String>,
        /// Everybody's of one tier
        #[arg(long, conflicts_with = "rota", value_parser = word(&[Tier::Primary, Tier::Backup, Tier::Supervisor]))]
        tier: Option<Tier>,
        /// Everybody's
        #[arg(long)]
        rota: bool,
    },
    /// Feeds, without their addresses
    List,
    /// End a feed
    Revoke {
        /// The feed's id, or its end
        feed: String,
    },
}

impl FeedCommand {
    /// Runs the command.
    pub(super) async fn run(self, context: &Context, session: &Session) -> Result<Answer, Failure> {
        let mut page = context.page();
        match self {
            Self::Create { person, tier, rota } => {
                let of = match (person, tier, rota) {
                    (Some(person), ..) => FeedOf::Person(find_person(session, &person).await?.person),
                    (None, Some(tier), _) => FeedOf::Tier(tier),
                    (None, None, true) => FeedOf::Rota,
                    (None, None, false) => FeedOf::Person(session.api().me().await?.person),
                };
                let made = session.api().make_feed(&MakeFeed { id: FeedId(random()?), of }).await?;
                let url = session.api().http().server().at(made.path.reveal());
                page.title("The calendar's address; whoever has it can read it, and it is not shown again:");
                page.line(&url);
                page.note(&format!("revoke it with: firstlight rota feed revoke {}", made.id.short()));
                Ok(Answer::new(&json!({ "id": made.id, "url": url }), page))
            }
            Self::List => {
                let feeds = session.api().feeds().await?;
                let people = session.api().people().await?;
                let name =
                    |id| people.iter().find(|p| p.person == id).map_or_else(|| id.short(), |p| p.work_name.clone());
                let rows: Vec<Vec<String>> = feeds
                    .iter()
                    .map(|feed| {
                        let of = match feed.of {
                            FeedOf::Person(person) => name(person),
                            FeedOf::Tier(tier) => format!("everybody: {}", words::tier(tier)),
                            FeedOf::Rota => "everybody".into(),
                        };
                        let revoked = feed.revoked_at.map(|at| page.when().clock(at));
                        vec![
                            feed.id.short(),
                            of,
                            name(feed.made_by),
                            page.when().clock(feed.made_at),
                            revoked.unwrap_or_default(),
                        ]
                    })
                    .collect();
                page.table(&["FEED", "SHOWS", "MADE BY", "MADE", "REVOKED"], &rows, "no feeds");
                Ok(Answer::new(&feeds, page))
            }
            Self::Revoke { feed } => {
                let known = session.api().feeds().await?;
                let feed = pick("feed", &feed, known.iter().map(|feed| feed.id))?;
                session.api().revoke_feed(feed).await?;
                page.line("Revoked: its address answers nobody any more.");
                Ok(Answer::new(&json!({ "id": feed }), page))
            }
        }
    }
}

//! Receiving and sending everything that waits, once.

use super::{
    context::Context,
    failure::Failure,
    happenings,
    output::{Answer, When},
};
use clap::Args;
use firstlight_client::session::{SessionError, now};
use serde_json::json;

/// Catching up.
#[derive(Debug, Args)]
pub(crate) struct Sync {}

impl Sync {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let session = context.session().await?;
        let (caught, result) = session.sync().await;
        let when = When::here(now());
        let mut told = Vec::new();
        for event in &caught.events {
            told.extend(happenings::event(&session, &when, event).await);
        }
        let pending = session.state().read(|engine| engine.pending()).await?;
        let unread: u32 = session.state().read(|engine| engine.rooms()).await?.iter().map(|room| room.unread).sum();
        result?;
        let mut page = context.page();
        page.title("Up to date");
        page.row("new", &told.iter().filter(|t| !t.text.is_empty()).count().to_string());
        page.row("unread", &unread.to_string());
        if !pending.is_empty() {
            page.dressed_row("NOT SENT", &pending.len().to_string(), |style, text| style.alarm(text));
        }
        for trouble in &caught.troubles {
            page.dressed_row("trouble", &trouble.to_string(), |style, text| style.alarm(text));
        }
        let troubles: Vec<_> = caught.troubles.iter().map(SessionError::problem).collect();
        let events: Vec<_> = told.into_iter().map(|told| told.json).collect();
        Ok(Answer::new(&json!({ "events": events, "unread": unread, "pending": pending, "troubles": troubles }), page))
    }
}

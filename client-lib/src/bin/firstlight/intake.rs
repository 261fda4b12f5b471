//! Keys of agencies' dispatch systems.

use super::{
    context::Context,
    failure::Failure,
    lines::find_line,
    output::Answer,
    pick::pick,
    values::{duration, word},
};
use clap::Subcommand;
use firstlight_client::session::random;
use firstlight_protocol::{
    IntakeKeyId,
    api::{AddIntakeKey, IntakeScope},
};
use serde_json::json;
use std::time::Duration;

/// Commands about the intake for dispatch systems.
#[derive(Debug, Subcommand)]
pub(crate) enum Intake {
    /// Keys with which a dispatch system opens callouts
    #[command(subcommand)]
    Key(Key),
}

/// Commands about keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Make a key for a line; it is shown once
    Create {
        /// The line's id, or its end
        line: String,
        /// What it may do; repeat for each
        #[arg(long = "scope", value_parser = word(IntakeScope::ALL), required = true)]
        scopes: Vec<IntakeScope>,
        /// How long it is good for, at most 730d
        #[arg(long, default_value = "365d", value_parser = duration)]
        expires: Duration,
    },
    /// List a line's keys
    List {
        /// The line's id, or its end
        line: String,
    },
    /// Revoke a key
    Revoke {
        /// The line's id, or its end
        line: String,
        /// The key's id, or its end
        key: String,
    },
}

impl Intake {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let Self::Key(command) = self;
        let session = context.session().await?;
        let (Key::Create { line, .. } | Key::List { line } | Key::Revoke { line, .. }) = &command;
        let line = find_line(&session, line).await?.id;
        let mut page = context.page();
        match command {
            Key::Create { scopes, expires, .. } => {
                let now = firstlight_client::session::now();
                let body = AddIntakeKey { id: IntakeKeyId(random()?), scopes, expires_at: now + expires };
                let added = session.api().add_intake_key(line, &body).await?;
                page.title(&format!("Key {}", added.key.id.short()));
                page.time("expires", added.key.expires_at);
                if let Some(secret) = &added.secret {
                    page.row("key", secret.reveal());
                    page.note("The key is shown this once. It goes into the dispatch system's own store of secrets.");
                }
                Ok(Answer::new(&added, page))
            }
            Key::List { .. } => {
                let keys = session.api().intake_keys(line).await?;
                page.title("Keys of dispatch systems");
                let rows: Vec<Vec<String>> = keys
                    .iter()
                    .map(|key| {
                        let scopes: Vec<_> = key.scopes.iter().map(|scope| scope.as_str()).collect();
                        let used = key.last_used_at.map_or_else(|| "never".into(), |at| at.to_string());
                        let state = if key.revoked_at.is_some() { "revoked" } else { "live" };
                        vec![key.id.short(), scopes.join(", "), key.expires_at.to_string(), used, state.into()]
                    })
                    .collect();
                page.table(&["ID", "SCOPES", "EXPIRES", "LAST USED", "STATE"], &rows, "none");
                Ok(Answer::new(&json!({ "keys": keys }), page))
            }
            Key::Revoke { key, .. } => {
                let keys = session.api().intake_keys(line).await?;
                let key = pick("key", &key, keys.iter().map(|key| key.id))?;
                session.api().revoke_intake_key(line, key).await?;
                page.title(&format!("Key {} is revoked", key.short()));
                Ok(Answer::new(&json!({ "key": key, "status": "revoked" }), page))
            }
        }
    }
}

//! Staying connected: pages, callouts and messages as they come, one line each.

use super::{
    context::Context,
    failure::Failure,
    happenings::{self, Told},
    output::{Answer, When},
    values::duration,
};
use clap::Args;
use firstlight_client::session::{Live, Session, now};
use firstlight_protocol::{ErrorCode, Timestamp};
use std::time::Duration;

/// Watching.
#[derive(Debug, Args)]
pub(crate) struct Watch {
    /// Receive what waits, show it, and end
    #[arg(long, conflicts_with_all = ["until", "timeout"])]
    once: bool,
    /// End when this happens: an event (page, message, members, stand_down, alarm, ...) or a callout's state
    /// (accepted, arrived, closed, ...)
    #[arg(long, value_name = "WORD")]
    until: Option<String>,
    /// Give up after this time
    #[arg(long, value_name = "TIME", value_parser = duration)]
    timeout: Option<Duration>,
}

impl Watch {
    /// Runs the command. Lines are printed as they come; the answer at the end is empty.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let session = context.session().await?;
        if self.once {
            return once(context, &session).await;
        }
        let mut live = Live::new(session.clone());
        let until = self.until.as_deref().map(|word| word.replace('-', "_"));
        let ended = self.follow(context, &session, &mut live, until.as_deref()).await;
        live.close().await;
        ended?;
        Ok(Answer::nothing())
    }

    async fn follow(
        &self,
        context: &Context,
        session: &Session,
        live: &mut Live,
        until: Option<&str>,
    ) -> Result<(), Failure> {
        let deadline = async {
            match self.timeout {
                Some(timeout) => tokio::time::sleep(timeout).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(deadline);
        let mut last = String::new();
        loop {
            let happening = tokio::select! {
                happening = live.next() => happening?,
                _ = tokio::signal::ctrl_c() => return Ok(()),
                () = &mut deadline => {
                    return match until {
                        Some(word) => Err(Failure::local(ErrorCode::Timeout, format!("\"{word}\" did not happen in time."))),
                        None => Ok(()),
                    };
                }
            };
            let Some(mut told) = happenings::happening(session, &When::here(now()), &happening).await else {
                continue;
            };
            if told.event == "callout" {
                // A callout changes in many ways that one line does not show: say each line once.
                if told.text == last {
                    told.text.clear();
                } else {
                    last.clone_from(&told.text);
                }
            }
            print(context, &told);
            if until.is_some_and(|word| told.is(word)) {
                return Ok(());
            }
        }
    }
}

fn print(context: &Context, told: &Told) {
    let mut page = context.page();
    let at = told.json["at"].as_i64().map_or_else(now, Timestamp);
    happenings::write(&mut page, at, told);
    context.out.answer(&Answer::new(&told.json, page));
}

async fn once(context: &Context, session: &Session) -> Result<Answer, Failure> {
    let (caught, result) = session.sync().await;
    let when = When::here(now());
    for event in &caught.events {
        if let Some(told) = happenings::event(session, &when, event).await {
            print(context, &told);
        }
    }
    for trouble in &caught.troubles {
        context.out.aside(&trouble.to_string());
    }
    result?;
    Ok(Answer::nothing())
}

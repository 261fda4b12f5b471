//! Setting a device up with an invite link.

use super::{context::Context, failure::Failure, org::read_link, output::Answer};
use clap::Args;
use firstlight_client::session::{Joining, Session, SessionError, State};
use firstlight_protocol::ErrorCode;
use serde_json::json;
use std::time::Duration;

/// How often an admin's decision is asked for: quickly at first, since the admin often sits beside.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Joining.
#[derive(Debug, Args)]
pub(crate) struct Join {
    /// The invite link; "-" reads it from standard input. Without it, goes on with the join that was begun
    link: Option<String>,
    /// Don't wait for the admin's decision; run "firstlight join" again later
    #[arg(long)]
    no_wait: bool,
}

impl Join {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let (state, joining) = match &self.link {
            Some(link) => {
                let link = read_link(link)?;
                let state = context.new_state()?;
                let joining = Joining::begin(&state, &link, context.insecure_http()).await?;
                (state, joining)
            }
            None => {
                let state = context.state()?;
                if state.device().await.is_ok() {
                    return Err(SessionError::AlreadySetUp.into());
                }
                let begun = Joining::stored(&state).await?;
                let joining =
                    begun.ok_or_else(|| Failure::Usage("Nothing was begun here: give an invite link.".into()))?;
                (state, joining)
            }
        };
        if !decided(context, &state, &joining, self.no_wait).await? {
            let mut page = context.page();
            page.title("Waiting for an admin");
            page.line("  The request is there. Once an admin has approved it, run \"firstlight join\" again.");
            return Ok(Answer::new(&json!({ "status": "pending" }), page));
        }
        enrolled(context, state).await
    }
}

async fn decided(context: &Context, state: &State, joining: &Joining, no_wait: bool) -> Result<bool, Failure> {
    let mut wait = FIRST_WAIT;
    let mut said = false;
    loop {
        match joining.poll(state).await {
            Ok(true) => return Ok(true),
            Ok(false) if no_wait => return Ok(false),
            Ok(false) => {}
            Err(e) if e.is_passing() && !no_wait => {}
            Err(e) => return Err(e.into()),
        }
        if !said {
            context.out.aside("Waiting for an admin to approve this device (\"firstlight devices approve\") ...");
            said = true;
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 3 / 2).min(LONGEST_WAIT);
    }
}

async fn enrolled(context: &Context, state: State) -> Result<Answer, Failure> {
    let session = Session::new(state, context.insecure_http()).await?;
    // Key packages: from now on others can add this device to rooms while it is away.
    context.catch_up(&session).await?;
    let identity = session
        .state()
        .read(|engine| engine.identity().cloned())
        .await?
        .ok_or_else(|| Failure::local(ErrorCode::Internal, "The certificate was not kept."))?;
    let mut page = context.page();
    page.title(&format!("Welcome, {}", identity.work_name));
    page.row("role", identity.role.as_str());
    page.row("person", &identity.person.to_string());
    page.row("device", &identity.device.to_string());
    page.time("valid until", identity.not_after);
    Ok(Answer::new(&json!({ "status": "enrolled", "identity": identity }), page))
}

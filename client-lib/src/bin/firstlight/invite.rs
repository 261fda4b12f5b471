//! Invites: links that set one device up, or found one partner organisation.

use super::{
    context::Context,
    failure::Failure,
    output::Answer,
    people::find_person,
    pick::pick,
    values::{duration, word},
};
use clap::Subcommand;
use firstlight_client::session::{MadeInvite, Session};
use firstlight_protocol::{
    OrgKind, Role,
    api::{InviteFor, InviteStatus, InviteView},
};
use serde_json::json;
use std::time::Duration;

/// Commands about invites.
#[derive(Debug, Subcommand)]
pub(crate) enum Invite {
    /// Invite a device of a new person, or a further device of somebody
    Create {
        /// The person's role
        #[arg(long, value_parser = word(Role::ALL), required_unless_present = "person")]
        role: Option<Role>,
        /// Their work name
        #[arg(long, required_unless_present = "person")]
        name: Option<String>,
        /// Somebody who is here already: role and work name stay theirs
        #[arg(long, value_name = "PERSON")]
        person: Option<String>,
        /// How long the link is good for, at most 14d
        #[arg(long, default_value = "24h", value_parser = duration)]
        expires: Duration,
    },
    /// Invite a partner organisation (host only)
    Partner {
        /// What it is
        #[arg(long, value_parser = word(OrgKind::ALL))]
        kind: OrgKind,
        /// Its name
        #[arg(long)]
        name: String,
        /// How long the link is good for, at most 14d
        #[arg(long, default_value = "24h", value_parser = duration)]
        expires: Duration,
    },
    /// List invites
    List,
    /// Withdraw an invite that was not used yet
    Withdraw {
        /// The invite's id, or its end
        invite: String,
    },
}

impl Invite {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let session = context.session().await?;
        match self {
            Self::Create { role, name, person, expires } => {
                let (person, name, role) = match person {
                    Some(text) => {
                        let known = find_person(&session, &text).await?;
                        if role.is_some_and(|r| r != known.role) || name.is_some_and(|n| n != known.work_name) {
                            return Err(Failure::Usage(
                                "Role and work name of somebody who is here already stay theirs.".into(),
                            ));
                        }
                        (Some(known.person), known.work_name, known.role)
                    }
                    None => (None, name.unwrap_or_default(), role.unwrap_or(Role::Advocate)),
                };
                made(context, &session.invite_device(person, &name, role, expires).await?)
            }
            Self::Partner { kind, name, expires } => {
                made(context, &session.invite(InviteFor::Organisation { kind, name }, expires).await?)
            }
            Self::List => list(context, &session).await,
            Self::Withdraw { invite } => {
                let known = session.api().invites().await?;
                let invite = pick("invite", &invite, known.iter().map(|view| view.invite))?;
                session.withdraw_invite(invite).await?;
                let mut page = context.page();
                page.title("Withdrawn");
                page.line("  The link is worthless now.");
                Ok(Answer::new(&json!({ "invite": invite, "status": InviteStatus::Withdrawn }), page))
            }
        }
    }
}

fn made(context: &Context, invite: &MadeInvite) -> Result<Answer, Failure> {
    let mut page = context.page();
    page.title(&format!("Invite for {}", purpose(&invite.purpose)));
    page.time("good until", invite.expires_at);
    page.row("invite", &invite.link.invite.to_string());
    page.line("");
    page.line(&invite.link.to_string());
    page.line("");
    page.note("Whoever holds this link may use it, once. Hand it over in person or on a channel that you trust.");
    let json = json!({
        "invite": invite.link.invite,
        "link": invite.link.to_string(),
        "for": invite.purpose,
        "expires_at": invite.expires_at,
    });
    Ok(Answer::new(&json, page))
}

fn purpose(purpose: &InviteFor) -> String {
    match purpose {
        InviteFor::Device { work_name, role, .. } => format!("{work_name} ({role})"),
        InviteFor::Organisation { kind, name } => format!("{name} ({kind})"),
    }
}

fn status(status: InviteStatus) -> &'static str {
    match status {
        InviteStatus::Open => "open",
        InviteStatus::Used => "used",
        InviteStatus::Withdrawn => "withdrawn",
        InviteStatus::Expired => "expired",
    }
}

async fn list(context: &Context, session: &Session) -> Result<Answer, Failure> {
    let invites: Vec<InviteView> = session.api().invites().await?;
    let mut page = context.page();
    page.title("Invites");
    let rows: Vec<Vec<String>> = invites
        .iter()
        .map(|i| vec![i.invite.short(), purpose(&i.purpose), status(i.status).into(), page.when().both(i.expires_at)])
        .collect();
    page.table(&["ID", "FOR", "STATUS", "GOOD UNTIL"], &rows, "none");
    Ok(Answer::new(&json!({ "invites": invites }), page))
}

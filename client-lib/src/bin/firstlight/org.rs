//! Organisations: found one, see it, print what restores it, approve and withdraw partners.

use super::{
    context::Context,
    failure::Failure,
    output::{Answer, Page},
    pick::pick,
    values::word,
};
use clap::{Args, Subcommand};
use firstlight_client::{
    session::{Founding, FoundingAllowance, Session, State},
    transport::ServerUrl,
};
use firstlight_protocol::{
    OrgId, OrgKind, Secret,
    api::{OrgStatus, OrgView},
    cert::Fingerprint,
    invite::InviteLink,
};
use serde_json::json;
use std::path::PathBuf;

/// Commands about organisations.
#[derive(Debug, Subcommand)]
pub(crate) enum Org {
    /// Found an organisation; this device becomes its first admin's, and holds its root key
    Create(Box<Create>),
    /// Show your organisation and this device
    Show,
    /// Print the recovery sheet, with the root key: for paper, to be locked away
    Sheet,
    /// List partner organisations (of the host), and those that wait
    Partners,
    /// Approve a partner that was founded with your invite
    Approve(Approve),
    /// Withdraw a partner: nothing of it is believed any more
    Withdraw {
        /// The organisation's id, or its end
        org: String,
    },
}

/// Founding.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("allowance").required(true).args(["bootstrap", "bootstrap_file", "invite"])))]
pub(crate) struct Create {
    /// The server's address (for the host; a partner's stands in its invite link)
    #[arg(long, value_name = "URL", conflicts_with = "invite", required_unless_present = "invite")]
    server: Option<String>,
    /// The one-time token that the operator finds in the server's data directory
    #[arg(long, value_name = "TOKEN")]
    bootstrap: Option<String>,
    /// File with that token
    #[arg(long, value_name = "FILE")]
    bootstrap_file: Option<PathBuf>,
    /// The link with which the host invited this partner; "-" reads it from standard input
    #[arg(long, value_name = "LINK")]
    invite: Option<String>,
    /// The organisation's name
    #[arg(long)]
    name: String,
    /// What it is: victim_services, law_enforcement, child_welfare, probation, prosecution or care
    #[arg(long, value_parser = word(OrgKind::ALL))]
    kind: OrgKind,
    /// Work name of its first admin
    #[arg(long, value_name = "NAME")]
    admin_name: String,
}

/// Which partner.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Approve {
    /// The organisation's id, or its end
    org: Option<String>,
    /// Every one that was founded with an invite of this device
    #[arg(long)]
    all: bool,
}

impl Org {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        match self {
            Self::Create(create) => create.run(context).await,
            Self::Show => show(context, &context.session().await?).await,
            Self::Sheet => sheet(context, &context.state()?).await,
            Self::Partners => partners(context, &context.session().await?).await,
            Self::Approve(which) => which.run(context, &context.session().await?).await,
            Self::Withdraw { org } => withdraw(context, &context.session().await?, &org).await,
        }
    }
}

impl Create {
    async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let allowance = self.allowance(context.insecure_http())?;
        let founding = Founding { name: self.name, kind: self.kind, admin_name: self.admin_name };
        let state: State = context.new_state()?;
        let (session, view) = Session::found(state, &founding, &allowance, context.insecure_http()).await?;
        if view.status != OrgStatus::Pending {
            // Others can add this device to rooms from now on.
            context.catch_up(&session).await?;
        }
        let mut page = context.page();
        page.title(&format!("{} is founded", view.name));
        describe(&mut page, &view);
        page.line("");
        match view.status {
            OrgStatus::Pending => {
                page.line("It waits for an admin of the host: they run \"firstlight org approve\".");
            }
            _ => page.line(
                "Next: \"firstlight invite create\" for your people, \"firstlight policy set\" for the duty number.",
            ),
        }
        page.note(
            "This device alone holds the organisation's root key. Print \"firstlight org sheet\" and lock the paper away: \
             it is the only way back if this device is lost.",
        );
        Ok(Answer::new(&organisation(&view), page))
    }

    fn allowance(&self, insecure: bool) -> Result<FoundingAllowance, Failure> {
        if let Some(link) = &self.invite {
            return Ok(FoundingAllowance::Invite(Box::new(read_link(link)?)));
        }
        let server = ServerUrl::parse(self.server.as_deref().unwrap_or_default(), insecure)
            .map_err(|e| Failure::Usage(e.to_string()))?;
        let token = match (&self.bootstrap, &self.bootstrap_file) {
            (Some(token), _) => token.clone(),
            (None, Some(path)) => std::fs::read_to_string(path)
                .map_err(|e| Failure::Usage(format!("The bootstrap file can't be read: {e}.")))?,
            (None, None) => return Err(Failure::Usage("Give --bootstrap, --bootstrap-file or --invite.".into())),
        };
        Ok(FoundingAllowance::Bootstrap { server, token: Secret::new(token.trim()), insecure })
    }
}

/// An invite link from the command line or, so that it stays out of the shell's history, from standard input.
pub(crate) fn read_link(text: &str) -> Result<InviteLink, Failure> {
    let mut line = String::new();
    let text = match text {
        "-" => {
            std::io::stdin()
                .read_line(&mut line)
                .map_err(|e| Failure::Usage(format!("No link could be read: {e}.")))?;
            line.trim()
        }
        text => text.trim(),
    };
    text.parse().map_err(|e| Failure::Usage(format!("That is not an invite link: {e}.")))
}

async fn sheet(context: &Context, state: &State) -> Result<Answer, Failure> {
    let own = state.recovery_sheet().await?;
    let mut page = context.page();
    page.title("Recovery sheet");
    for line in own.sheet.to_text().lines() {
        page.line(line);
    }
    page.line("");
    page.note(
        "Whoever has this can sign for the organisation. Paper alone: no file, no photograph. \"firstlight recover\" reads it.",
    );
    let json = json!({
        "org": own.org,
        "server": own.sheet.server,
        "root": own.sheet.root,
        "host_root": own.sheet.host_root,
        "root_key": *own.sheet.root_key_text(),
    });
    Ok(Answer::new(&json, page))
}

pub(crate) fn organisation(view: &OrgView) -> serde_json::Value {
    json!({
        "org": view.org,
        "name": view.name,
        "kind": view.kind,
        "status": view.status,
        "root": Fingerprint::of(&view.root),
    })
}

pub(crate) fn describe(page: &mut Page, view: &OrgView) {
    page.row("organisation", &view.org.to_string());
    page.row("kind", view.kind.as_str());
    page.row("status", status(view.status));
    page.row("root", &Fingerprint::of(&view.root).to_string());
}

fn status(status: OrgStatus) -> &'static str {
    match status {
        OrgStatus::Host => "host of this server",
        OrgStatus::Pending => "waits for an admin of the host",
        OrgStatus::Partner => "partner",
        OrgStatus::Withdrawn => "withdrawn",
    }
}

async fn show(context: &Context, session: &Session) -> Result<Answer, Failure> {
    let identity = session.state().read(|engine| engine.identity().cloned()).await?.ok_or_else(not_enrolled)?;
    let view = session.organisation(identity.org).await?;
    let server = session.api().http().server().to_string();
    let mut page = context.page();
    page.title(&view.name);
    describe(&mut page, &view);
    page.title("This device");
    page.row("work name", &identity.work_name);
    page.row("role", identity.role.as_str());
    page.row("person", &identity.person.to_string());
    page.row("device", &identity.device.to_string());
    page.row("server", &server);
    page.time("valid until", identity.not_after);
    let mut json = organisation(&view);
    json["identity"] = json!(identity);
    json["server"] = json!(server);
    Ok(Answer::new(&json, page))
}

fn not_enrolled() -> Failure {
    firstlight_client::session::SessionError::NotEnrolled.into()
}

async fn partners(context: &Context, session: &Session) -> Result<Answer, Failure> {
    let mut views = session.api().organisations().await?;
    views.retain(|view| view.status != OrgStatus::Host);
    let mut page = context.page();
    page.title("Partner organisations");
    let rows: Vec<Vec<String>> = views
        .iter()
        .map(|v| vec![v.org.short(), v.name.clone(), v.kind.to_string(), status(v.status).into()])
        .collect();
    page.table(&["ID", "NAME", "KIND", "STATUS"], &rows, "none yet: invite one with \"firstlight invite partner\"");
    let list: Vec<_> = views.iter().map(organisation).collect();
    Ok(Answer::new(&json!({ "partners": list }), page))
}

impl Approve {
    async fn run(self, context: &Context, session: &Session) -> Result<Answer, Failure> {
        session.refresh_trust().await?;
        let waiting = session.pending_partners().await?;
        let chosen: Vec<OrgId> = match &self.org {
            Some(text) => vec![pick("waiting organisation", text, waiting.iter().map(|v| v.org))?],
            None => {
                let mut checked = Vec::new();
                for view in &waiting {
                    if session.check_partner(view).await.is_ok() {
                        checked.push(view.org);
                    }
                }
                checked
            }
        };
        let mut approved = Vec::new();
        for org in chosen {
            approved.push(session.approve_partner(org).await?);
        }
        let mut page = context.page();
        page.title(if approved.is_empty() { "Nothing waits for this device" } else { "Approved" });
        for partner in &approved {
            page.row(&partner.org.short(), &format!("{} ({})", partner.name, partner.kind));
            page.row("root", &partner.root.to_string());
        }
        Ok(Answer::new(&json!({ "approved": approved }), page))
    }
}

async fn withdraw(context: &Context, session: &Session, text: &str) -> Result<Answer, Failure> {
    let views = session.api().organisations().await?;
    let partners = views.iter().filter(|view| view.status == OrgStatus::Partner);
    let org = pick("partner", text, partners.map(|view| view.org))?;
    let statement = session.withdraw_partner(org).await?;
    let mut page = context.page();
    page.title(&format!("{} is no longer a partner", statement.name));
    page.line("  Nothing that its devices say is believed any more.");
    Ok(Answer::new(&json!({ "org": org, "name": statement.name, "status": OrgStatus::Withdrawn }), page))
}

//! Devices: those that wait, those that are here, and revoking one.

use super::{context::Context, failure::Failure, output::Answer, pick::pick};
use clap::{Args, Subcommand};
use firstlight_client::session::{PendingDevice, Session};
use firstlight_protocol::{DeviceId, api::PersonView};
use serde_json::json;

/// Commands about devices.
#[derive(Debug, Subcommand)]
pub(crate) enum Devices {
    /// List your organisation's devices
    List,
    /// List devices that wait for an admin
    Pending,
    /// Sign the certificates of devices that wait
    Approve(Approve),
    /// Refuse a device that waits
    Refuse {
        /// The device's id, or its end
        device: String,
    },
    /// Revoke a device for good: its connections close, and it is removed from its rooms
    Revoke {
        /// The device's id, or its end
        device: String,
    },
}

/// Which devices.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Approve {
    /// The device's id, or its end
    device: Option<String>,
    /// Every one whose request was made with an invite of this device
    #[arg(long)]
    all: bool,
}

impl Devices {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let session = context.session().await?;
        match self {
            Self::List => list(context, &session).await,
            Self::Pending => pending(context, &session).await,
            Self::Approve(which) => which.run(context, &session).await,
            Self::Refuse { device } => {
                let waiting = session.pending_devices().await?;
                let device = pick("waiting device", &device, waiting.iter().map(|w| w.device))?;
                session.api().refuse_enrolment(device).await?;
                let mut page = context.page();
                page.title("Refused");
                page.line("  Its invite is used up; the device learns of it when it asks.");
                Ok(Answer::new(&json!({ "device": device, "status": "refused" }), page))
            }
            Self::Revoke { device } => revoke(context, &session, &device).await,
        }
    }
}

async fn list(context: &Context, session: &Session) -> Result<Answer, Failure> {
    let people: Vec<PersonView> = session.api().people().await?;
    let mut page = context.page();
    page.title("Devices");
    let mut rows = Vec::new();
    for person in &people {
        for device in &person.devices {
            let standing = match (device.revoked_at, device.last_seen_at) {
                (Some(at), _) => format!("revoked {}", page.when().away(at)),
                (None, Some(at)) => format!("seen {}", page.when().away(at)),
                (None, None) => "enrolled".into(),
            };
            rows.push(vec![device.device.short(), person.work_name.clone(), person.role.to_string(), standing]);
        }
    }
    page.table(&["DEVICE", "NAME", "ROLE", "STATUS"], &rows, "none");
    let list: Vec<_> = people
        .iter()
        .flat_map(|person| {
            person.devices.iter().map(move |device| {
                json!({
                    "device": device.device,
                    "person": person.person,
                    "work_name": person.work_name,
                    "role": person.role,
                    "enrolled_at": device.enrolled_at,
                    "revoked_at": device.revoked_at,
                    "last_seen_at": device.last_seen_at,
                })
            })
        })
        .collect();
    Ok(Answer::new(&json!({ "devices": list }), page))
}

async fn pending(context: &Context, session: &Session) -> Result<Answer, Failure> {
    let waiting = session.pending_devices().await?;
    let mut page = context.page();
    page.title("Devices that wait");
    let rows: Vec<Vec<String>> = waiting.iter().map(|w| row(w, &page.when().away(w.at))).collect();
    page.table(&["DEVICE", "NAME", "ROLE", "ASKED", ""], &rows, "none");
    Ok(Answer::new(&json!({ "pending": waiting }), page))
}

fn row(waiting: &PendingDevice, asked: &str) -> Vec<String> {
    vec![
        waiting.device.short(),
        waiting.work_name.clone().unwrap_or_else(|| "?".into()),
        waiting.role.map(|role| role.to_string()).unwrap_or_default(),
        asked.to_owned(),
        waiting.problem.clone().unwrap_or_default(),
    ]
}

impl Approve {
    async fn run(self, context: &Context, session: &Session) -> Result<Answer, Failure> {
        let waiting = session.pending_devices().await?;
        let chosen: Vec<DeviceId> = match &self.device {
            Some(text) => vec![pick("waiting device", text, waiting.iter().map(|w| w.device))?],
            None => waiting.iter().filter(|w| w.problem.is_none()).map(|w| w.device).collect(),
        };
        let mut approved = Vec::new();
        for device in chosen {
            approved.push(session.approve_device(device).await?);
        }
        let mut page = context.page();
        page.title(if approved.is_empty() { "Nothing waits for this device" } else { "Approved" });
        for device in &approved {
            let name = device.work_name.clone().unwrap_or_default();
            let role = device.role.map(|role| role.to_string()).unwrap_or_default();
            page.row(&device.device.short(), &format!("{name} ({role})"));
        }
        Ok(Answer::new(&json!({ "approved": approved }), page))
    }
}

async fn revoke(context: &Context, session: &Session, text: &str) -> Result<Answer, Failure> {
    let people = session.api().people().await?;
    let devices = people.iter().flat_map(|person| &person.devices).filter(|d| d.revoked_at.is_none());
    let device = pick("device", text, devices.map(|d| d.device))?;
    let list = session.revoke(&[device]).await?;
    let holder = people.iter().find(|person| person.devices.iter().any(|d| d.device == device));
    let mut page = context.page();
    page.title(&format!("Revoked: a device of {}", holder.map_or("somebody", |p| p.work_name.as_str())));
    page.line("  Its connections are closed. The members' devices remove it from its rooms as they connect.");
    page.line("  What it has read already stays on it.");
    Ok(Answer::new(&json!({ "device": device, "status": "revoked", "list": list.number }), page))
}

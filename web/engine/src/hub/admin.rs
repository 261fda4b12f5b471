//! What admins do: invite, approve by signing, withdraw, revoke.

use super::{Hub, refusal::Done};
use crate::contract::*;
use firstlight_client::session::{self, Session, random};
use firstlight_protocol::{
    ErrorCode, PersonId, Problem, Secret,
    api::{DeviceView, InviteFor, InviteStatus, OrgView, PersonView},
    cert::{ChainError, Fingerprint},
};
use std::{rc::Rc, time::Duration};

const HOUR: Duration = Duration::from_secs(3600);

impl Hub {
    pub(super) async fn pending_requests(self: &Rc<Self>, _: Nothing) -> Done<PendingRequests> {
        let session = self.session()?;
        let devices = session.pending_devices().await?.into_iter().map(device).collect();
        let mut partners = Vec::new();
        for view in session.pending_partners().await? {
            partners.push(match session.check_partner(&view).await {
                Ok(checked) => partner(checked),
                Err(e) => unchecked(&view, e.to_string()),
            });
        }
        Ok(PendingRequests { devices, partners })
    }

    pub(super) async fn approve_device(self: &Rc<Self>, of: OfDevice) -> Done<PendingDevice> {
        Ok(device(self.session()?.approve_device(of.device).await?))
    }

    pub(super) async fn refuse_device(self: &Rc<Self>, of: OfDevice) -> Done<Nothing> {
        self.session()?.api().refuse_enrolment(of.device).await?;
        Ok(Nothing {})
    }

    pub(super) async fn approve_partner(self: &Rc<Self>, of: OfOrg) -> Done<PendingPartner> {
        Ok(partner(self.session()?.approve_partner(of.org).await?))
    }

    pub(super) async fn withdraw_partner(self: &Rc<Self>, of: OfOrg) -> Done<Nothing> {
        self.session()?.withdraw_partner(of.org).await?;
        Ok(Nothing {})
    }

    pub(super) async fn invite(self: &Rc<Self>, make: MakeInvite) -> Done<MadeInvite> {
        let purpose = match make.purpose {
            InviteWanted::Device { person, work_name, role } => {
                let person = match person {
                    Some(person) => person,
                    None => PersonId(random()?),
                };
                InviteFor::Device { person, work_name, role }
            }
            InviteWanted::Organisation { org_kind, name } => InviteFor::Organisation { kind: org_kind, name },
        };
        let made = self.session()?.invite(purpose, HOUR * u32::from(make.hours)).await?;
        let link = Secret::new(made.link.to_string());
        Ok(MadeInvite { invite: made.link.invite, link, expires_at: made.expires_at })
    }

    pub(super) async fn invites(self: &Rc<Self>, _: Nothing) -> Done<Invites> {
        let session = self.session()?;
        let mut invites = Vec::new();
        for view in session.api().invites().await? {
            let link = match view.status {
                InviteStatus::Open => session.invite_link(view.invite).await?,
                _ => None,
            };
            invites.push(Invite {
                invite: view.invite,
                purpose: view.purpose,
                status: view.status,
                expires_at: view.expires_at,
                link: link.map(|link| Secret::new(link.to_string())),
            });
        }
        Ok(Invites { invites })
    }

    pub(super) async fn withdraw_invite(self: &Rc<Self>, of: OfInvite) -> Done<Nothing> {
        self.session()?.withdraw_invite(of.invite).await?;
        Ok(Nothing {})
    }

    pub(super) async fn people(self: &Rc<Self>, _: Nothing) -> Done<People> {
        let session = self.session()?;
        let mut people = Vec::new();
        for view in session.api().people().await? {
            let mut devices = Vec::new();
            for device in &view.devices {
                devices.push(known(&session, &view, device).await?);
            }
            people.push(Person { person: view.person, work_name: view.work_name, role: view.role, devices });
        }
        people.sort_by(|a, b| a.work_name.cmp(&b.work_name));
        Ok(People { people })
    }

    pub(super) async fn revoke(self: &Rc<Self>, revoke: Revoke) -> Done<Nothing> {
        self.session()?.revoke(&revoke.devices).await?;
        Ok(Nothing {})
    }
}

/// A device of the directory, held against its certificates.
async fn known(session: &Session, person: &PersonView, view: &DeviceView) -> Done<PersonDevice> {
    let (own, verified) = session
        .state()
        .read(|engine| {
            let now = session::now();
            (engine.device(), engine.anchors().map(|anchors| anchors.verify_device(&view.chain, now)))
        })
        .await?;
    let problem = match verified {
        Some(Ok(identity))
            if identity.device == view.device && identity.person == person.person && identity.role == person.role =>
        {
            None
        }
        Some(Err(ChainError::DeviceRevoked)) if view.revoked_at.is_some() => None,
        Some(Err(e)) => Some(Problem::from(e)),
        Some(Ok(_)) | None => Some(ErrorCode::BadChain.into()),
    };
    Ok(PersonDevice {
        device: view.device,
        enrolled_at: view.enrolled_at,
        last_seen_at: view.last_seen_at,
        revoked_at: view.revoked_at,
        own: own == Some(view.device),
        problem,
    })
}

fn device(pending: session::PendingDevice) -> PendingDevice {
    PendingDevice {
        device: pending.device,
        person: pending.person,
        work_name: pending.work_name,
        role: pending.role,
        at: pending.at,
        problem: pending.problem,
    }
}

fn partner(checked: session::PendingPartner) -> PendingPartner {
    PendingPartner { org: checked.org, kind: checked.kind, name: checked.name, root: checked.root, problem: None }
}

/// As the server shows it; nothing of that is believed.
fn unchecked(view: &OrgView, problem: String) -> PendingPartner {
    let root = Fingerprint::of(&view.root);
    PendingPartner { org: view.org, kind: view.kind, name: view.name.clone(), root, problem: Some(problem) }
}

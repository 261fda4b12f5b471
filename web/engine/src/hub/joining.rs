//! Becoming somebody's device: by an invite, or by founding an organisation here.

use super::{
    Hub,
    refusal::{Done, Refusal},
};
use crate::contract::*;
use firstlight_client::{
    session::{Founding, FoundingAllowance, Joining, Session, sleep},
    transport::ServerUrl,
};
use firstlight_protocol::{ErrorCode, Problem, Secret, api::OrgStatus, invite::InviteLink};
use std::{rc::Rc, time::Duration};
use wasm_bindgen_futures::spawn_local;

/// How often a device that waits asks whether it was signed.
const ASK: Duration = Duration::from_secs(3);
/// And after no answer came.
const ASK_LATER: Duration = Duration::from_secs(10);

impl Hub {
    pub(super) async fn read_invite(self: &Rc<Self>, text: LinkText) -> Done<InviteInfo> {
        let link: InviteLink = text.link.reveal().trim().parse()?;
        let server = link.server.as_str().to_owned();
        Ok(InviteInfo { here: server == self.origin, server, kind: link.kind, org: link.org, root: link.root })
    }

    /// A link that belongs to this page's own server; the page may talk to no other.
    fn own_link(&self, text: &Secret) -> Done<InviteLink> {
        let link: InviteLink = text.reveal().trim().parse()?;
        if link.server.as_str() == self.origin {
            return Ok(link);
        }
        let detail = format!("The link belongs to {}: open it there.", link.server);
        Err(Refusal(Problem::with(ErrorCode::InviteInvalid, detail)))
    }

    pub(super) async fn join(self: &Rc<Self>, text: LinkText) -> Done<Status> {
        let state = self.state()?;
        let link = self.own_link(&text.link)?;
        let joining = Joining::begin(&state, &link, false).await?;
        self.wait_for_signature(joining);
        self.status(Nothing {}).await
    }

    /// Asks until an admin has decided.
    pub(super) fn wait_for_signature(self: &Rc<Self>, joining: Joining) {
        let hub = self.clone();
        spawn_local(async move {
            while let Ok(state) = hub.state() {
                let wait = match joining.poll(&state).await {
                    Ok(true) => {
                        if let Err(refusal) = hub.begin_session().await {
                            hub.tell(&EngineEvent::Trouble { problem: refusal.0, callout: None });
                        }
                        hub.tell(&EngineEvent::Enrolled {});
                        return hub.tell_status().await;
                    }
                    Ok(false) => ASK,
                    Err(e) if e.is_passing() => ASK_LATER,
                    Err(e) if matches!(e.code(), Some(ErrorCode::Forbidden | ErrorCode::InviteInvalid)) => {
                        hub.tell(&EngineEvent::Refused {});
                        return hub.tell_status().await;
                    }
                    Err(e) => {
                        hub.tell(&EngineEvent::Trouble { problem: e.problem(), callout: None });
                        ASK_LATER
                    }
                };
                sleep(wait).await;
            }
        });
    }

    pub(super) async fn found(self: &Rc<Self>, found: Found) -> Done<Founded> {
        let server = ServerUrl::parse(&self.origin, false).map_err(|e| Refusal::value(&e.to_string()))?;
        let allowance = FoundingAllowance::Bootstrap { server, token: found.token, insecure: false };
        let founding = Founding { name: found.name, kind: found.kind, admin_name: found.admin_name };
        self.found_with(&founding, &allowance).await
    }

    pub(super) async fn found_partner(self: &Rc<Self>, found: FoundPartner) -> Done<Founded> {
        let allowance = FoundingAllowance::Invite(Box::new(self.own_link(&found.link)?));
        let founding = Founding { name: found.name, kind: found.kind, admin_name: found.admin_name };
        self.found_with(&founding, &allowance).await
    }

    async fn found_with(self: &Rc<Self>, founding: &Founding, allowance: &FoundingAllowance) -> Done<Founded> {
        let state = self.state()?;
        let (session, view) = Session::found(state, founding, allowance, false).await?;
        self.begin(session);
        self.tell_status().await;
        Ok(Founded {
            org: view.org,
            name: view.name,
            kind: view.kind,
            pending: view.status == OrgStatus::Pending,
            sheet: self.sheet().await?,
        })
    }

    pub(super) async fn recovery_sheet(self: &Rc<Self>, _: Nothing) -> Done<RecoverySheet> {
        self.sheet().await
    }

    async fn sheet(&self) -> Done<RecoverySheet> {
        let own = self.state()?.recovery_sheet().await?;
        Ok(RecoverySheet {
            org: own.org,
            root_key: Secret::new(own.sheet.root_key_text().as_str()),
            server: own.sheet.server,
            root: own.sheet.root,
            host_root: own.sheet.host_root,
            root_certificate: own.certificate,
        })
    }

    pub(super) async fn access_token(self: &Rc<Self>, wanted: AccessTokenFor) -> Done<AccessToken> {
        let session = self.session()?;
        let refused = self.token.borrow().clone().filter(|_| wanted.fresh);
        let token = session.api().access_token(refused.as_ref()).await?;
        *self.token.borrow_mut() = Some(token.clone());
        Ok(AccessToken { token })
    }
}

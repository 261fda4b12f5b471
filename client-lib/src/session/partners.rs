//! Partner organisations, from the host's side: believe a founding, state it, withdraw it.

use super::{
    Session, SessionError,
    founding::{own_invite, signer},
};
use crate::clock;
use firstlight_protocol::{
    ErrorCode, OrgId, OrgKind,
    api::{InviteFor, OrgStatus, OrgView},
    cert::{Fingerprint, PartnerStatement},
    invite::InviteKeys,
    signed::Signed,
};
use serde::Serialize;

/// A partner's founding, checked with the invite's secret.
#[derive(Debug, Clone, Serialize)]
pub struct PendingPartner {
    /// The organisation.
    pub org: OrgId,
    /// What it is.
    pub kind: OrgKind,
    /// Its name, from its root certificate.
    pub name: String,
    /// Its root's fingerprint, to be compared over the telephone if in doubt.
    pub root: Fingerprint,
}

impl Session {
    /// Checks a founding request: made with the secret of an invite of this device, for what it was made for.
    pub async fn check_partner(&self, view: &OrgView) -> Result<PendingPartner, SessionError> {
        let sealed = view.founding.as_ref().ok_or_else(|| {
            SessionError::rule(ErrorCode::WrongState, "No founding of that organisation waits for an admin.")
        })?;
        let invite = own_invite(&self.state, sealed.open_unauthenticated()?.invite).await?;
        let request = sealed.open(&InviteKeys::derive(invite.invite, &invite.secret)?)?;
        let root = request.organisation()?;
        let as_invited = matches!(invite.purpose, InviteFor::Organisation { kind, .. } if kind == root.kind);
        if !as_invited || root.org != view.org {
            return Err(SessionError::rule(
                ErrorCode::InviteInvalid,
                "The organisation that was founded is not what the invite was made for.",
            ));
        }
        Ok(PendingPartner { org: root.org, kind: root.kind, name: root.name, root: root.root_fingerprint })
    }

    /// States a founded organisation as a partner: from now on, its devices are believed.
    pub async fn approve_partner(&self, org: OrgId) -> Result<PendingPartner, SessionError> {
        let view = self.organisation(org).await?;
        let partner = self.check_partner(&view).await?;
        let known = self.state.read(|engine| engine.anchors().and_then(|a| a.partner(org).cloned())).await?;
        let statement = PartnerStatement {
            org,
            kind: partner.kind,
            name: partner.name.clone(),
            root_fingerprint: partner.root,
            number: known.map_or(1, |statement| statement.number.saturating_add(1)),
            issued_at: clock::now(),
            withdrawn: false,
        };
        self.state_partner(&statement).await?;
        Ok(partner)
    }

    /// Withdraws a partner: nothing of it is believed any more.
    pub async fn withdraw_partner(&self, org: OrgId) -> Result<PartnerStatement, SessionError> {
        self.refresh_trust().await?;
        let known = self.state.read(|engine| engine.anchors().and_then(|a| a.partner(org).cloned())).await?;
        let statement = known
            .ok_or_else(|| SessionError::rule(ErrorCode::NotFound, "That organisation is no partner."))?
            .withdraw(clock::now());
        self.state_partner(&statement).await?;
        Ok(statement)
    }

    async fn state_partner(&self, statement: &PartnerStatement) -> Result<(), SessionError> {
        let (key, chain) = signer(&self.state).await?;
        let signed = Signed::sign(statement, &key, chain);
        self.api.put_statement(statement.org, signed.clone()).await?;
        let outcome = self.state.apply(|engine, now| engine.receive_statement(&signed, now)).await?;
        self.drive(outcome).await.map(drop)
    }

    /// One organisation, as the server shows it.
    pub async fn organisation(&self, org: OrgId) -> Result<OrgView, SessionError> {
        let all = self.api.organisations().await?;
        all.into_iter().find(|view| view.org == org).ok_or_else(|| {
            SessionError::rule(ErrorCode::NotFound, "There is no such organisation, or you may not see it.")
        })
    }

    /// Partners whose founding waits for this host's admin.
    pub async fn pending_partners(&self) -> Result<Vec<OrgView>, SessionError> {
        let mut all = self.api.organisations().await?;
        all.retain(|view| view.status == OrgStatus::Pending && view.founding.is_some());
        Ok(all)
    }
}

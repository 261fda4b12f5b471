//! Invites: made here, with a secret that the server never gets.

use super::{Session, SessionError, random, state::names};
use crate::clock;
use firstlight_protocol::{
    Bytes, ErrorCode, InviteId, PersonId, Role, Secret, Timestamp,
    api::{CreateInvite, InviteFor},
    cert::Fingerprint,
    invite::{InviteKind, InviteLink},
    limits::MAX_INVITE_LIFETIME,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What this device keeps of an invite that it made: enough to check and sign what comes back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredInvite {
    /// The invite.
    pub invite: InviteId,
    /// Its secret.
    pub secret: Secret,
    /// What it is for. What is signed in the end comes from here, not from the server.
    pub purpose: InviteFor,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// An invite to hand over.
#[derive(Debug, Clone)]
pub struct MadeInvite {
    /// The link. Whoever holds it may join, once.
    pub link: InviteLink,
    /// What it is for.
    pub purpose: InviteFor,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Session {
    /// Invites a device of a person: of a new one, or a further device of one who is here already (whose role and work
    /// name stay theirs).
    pub async fn invite_device(
        &self,
        person: Option<PersonId>,
        work_name: &str,
        role: Role,
        lifetime: Duration,
    ) -> Result<MadeInvite, SessionError> {
        let person = match person {
            Some(person) => person,
            None => PersonId(random()?),
        };
        self.invite(InviteFor::Device { person, work_name: work_name.to_owned(), role }, lifetime).await
    }

    /// Makes an invite, keeps its secret, and tells the server of it.
    pub async fn invite(&self, purpose: InviteFor, lifetime: Duration) -> Result<MadeInvite, SessionError> {
        if lifetime > MAX_INVITE_LIFETIME || lifetime.is_zero() {
            return Err(SessionError::rule(ErrorCode::InvalidValue, "An invite lasts at most 14 days."));
        }
        let kind = kind_of(&purpose);
        let link = self.link(kind, InviteId(random()?), Secret::from_random(&random::<32>()?)).await?;
        let expires_at = clock::now() + lifetime;
        let stored =
            StoredInvite { invite: link.invite, secret: link.secret.clone(), purpose: purpose.clone(), expires_at };
        self.state.put(&format!("{}{}", names::INVITE, link.invite), &stored).await?;
        let claim_digest = Bytes(link.keys()?.claim_digest().to_vec());
        let body = CreateInvite { invite: link.invite, purpose: purpose.clone(), claim_digest, expires_at };
        if let Err(e) = self.api.create_invite(&body).await {
            self.state.forget(&format!("{}{}", names::INVITE, link.invite)).await?;
            return Err(e.into());
        }
        Ok(MadeInvite { link, purpose, expires_at })
    }

    /// Withdraws an invite that was not used yet.
    pub async fn withdraw_invite(&self, invite: InviteId) -> Result<(), SessionError> {
        self.api.withdraw_invite(invite).await?;
        self.state.forget(&format!("{}{invite}", names::INVITE)).await
    }

    /// The link of an invite that was made on this device.
    pub async fn invite_link(&self, invite: InviteId) -> Result<Option<InviteLink>, SessionError> {
        let stored = self.state.get::<StoredInvite>(&format!("{}{invite}", names::INVITE)).await?;
        match stored {
            Some(stored) => Ok(Some(self.link(kind_of(&stored.purpose), invite, stored.secret).await?)),
            None => Ok(None),
        }
    }

    async fn link(&self, kind: InviteKind, invite: InviteId, secret: Secret) -> Result<InviteLink, SessionError> {
        let place = self.state.server().await?.ok_or(SessionError::NotSetUp)?;
        let own = self.state.read(|engine| engine.identity().cloned()).await?.ok_or(SessionError::NotEnrolled)?;
        let trusted = self
            .state
            .read(|engine| {
                let anchors = engine.anchors()?;
                let host_root =
                    if anchors.host() == own.org { Some(own.root_fingerprint) } else { anchors.pinned(anchors.host()) };
                host_root.map(|root| (anchors.host(), root))
            })
            .await?;
        let (host, host_root): (_, Fingerprint) = trusted.ok_or(SessionError::NotEnrolled)?;
        Ok(InviteLink {
            server: place.name.parse()?,
            kind,
            invite,
            secret,
            org: own.org,
            root: own.root_fingerprint,
            host,
            host_root,
        })
    }
}

fn kind_of(purpose: &InviteFor) -> InviteKind {
    match purpose {
        InviteFor::Device { .. } => InviteKind::Device,
        InviteFor::Organisation { .. } => InviteKind::Partner,
    }
}

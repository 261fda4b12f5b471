//! Founding: the host with the operator's bootstrap token, a partner with the host's invite. And founding's repetition: an
//! organisation whose admins' devices are lost gets a new one, on its root's signature.

use super::{Identity, challenge, invites::InviteStanding, organisations::view, to_the_end};
use crate::store::sql;
use crate::{
    Error, Result,
    app::Shared,
    extract::Json,
    limit::Peer,
    store::{Store, Tx},
};
use axum::extract::State;
use firstlight_protocol::{
    ErrorCode, InviteId, OrgKind, Problem, Role, Secret, Timestamp,
    api::{FoundOrganisation, FoundingProof, InviteFor, Notice, OrgView},
    cert::{Anchors, DeviceIdentity, Fingerprint, OrgIdentity, verify_root, verify_signer_chain},
    invite::{PartnerRequest, Sealed},
    signed::verify_restore,
    wire::{Bytes, to_cbor},
};

/// Founds an organisation with its first admin device. The same founding again gives the same answer.
///
/// The host is founded with the token that the operator finds in the server's data directory; there is one host. A
/// partner is founded with an invite of the host, and waits until an admin of the host has stated its root. An organisation
/// that is here already is restored with a signature of its root: a further device of an admin is entered without an invite.
#[utoipa::path(post, path = "/v1/organisations", tag = "identity", request_body = FoundOrganisation, security(()),
    responses((status = 200, body = OrgView), (status = 403, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
pub(super) async fn found(
    peer: Peer,
    State(app): State<Shared>,
    Json(request): Json<FoundOrganisation>,
) -> Result<Json<OrgView>> {
    let now = app.clock.now();
    app.identity.limits.stranger.check_peer(peer, now)?;
    to_the_end(async move {
        let identity = &app.identity;
        let root = verify_root(request.admin_chain.last().map_or(&[], |root| root)).map_err(Problem::from)?;
        let org = root.org;
        match request.proof {
            FoundingProof::Bootstrap { token } => {
                identity.limits.bootstrap.check((), now)?;
                identity.found_host(&app.store, request.admin_chain, root, token, now).await?;
            }
            FoundingProof::Invite { invite, claim, request: sealed } => {
                identity.limits.claim.check(invite, now)?;
                let partner = Partner { chain: request.admin_chain, root, invite, claim, sealed };
                found_partner(&app.store, partner, now).await?;
            }
            FoundingProof::Restore { challenge, signature } => {
                identity.restore(&app.store, request.admin_chain, &challenge, &signature, now).await?;
            }
        }
        identity.trust.reload(&app.store).await?;
        view(&app.store, &*identity.anchors()?, org, false).await.map(Json)
    })
    .await
}

fn not_allowed() -> Error {
    Problem::with(ErrorCode::InviteInvalid, "The bootstrap token is not the one in the server's data directory.").into()
}

/// The founding admin's device, once its chain is verified.
fn admin(anchors: &Anchors, chain: &[Bytes], now: Timestamp) -> Result<DeviceIdentity> {
    let device = anchors.verify_device(chain, now).map_err(Problem::from)?;
    if device.role == Role::Admin {
        return Ok(device);
    }
    Err(Problem::with(ErrorCode::InvalidValue, "The first device of an organisation is its admin's.").into())
}

impl Identity {
    async fn found_host(
        &self,
        store: &Store,
        chain: Vec<Bytes>,
        root: OrgIdentity,
        token: Secret,
        now: Timestamp,
    ) -> Result<()> {
        if self.trust.get().is_some() {
            return founded_before(store, &chain, &token).await;
        }
        if !self.bootstrap.matches(&token) {
            return Err(not_allowed());
        }
        if root.kind != OrgKind::VictimServices {
            return Err(Problem::with(ErrorCode::InvalidValue, "A victim-services organisation hosts.").into());
        }
        let anchors = Anchors::new(root.org, root.root_fingerprint);
        let device = admin(&anchors, &chain, now)?;
        store
            .write(move |tx| {
                Box::pin(async move {
                    tx.first_anchors(&anchors, token.digest()).await?;
                    tx.insert_org(&root, &chain, None, now).await?;
                    tx.insert_device(&device, &chain, now).await?;
                    tx.audit(now, Some(device.device), "org.found", root.org, "host").await
                })
            })
            .await?;
        self.bootstrap.remove();
        Ok(())
    }
}

impl Identity {
    /// Enters a device of an admin on the word of the organisation's root. The same chain again changes nothing.
    async fn restore(
        &self,
        store: &Store,
        chain: Vec<Bytes>,
        challenge: &[u8],
        signature: &[u8],
        now: Timestamp,
    ) -> Result<()> {
        let device = admin(&*self.anchors()?, &chain, now)?;
        challenge::check(&self.tokens, device.device, challenge, now)?;
        let root =
            verify_signer_chain(chain.last().map_or(&[][..], std::slice::from_ref), now).map_err(Problem::from)?;
        verify_restore(&root.key, &self.name, device.device, challenge, signature).map_err(Problem::from)?;
        store
            .write(move |tx| {
                Box::pin(async move {
                    // Something may have been revoked since.
                    admin(&tx.anchors().await?, &chain, now)?;
                    if tx.device(device.device).await?.is_some_and(|known| known.chain == chain) {
                        return Ok(());
                    }
                    tx.insert_device(&device, &chain, now).await?;
                    tracing::warn!("an organisation was restored with its root key: a device of an admin is new");
                    tx.audit(now, Some(device.device), "org.restore", device.org, device.person).await
                })
            })
            .await
    }
}

/// The same founding of the host again, by whoever holds the token that was used.
async fn founded_before(store: &Store, chain: &[Bytes], token: &Secret) -> Result<()> {
    let used: Vec<u8> = sql::query_scalar("SELECT bootstrap FROM trust WHERE one = 1").fetch_one(store.read()).await?;
    if !bool::from(subtle::ConstantTimeEq::ct_eq(used.as_slice(), token.digest().as_slice())) {
        return Err(not_allowed());
    }
    let known: Option<i64> = sql::query_scalar("SELECT 1 FROM devices WHERE chain = $1")
        .bind(to_cbor(&chain))
        .fetch_optional(store.read())
        .await?;
    if known.is_some() { Ok(()) } else { Err(Problem::with(ErrorCode::Conflict, "This server has a host.").into()) }
}

/// A founding request of a partner.
struct Partner {
    chain: Vec<Bytes>,
    root: OrgIdentity,
    invite: InviteId,
    claim: Secret,
    sealed: Sealed<PartnerRequest>,
}

async fn found_partner(store: &Store, partner: Partner, now: Timestamp) -> Result<()> {
    let Partner { chain, root, invite, claim, sealed } = partner;
    let asked = sealed.open_unauthenticated().map_err(Problem::from)?;
    let stated = asked.organisation().map_err(Problem::from)?;
    if asked.invite != invite || stated != root {
        return Err(Problem::with(ErrorCode::InvalidValue, "Request, invite and chain don't belong together.").into());
    }
    store
        .write(move |tx| {
            Box::pin(async move {
                let found = tx.claim_invite(invite, &claim, now).await?;
                let InviteFor::Organisation { kind, name } = &found.purpose else {
                    return Err(ErrorCode::InviteInvalid.into());
                };
                if found.standing == InviteStanding::Used && tx.is_founding(&root, &sealed).await? {
                    return Ok(());
                }
                found.require_open()?;
                if (*kind, name) != (root.kind, &root.name) {
                    return Err(
                        Problem::with(ErrorCode::InvalidValue, "The invite is for another kind or name.").into()
                    );
                }
                let mut anchors = tx.anchors().await?;
                anchors.pin(root.org, root.root_fingerprint).map_err(Problem::from)?;
                let device = admin(&anchors, &chain, now)?;
                tx.use_invite(invite, now).await?;
                tx.insert_org(&root, &chain, Some(&sealed), now).await?;
                tx.insert_device(&device, &chain, now).await?;
                tx.save_anchors(&anchors).await?;
                tx.audit(now, Some(device.device), "org.found", root.org, format!("partner {invite}")).await?;
                for admin in tx.devices_of_role(anchors.host(), Role::Admin).await? {
                    tx.push_inbox(admin, now, &Notice::RequestPending {}).await?;
                }
                Ok(())
            })
        })
        .await
}

impl Tx<'_> {
    async fn insert_org(
        &mut self,
        root: &OrgIdentity,
        chain: &[Bytes],
        founding: Option<&Sealed<PartnerRequest>>,
        now: Timestamp,
    ) -> Result<()> {
        let der = chain.last().map_or(&[][..], |root| root);
        let made = sql::query(
            "INSERT INTO orgs (org, kind, name, root, founded_at, founding) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT DO NOTHING",
        )
        .bind(root.org.as_bytes())
        .bind(root.kind.as_str())
        .bind(&root.name)
        .bind(der)
        .bind(now.0)
        .bind(founding.map(to_cbor))
        .execute(&mut *self.conn)
        .await?;
        if made.rows_affected() == 1 { Ok(()) } else { Err(ErrorCode::Conflict.into()) }
    }

    /// Whether this request founded this organisation before.
    async fn is_founding(&mut self, root: &OrgIdentity, sealed: &Sealed<PartnerRequest>) -> Result<bool> {
        let der: Option<Vec<u8>> =
            sql::query_scalar("SELECT root FROM orgs WHERE org = $1 AND (founding IS NULL OR founding = $2)")
                .bind(root.org.as_bytes())
                .bind(to_cbor(sealed))
                .fetch_optional(&mut *self.conn)
                .await?;
        Ok(der.is_some_and(|der| Fingerprint::of(&der) == root.root_fingerprint))
    }
}

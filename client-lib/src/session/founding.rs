//! Founding an organisation: its root, its first signer and its first admin's device, all made here.

use super::{
    Session, SessionError, State,
    invites::StoredInvite,
    random,
    state::{Place, names},
};
use crate::{
    clock,
    engine::AdminMaterial,
    transport::{Http, ServerUrl},
};
use ed25519_dalek::SigningKey;
use firstlight_protocol::{
    Bytes, DeviceId, ErrorCode, OrgId, OrgKind, PersonId, Role, Secret, Timestamp,
    api::{FoundOrganisation, FoundingProof, OrgView, ServerInfo},
    cert::{Anchors, DeviceSubject, Fingerprint, Lifetime, build_device, build_root, build_signer},
    invite::{InviteKind, InviteLink, PartnerRequest, Sealed},
};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};
use zeroize::Zeroizing;

const DAY: Duration = Duration::from_secs(86_400);
/// A root is replaced by hand, with every member told: as rarely as possible.
const ROOT_DAYS: u32 = 20 * 365;
/// A signer's certificate.
const SIGNER_DAYS: u32 = 5 * 365;
/// A device's certificate: at the latest then, an admin has looked at who still works there.
pub(super) const DEVICE_DAYS: u32 = 2 * 365;

/// What allows an organisation to be founded.
#[derive(Debug, Clone)]
pub enum FoundingAllowance {
    /// The host, with the operator's one-time token.
    Bootstrap {
        /// Where the server is.
        server: ServerUrl,
        /// The token.
        token: Secret,
        /// The person allowed http to another machine.
        insecure: bool,
    },
    /// A partner, with an invite of the host.
    Invite(Box<InviteLink>),
}

/// What an organisation and its first admin are called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Founding {
    /// The organisation's name.
    pub name: String,
    /// What it is.
    pub kind: OrgKind,
    /// The first admin's work name.
    pub admin_name: String,
}

/// What was made for a founding, kept until the server has answered: asking again must show the same certificates.
#[derive(Serialize, Deserialize)]
struct Made {
    founding: Founding,
    place: Place,
    org: OrgId,
    root_fingerprint: Fingerprint,
    chain: Vec<Bytes>,
    created_at: Timestamp,
}

impl Session {
    /// Founds an organisation in a new or half-founded state directory, and gives its first admin's session.
    pub async fn found(
        state: impl Into<Arc<State>>,
        founding: &Founding,
        allowance: &FoundingAllowance,
        insecure_http: bool,
    ) -> Result<(Self, OrgView), SessionError> {
        let state = state.into();
        if state.read(|engine| engine.identity().is_some()).await? {
            return Err(SessionError::AlreadySetUp);
        }
        let server = match allowance {
            FoundingAllowance::Bootstrap { server, .. } => server.clone(),
            FoundingAllowance::Invite(link) => ServerUrl::parse(link.server.as_str(), insecure_http)?,
        };
        if matches!(allowance, FoundingAllowance::Invite(link) if link.kind != InviteKind::Partner) {
            return Err(SessionError::rule(
                ErrorCode::InviteInvalid,
                "This link invites a device, not an organisation: use \"firstlight join\" with it.",
            ));
        }
        let http = Http::new(server.clone())?;
        let insecure = matches!(allowance, FoundingAllowance::Bootstrap { insecure: true, .. });
        let place = place(&server, &http.server_info().await?, insecure)?;
        let made = make(&state, founding, place).await?;
        let proof = prove(&state, &made, allowance).await?;
        let view = http.found_organisation(&FoundOrganisation { admin_chain: made.chain.clone(), proof }).await?;

        let mut anchors = match allowance {
            FoundingAllowance::Bootstrap { .. } => Anchors::new(made.org, made.root_fingerprint),
            FoundingAllowance::Invite(link) => link.anchors()?,
        };
        anchors.pin(made.org, made.root_fingerprint)?;
        settle(&state, &made.place, made.chain, anchors).await?;
        state.forget(names::FOUNDING).await?;
        Ok((Self::new(state, insecure_http).await?, view))
    }
}

/// A server's address and name. They must agree, because sign-in signatures are made for the name.
pub(super) fn place(server: &ServerUrl, info: &ServerInfo, insecure: bool) -> Result<Place, SessionError> {
    if info.name != server.as_str() && !insecure {
        return Err(SessionError::rule(
            ErrorCode::InvalidValue,
            format!("The server at {server} calls itself {}: use that address.", info.name),
        ));
    }
    Ok(Place { address: server.as_str().to_owned(), name: info.name.clone(), insecure })
}

/// Makes keys and certificates, or finds those that were made for the same founding before its answer was lost.
async fn make(state: &State, founding: &Founding, place: Place) -> Result<Made, SessionError> {
    if let Some(made) =
        state.get::<Made>(names::FOUNDING).await?.filter(|made| made.founding == *founding && made.place == place)
    {
        return Ok(made);
    }
    let now = clock::now();
    let root_seed = Zeroizing::new(random::<32>()?);
    let org = OrgId(random()?);
    let root_key = SigningKey::from_bytes(&root_seed);
    let root = build_root(&root_key, org, founding.kind, &founding.name, random()?, lifetime(now, ROOT_DAYS))?;
    let root_fingerprint = Fingerprint::of(&root);
    let chain = certify(state, root_seed, &root, PersonId(random()?), &founding.admin_name).await?;
    let made = Made { founding: founding.clone(), place, org, root_fingerprint, chain, created_at: now };
    state.put(names::FOUNDING, &made).await?;
    Ok(made)
}

/// Makes this device an admin's that can sign: a signer below the root, and the device's certificate below that. Gives the
/// device's chain.
pub(super) async fn certify(
    state: &State,
    root_seed: Zeroizing<[u8; 32]>,
    root: &[u8],
    person: PersonId,
    work_name: &str,
) -> Result<Vec<Bytes>, SessionError> {
    let now = clock::now();
    let signer_seed = Zeroizing::new(random::<32>()?);
    let (root_key, signer_key) = (SigningKey::from_bytes(&root_seed), SigningKey::from_bytes(&signer_seed));
    let signer_public = signer_key.verifying_key().to_bytes();
    let signer = build_signer(&root_key, root, &signer_public, random()?, lifetime(now, SIGNER_DAYS))?;
    let (device, key) = own_key(state).await?;
    let subject = DeviceSubject { person, device, role: Role::Admin, work_name: work_name.to_owned(), key };
    let leaf = build_device(&signer_key, &signer, &subject, random()?, lifetime(now, DEVICE_DAYS))?;
    let signer_chain: Vec<Bytes> = vec![signer.into(), root.into()];
    let chain = std::iter::once(Bytes(leaf)).chain(signer_chain.iter().cloned()).collect();
    state
        .apply(|engine, _| engine.set_admin(AdminMaterial { root_seed: Some(root_seed), signer_seed, signer_chain }))
        .await?;
    Ok(chain)
}

/// The server has entered this device: it is enrolled, and trusts these roots.
pub(super) async fn settle(
    state: &State,
    place: &Place,
    chain: Vec<Bytes>,
    anchors: Anchors,
) -> Result<(), SessionError> {
    state.put(names::SERVER, place).await?;
    state.apply(|engine, now| engine.enrol(chain, anchors, now)).await?;
    Ok(())
}

/// This device's id and public key; made now if this is the first time that anybody asks.
pub(super) async fn own_key(state: &State) -> Result<(DeviceId, [u8; 32]), SessionError> {
    if state.read(|engine| engine.device().is_none()).await? {
        let (device, seed) = (DeviceId(random()?), Zeroizing::new(random::<32>()?));
        state.apply(|engine, _| engine.create_device(device, seed)).await?;
    }
    let known = state
        .read(|engine| {
            let key = engine.signing_key().map(|key| key.verifying_key().to_bytes());
            engine.device().zip(key.ok())
        })
        .await?;
    known.ok_or(SessionError::NotSetUp)
}

async fn prove(state: &State, made: &Made, allowance: &FoundingAllowance) -> Result<FoundingProof, SessionError> {
    let link = match allowance {
        FoundingAllowance::Bootstrap { token, .. } => return Ok(FoundingProof::Bootstrap { token: token.clone() }),
        FoundingAllowance::Invite(link) => link,
    };
    let keys = link.keys()?;
    let admin = state.read(|engine| engine.admin().cloned()).await?.ok_or(SessionError::NotASigner)?;
    let root_seed = admin.root_seed.ok_or(SessionError::NotASigner)?;
    let root = made.chain.last().cloned().unwrap_or_default();
    let request = PartnerRequest {
        invite: link.invite,
        org: made.org,
        kind: made.founding.kind,
        root,
        created_at: made.created_at,
    };
    let request = Sealed::seal(&request, &SigningKey::from_bytes(&root_seed), &keys)?;
    Ok(FoundingProof::Invite { invite: link.invite, claim: keys.claim().clone(), request })
}

/// From a little before now, so that a clock that runs behind by minutes still accepts it.
pub(super) fn lifetime(now: Timestamp, days: u32) -> Lifetime {
    Lifetime { not_before: now - Duration::from_secs(600), not_after: now + DAY * days }
}

/// The admin's signing key and its chain (signer, root).
pub(super) async fn signer(state: &State) -> Result<(SigningKey, Vec<Bytes>), SessionError> {
    let admin = state.read(|engine| engine.admin().cloned()).await?.ok_or(SessionError::NotASigner)?;
    Ok((SigningKey::from_bytes(&admin.signer_seed), admin.signer_chain))
}

/// An invite that this device made, with its secret.
pub(super) async fn own_invite(
    state: &State,
    invite: firstlight_protocol::InviteId,
) -> Result<StoredInvite, SessionError> {
    state.get::<StoredInvite>(&format!("{}{invite}", names::INVITE)).await?.ok_or_else(|| {
        SessionError::rule(
            ErrorCode::Forbidden,
            "That invite was made on another device: its request can only be checked and signed there.",
        )
    })
}

//! Restoring an organisation from its recovery sheet: a new device gets the root key back, makes itself a signer, and has
//! the server enter it as an admin's device on the root's signature. Devices that others hold go on as they are.

use super::{
    RecoverySheet, Session, SessionError, State,
    founding::{certify, own_key, place, settle},
    random,
    state::{Place, names},
};
use crate::{
    clock,
    transport::{Http, ServerUrl, TransportError},
};
use firstlight_protocol::{
    Bytes, ErrorCode, PersonId,
    api::{FoundOrganisation, FoundingProof, OrgView},
    cert::{Anchors, Fingerprint, OrgIdentity, verify_root, verify_signer_chain},
    signed::sign_restore,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Whose device the new one is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveringAdmin {
    /// Their work name.
    pub name: String,
    /// An admin that the organisation has already, with this name; absent: a new one.
    pub person: Option<PersonId>,
}

/// A sheet that was compared with what the server states. Nothing is stored or changed yet.
pub struct Recovery {
    sheet: RecoverySheet,
    http: Http,
    place: Place,
    root: Bytes,
    org: OrgIdentity,
    anchors: Anchors,
}

/// What was made for a restoring, kept until the server has answered.
#[derive(Serialize, Deserialize)]
struct Made {
    root: Fingerprint,
    admin: RecoveringAdmin,
    chain: Vec<Bytes>,
}

impl std::fmt::Debug for Recovery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recovery({})", self.org.org)
    }
}

impl Recovery {
    /// Compares a sheet with what its server states: the root certificate has the sheet's fingerprint, and the root key is
    /// that certificate's.
    ///
    /// # Errors
    /// A sentence that says what does not agree.
    pub async fn check(sheet: RecoverySheet, insecure_http: bool) -> Result<Self, SessionError> {
        let server = ServerUrl::parse(&sheet.server, insecure_http)?;
        let http = Http::new(server.clone())?;
        let info = http.server_info().await?;
        let place = place(&server, &info, insecure_http)?;
        let root = fetch(&http, sheet.root, "organisation").await?;
        let org = verify_root(&root)?;
        let public = verify_signer_chain(&[&root], clock::now())?.key;
        if sheet.root_key().verifying_key().to_bytes() != public {
            return Err(SessionError::rule(
                ErrorCode::InvalidValue,
                "The root key does not belong to the organisation of that fingerprint: compare each digit with the sheet.",
            ));
        }
        let mut anchors = match (info.host, sheet.host_root) {
            (Some(host), _) if host == org.org => Anchors::new(org.org, org.root_fingerprint),
            (Some(host), Some(host_root)) => {
                let stated = verify_root(&fetch(&http, host_root, "host").await?)?;
                if stated.org != host {
                    return Err(SessionError::rule(
                        ErrorCode::InvalidValue,
                        "The host's fingerprint is another organisation's: have the host's admin read theirs to you.",
                    ));
                }
                Anchors::new(host, host_root)
            }
            _ => {
                return Err(SessionError::rule(
                    ErrorCode::InvalidValue,
                    "This organisation is a partner: the fingerprint of its host is needed too. The host's admin reads \
                     it to you over the telephone (\"firstlight org show\").",
                ));
            }
        };
        anchors.pin(org.org, org.root_fingerprint)?;
        Ok(Self { sheet, http, place, root, org, anchors })
    }

    /// The organisation that would be restored, by its root certificate.
    pub fn organisation(&self) -> &OrgIdentity {
        &self.org
    }

    /// Makes the device of a new state directory an admin's that can sign, and gives its session. The same again, after a
    /// lost answer, goes on where it was.
    ///
    /// # Errors
    /// If the device is set up already, or the server refuses.
    pub async fn complete(
        self,
        state: impl Into<Arc<State>>,
        admin: &RecoveringAdmin,
        insecure_http: bool,
    ) -> Result<(Session, OrgView), SessionError> {
        let state = state.into();
        if state.read(|engine| engine.identity().is_some()).await? {
            return Err(SessionError::AlreadySetUp);
        }
        let chain = self.make(&state, admin).await?;
        let (device, _) = own_key(&state).await?;
        let challenge = self.http.challenge(device).await?.challenge;
        let signature = sign_restore(&self.sheet.root_key(), &self.place.name, device, &challenge).to_vec().into();
        let proof = FoundingProof::Restore { challenge, signature };
        let view = self.http.found_organisation(&FoundOrganisation { admin_chain: chain.clone(), proof }).await?;
        settle(&state, &self.place, chain, self.anchors).await?;
        state.forget(names::RESTORING).await?;
        Ok((Session::new(state, insecure_http).await?, view))
    }

    /// Makes keys and certificates, or finds those of the same restoring.
    async fn make(&self, state: &State, admin: &RecoveringAdmin) -> Result<Vec<Bytes>, SessionError> {
        let known = state.get::<Made>(names::RESTORING).await?;
        if let Some(made) = known.filter(|made| made.root == self.sheet.root && made.admin == *admin) {
            return Ok(made.chain);
        }
        let person = match admin.person {
            Some(person) => person,
            None => PersonId(random()?),
        };
        let chain = certify(state, self.sheet.root_seed.clone(), &self.root, person, &admin.name).await?;
        let made = Made { root: self.sheet.root, admin: admin.clone(), chain };
        state.put(names::RESTORING, &made).await?;
        Ok(made.chain)
    }
}

/// A root certificate from the server, believed for its fingerprint.
async fn fetch(http: &Http, fingerprint: Fingerprint, whose: &str) -> Result<Bytes, SessionError> {
    let unknown = || {
        let sentence = format!(
            "The server knows no {whose} with that fingerprint: compare fingerprint and address with the sheet."
        );
        SessionError::rule(ErrorCode::NotFound, sentence)
    };
    match http.root(fingerprint).await {
        Ok(root) if Fingerprint::of(&root) == fingerprint => Ok(root),
        Err(TransportError::Refused(problem)) if problem.code == ErrorCode::NotFound => Err(unknown()),
        Err(error) => Err(error.into()),
        Ok(_) => Err(SessionError::rule(
            ErrorCode::BadChain,
            "The server shows another root certificate than the one of that fingerprint: it can't be trusted.",
        )),
    }
}

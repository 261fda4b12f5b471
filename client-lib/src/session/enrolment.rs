//! Enrolment from both ends: a new device asks with its invite, an admin's client checks and signs.

use super::{
    Session, SessionError, State,
    founding::{DEVICE_DAYS, lifetime, own_invite, own_key, place, signer},
    random,
    state::{Place, names},
};
use crate::clock;
use crate::transport::{Http, ServerUrl};
use firstlight_protocol::{
    Bytes, DeviceId, ErrorCode, PersonId, Role, Timestamp,
    api::{Enrol, EnrolmentQuery, EnrolmentStatus, InviteFor, PendingEnrolment},
    cert::{DeviceSubject, build_device},
    invite::{InviteKeys, InviteKind, InviteLink, Sealed, SigningRequest},
};
use serde::{Deserialize, Serialize};

/// An enrolment under way on the new device.
#[derive(Serialize, Deserialize)]
pub struct Joining {
    link: String,
    place: Place,
    enrol: Enrol,
}

impl std::fmt::Debug for Joining {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Joining({})", self.place.address)
    }
}

impl Joining {
    /// Uses an invite link: makes the device's key, keeps the request, and sends it. With the same link again (after a
    /// lost answer) it sends the same request.
    pub async fn begin(state: &State, link: &InviteLink, insecure_http: bool) -> Result<Self, SessionError> {
        if state.read(|engine| engine.identity().is_some()).await? {
            return Err(SessionError::AlreadySetUp);
        }
        if link.kind != InviteKind::Device {
            return Err(SessionError::rule(
                ErrorCode::InviteInvalid,
                "This link invites an organisation, not a device: use \"firstlight org create --invite\" with it.",
            ));
        }
        let server = ServerUrl::parse(link.server.as_str(), insecure_http)?;
        let http = Http::new(server.clone())?;
        let joining = match Self::stored(state).await?.filter(|joining| joining.link == link.to_string()) {
            Some(joining) => joining,
            None => {
                let place = place(&server, &http.server_info().await?, insecure_http)?;
                let (device, key) = own_key(state).await?;
                let keys = link.keys()?;
                let request = SigningRequest { invite: link.invite, device, key, created_at: clock::now() };
                let request = state
                    .read(|engine| -> Result<_, SessionError> {
                        Ok(Sealed::seal(&request, engine.signing_key()?, &keys)?)
                    })
                    .await??;
                let enrol = Enrol { device, claim: keys.claim().clone(), request };
                let joining = Self { link: link.to_string(), place, enrol };
                state.put(names::JOINING, &joining).await?;
                joining
            }
        };
        http.enrol(&joining.enrol).await?;
        Ok(joining)
    }

    /// The enrolment that was begun in this state directory.
    pub async fn stored(state: &State) -> Result<Option<Self>, SessionError> {
        state.get(names::JOINING).await
    }

    /// Asks once whether an admin has decided. `true`: the device is enrolled now.
    pub async fn poll(&self, state: &State) -> Result<bool, SessionError> {
        let http = Http::new(ServerUrl::parse(&self.place.address, self.place.insecure)?)?;
        let query = EnrolmentQuery { device: self.enrol.device, claim: self.enrol.claim.clone() };
        match http.enrolment_status(&query).await? {
            EnrolmentStatus::Pending => Ok(false),
            EnrolmentStatus::Refused => {
                state.forget(names::JOINING).await?;
                Err(SessionError::rule(
                    ErrorCode::Forbidden,
                    "An admin has refused this device: ask them for a new invite.",
                ))
            }
            EnrolmentStatus::Issued { chain } => {
                let link: InviteLink = self.link.parse()?;
                let anchors = link.anchors()?;
                let identity = anchors.verify_device(&chain, clock::now())?;
                if identity.org != link.org || identity.device != self.enrol.device {
                    return Err(SessionError::rule(
                        ErrorCode::BadChain,
                        "The certificate that came belongs to another device or organisation; it was not used.",
                    ));
                }
                state.put(names::SERVER, &self.place).await?;
                state.apply(|engine, now| engine.enrol(chain, anchors, now)).await?;
                state.forget(names::JOINING).await?;
                Ok(true)
            }
        }
    }
}

/// A request that waits for this admin, checked with the invite's secret.
#[derive(Debug, Clone, Serialize)]
pub struct PendingDevice {
    /// The device.
    pub device: DeviceId,
    /// Whose it will be, as the invite on this device says.
    pub person: Option<PersonId>,
    /// Their work name.
    pub work_name: Option<String>,
    /// Their role.
    pub role: Option<Role>,
    /// When the request arrived.
    pub at: Timestamp,
    /// Why it can't be signed here, if it can't.
    pub problem: Option<String>,
}

impl Session {
    /// Requests that wait, each checked.
    pub async fn pending_devices(&self) -> Result<Vec<PendingDevice>, SessionError> {
        let waiting = self.api.enrolments().await?;
        let mut pending = Vec::with_capacity(waiting.len());
        for enrolment in &waiting {
            pending.push(self.examine(enrolment).await);
        }
        Ok(pending)
    }

    async fn examine(&self, enrolment: &PendingEnrolment) -> PendingDevice {
        let (subject, problem) = match self.check(enrolment).await {
            Ok(subject) => (Some(subject), None),
            Err(e) => (None, Some(e.to_string())),
        };
        PendingDevice {
            device: enrolment.device,
            person: subject.as_ref().map(|s| s.person),
            work_name: subject.as_ref().map(|s| s.work_name.clone()),
            role: subject.as_ref().map(|s| s.role),
            at: enrolment.at,
            problem,
        }
    }

    /// Opens a request with the invite's secret, and says what its certificate is to state. Person, role and name come
    /// from the invite as this device made it: the server can't exchange them.
    async fn check(&self, enrolment: &PendingEnrolment) -> Result<DeviceSubject, SessionError> {
        let claimed = enrolment.request.open_unauthenticated()?;
        let invite = own_invite(&self.state, claimed.invite).await?;
        let request = enrolment.request.open(&InviteKeys::derive(invite.invite, &invite.secret)?)?;
        if request.device != enrolment.device {
            return Err(SessionError::rule(
                ErrorCode::InvalidValue,
                "The request is for another device than the server says.",
            ));
        }
        match invite.purpose {
            InviteFor::Device { person, work_name, role } => {
                Ok(DeviceSubject { person, device: request.device, role, work_name, key: request.key })
            }
            InviteFor::Organisation { .. } => Err(SessionError::rule(
                ErrorCode::InviteInvalid,
                "The request was made with an invite for an organisation.",
            )),
        }
    }

    /// Signs a waiting device's certificate, after checking its request again.
    pub async fn approve_device(&self, device: DeviceId) -> Result<PendingDevice, SessionError> {
        let waiting = self.api.enrolments().await?;
        let enrolment = waiting
            .iter()
            .find(|waiting| waiting.device == device)
            .ok_or_else(|| SessionError::rule(ErrorCode::NotFound, "No request of that device waits for an admin."))?;
        let subject = self.check(enrolment).await?;
        let (key, signer_chain) = signer(&self.state).await?;
        let signer_der = signer_chain.first().ok_or(SessionError::NotASigner)?;
        let now = clock::now();
        let leaf = build_device(&key, signer_der, &subject, random()?, lifetime(now, DEVICE_DAYS))?;
        let chain: Vec<Bytes> = std::iter::once(Bytes(leaf)).chain(signer_chain).collect();
        // The server would refuse it too; saying it here is plainer.
        self.state.read(|engine| engine.anchors().map(|a| a.verify_device(&chain, now))).await?.transpose()?;
        self.api.issue_certificate(device, chain).await?;
        Ok(self.examine(enrolment).await)
    }
}

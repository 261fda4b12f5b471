//! Organisations, invites, enrolment, people.

use super::{Api, Call, Http, TokenVault, TransportError};
use firstlight_protocol::{
    ContactId, DeviceId, InviteId, OrgId, PersonId,
    api::{
        ConfirmContact, Contacts, CreateInvite, DirectoryQuery, Enrol, EnrolmentQuery, EnrolmentStatus,
        FoundOrganisation, InviteView, IssueCertificate, OrgView, PendingEnrolment, PersonView, ProfileView,
        PutProfile, PutRevocations, PutStatement, RootCertificate, SignedPartner, SignedRevocations, UpdatePerson,
        VerificationSent,
    },
    cert::Fingerprint,
    wire::Bytes,
};

/// What a device does before it has a certificate.
impl Http {
    /// `POST /v1/organisations`: the same founding again gives the same answer.
    pub async fn found_organisation(&self, body: &FoundOrganisation) -> Result<OrgView, TransportError> {
        self.send(&Call::post("/v1/organisations", body), None).await
    }

    /// `GET /v1/roots/{fingerprint}`: an organisation's root certificate, DER. Compare it with the fingerprint.
    pub async fn root(&self, fingerprint: Fingerprint) -> Result<Bytes, TransportError> {
        let found: RootCertificate = self.send(&Call::get(format!("/v1/roots/{fingerprint}")), None).await?;
        Ok(found.root)
    }

    /// `POST /v1/enrolments`.
    pub async fn enrol(&self, body: &Enrol) -> Result<EnrolmentStatus, TransportError> {
        self.send(&Call::post("/v1/enrolments", body), None).await
    }

    /// `POST /v1/enrolments/status`.
    pub async fn enrolment_status(&self, body: &EnrolmentQuery) -> Result<EnrolmentStatus, TransportError> {
        self.send(&Call::post("/v1/enrolments/status", body), None).await
    }
}

impl<V: TokenVault> Api<V> {
    /// `GET /v1/organisations`.
    pub async fn organisations(&self) -> Result<Vec<OrgView>, TransportError> {
        self.call(Call::get("/v1/organisations")).await
    }

    /// `PUT /v1/organisations/{org}/statement`.
    pub async fn put_statement(&self, org: OrgId, statement: SignedPartner) -> Result<(), TransportError> {
        self.call(Call::put(format!("/v1/organisations/{org}/statement"), &PutStatement { statement })).await
    }

    /// `PUT /v1/organisations/{org}/revocations`: the server also closes the listed devices' sessions.
    pub async fn put_revocations(&self, org: OrgId, revocations: SignedRevocations) -> Result<(), TransportError> {
        self.call(Call::put(format!("/v1/organisations/{org}/revocations"), &PutRevocations { revocations })).await
    }

    /// `POST /v1/invites`.
    pub async fn create_invite(&self, body: &CreateInvite) -> Result<(), TransportError> {
        self.call(Call::post("/v1/invites", body)).await
    }

    /// `GET /v1/invites`.
    pub async fn invites(&self) -> Result<Vec<InviteView>, TransportError> {
        self.call(Call::get("/v1/invites")).await
    }

    /// `DELETE /v1/invites/{invite}`.
    pub async fn withdraw_invite(&self, invite: InviteId) -> Result<(), TransportError> {
        self.call(Call::delete(format!("/v1/invites/{invite}"))).await
    }

    /// `GET /v1/enrolments`.
    pub async fn enrolments(&self) -> Result<Vec<PendingEnrolment>, TransportError> {
        self.call(Call::get("/v1/enrolments")).await
    }

    /// `POST /v1/enrolments/{device}/certificate`.
    pub async fn issue_certificate(&self, device: DeviceId, chain: Vec<Bytes>) -> Result<(), TransportError> {
        self.call(Call::post(format!("/v1/enrolments/{device}/certificate"), &IssueCertificate { chain })).await
    }

    /// `POST /v1/enrolments/{device}/refuse`.
    pub async fn refuse_enrolment(&self, device: DeviceId) -> Result<(), TransportError> {
        self.call(Call::post(format!("/v1/enrolments/{device}/refuse"), &serde_json::json!({}))).await
    }

    /// `GET /v1/people`.
    pub async fn people(&self) -> Result<Vec<PersonView>, TransportError> {
        self.call(Call::get("/v1/people")).await
    }

    /// `PATCH /v1/people/{person}`.
    pub async fn update_person(&self, person: PersonId, body: &UpdatePerson) -> Result<(), TransportError> {
        self.call(Call::patch(format!("/v1/people/{person}"), body)).await
    }

    /// `GET /v1/people/{person}/profile`.
    pub async fn profile(&self, person: PersonId) -> Result<ProfileView, TransportError> {
        self.call(Call::get(format!("/v1/people/{person}/profile"))).await
    }

    /// `PUT /v1/people/{person}/profile`: a compare-and-set by version; the same request again is answered like the first.
    pub async fn put_profile(&self, person: PersonId, body: &PutProfile) -> Result<ProfileView, TransportError> {
        self.call(Call::put(format!("/v1/people/{person}/profile"), body)).await
    }

    /// `GET /v1/people/{person}/contacts`.
    pub async fn contacts(&self, person: PersonId) -> Result<Contacts, TransportError> {
        self.call(Call::get(format!("/v1/people/{person}/contacts"))).await
    }

    /// `POST /v1/people/{person}/contacts/{contact}/verify/start`.
    pub async fn send_contact_code(
        &self,
        person: PersonId,
        contact: ContactId,
    ) -> Result<VerificationSent, TransportError> {
        self.call(Call::post(format!("/v1/people/{person}/contacts/{contact}/verify/start"), &serde_json::json!({})))
            .await
    }

    /// `POST /v1/people/{person}/contacts/{contact}/verify`.
    pub async fn verify_contact(
        &self,
        person: PersonId,
        contact: ContactId,
        body: &ConfirmContact,
    ) -> Result<(), TransportError> {
        self.call(Call::post(format!("/v1/people/{person}/contacts/{contact}/verify"), body)).await
    }

    /// `PUT /v1/people/{person}/contacts`.
    pub async fn put_contacts(&self, person: PersonId, body: &Contacts) -> Result<(), TransportError> {
        self.call(Call::put(format!("/v1/people/{person}/contacts"), body)).await
    }

    /// `POST /v1/directory`: a lookup, repeatable.
    pub async fn directory(&self, people: Vec<PersonId>) -> Result<Vec<PersonView>, TransportError> {
        self.call(Call::post("/v1/directory", &DirectoryQuery { people })).await
    }
}

//! Agencies' lines, keys of their dispatch systems, PINs.

use super::{Api, Call, TokenVault, TransportError};
use firstlight_protocol::{
    IntakeKeyId, LineId, PersonId,
    api::{AddIntakeKey, AddLine, IntakeKeyAdded, IntakeKeyView, LineAdded, LineSettings, SetPin},
    line::Line,
};

impl<V: TokenVault> Api<V> {
    /// `GET /v1/lines`.
    pub async fn lines(&self) -> Result<Vec<Line>, TransportError> {
        self.call(Call::get("/v1/lines")).await
    }

    /// `POST /v1/lines`.
    pub async fn add_line(&self, body: &AddLine) -> Result<LineAdded, TransportError> {
        self.call(Call::post("/v1/lines", body)).await
    }

    /// `PUT /v1/lines/{line}`.
    pub async fn change_line(&self, line: LineId, body: &LineSettings) -> Result<Line, TransportError> {
        self.call(Call::put(format!("/v1/lines/{line}"), body)).await
    }

    /// `POST /v1/lines/{line}/code`.
    pub async fn renew_line_code(&self, line: LineId) -> Result<LineAdded, TransportError> {
        self.call(Call::post(format!("/v1/lines/{line}/code"), &serde_json::json!({}))).await
    }

    /// `DELETE /v1/lines/{line}`.
    pub async fn remove_line(&self, line: LineId) -> Result<(), TransportError> {
        self.call(Call::delete(format!("/v1/lines/{line}"))).await
    }

    /// `GET /v1/lines/{line}/keys`.
    pub async fn intake_keys(&self, line: LineId) -> Result<Vec<IntakeKeyView>, TransportError> {
        self.call(Call::get(format!("/v1/lines/{line}/keys"))).await
    }

    /// `POST /v1/lines/{line}/keys`.
    pub async fn add_intake_key(&self, line: LineId, body: &AddIntakeKey) -> Result<IntakeKeyAdded, TransportError> {
        self.call(Call::post(format!("/v1/lines/{line}/keys"), body)).await
    }

    /// `DELETE /v1/lines/{line}/keys/{key}`.
    pub async fn revoke_intake_key(&self, line: LineId, key: IntakeKeyId) -> Result<(), TransportError> {
        self.call(Call::delete(format!("/v1/lines/{line}/keys/{key}"))).await
    }

    /// `PUT /v1/people/{person}/pin`.
    pub async fn set_pin(&self, person: PersonId, body: &SetPin) -> Result<(), TransportError> {
        self.call(Call::put(format!("/v1/people/{person}/pin"), body)).await
    }
}

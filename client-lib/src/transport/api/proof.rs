//! Readiness and drills.

use super::{Api, Call, TokenVault, TransportError};
use firstlight_protocol::{
    CalloutId, CheckId,
    api::{
        ConfirmTest, DrillList, DrillReport, DrillView, PersonReadiness, ReadinessBoard, ScheduleDrill, SendTest,
        Unreachable,
    },
};

impl<V: TokenVault> Api<V> {
    /// `GET /v1/readiness`.
    pub async fn readiness(&self) -> Result<ReadinessBoard, TransportError> {
        self.call(Call::get("/v1/readiness")).await
    }

    /// `GET /v1/readiness/unreachable`.
    pub async fn unreachable(&self) -> Result<Unreachable, TransportError> {
        self.call(Call::get("/v1/readiness/unreachable")).await
    }

    /// `GET /v1/readiness/me`.
    pub async fn own_readiness(&self) -> Result<PersonReadiness, TransportError> {
        self.call(Call::get("/v1/readiness/me")).await
    }

    /// `POST /v1/readiness/test`.
    pub async fn send_test(&self, body: &SendTest) -> Result<PersonReadiness, TransportError> {
        self.call(Call::post("/v1/readiness/test", body)).await
    }

    /// `POST /v1/readiness/{check}/confirm`.
    pub async fn confirm_test(&self, check: CheckId, body: &ConfirmTest) -> Result<PersonReadiness, TransportError> {
        self.call(Call::post(format!("/v1/readiness/{check}/confirm"), body)).await
    }

    /// `POST /v1/drills`.
    pub async fn schedule_drill(&self, body: &ScheduleDrill) -> Result<DrillView, TransportError> {
        self.call(Call::post("/v1/drills", body)).await
    }

    /// `GET /v1/drills`.
    pub async fn drills(&self) -> Result<Vec<DrillView>, TransportError> {
        let list: DrillList = self.call(Call::get("/v1/drills")).await?;
        Ok(list.drills)
    }

    /// `DELETE /v1/drills/{callout}`.
    pub async fn cancel_drill(&self, drill: CalloutId) -> Result<(), TransportError> {
        self.call(Call::delete(format!("/v1/drills/{drill}"))).await
    }

    /// `GET /v1/drills/{callout}/report`.
    pub async fn drill_report(&self, drill: CalloutId) -> Result<DrillReport, TransportError> {
        self.call(Call::get(format!("/v1/drills/{drill}/report"))).await
    }
}

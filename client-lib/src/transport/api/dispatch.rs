//! Callouts, pages, rota, policy, who is on call.

use super::{Api, Call, TokenVault, TransportError};
use firstlight_protocol::{
    CalloutId, PageId, Timestamp,
    api::{ActOnCallout, CalloutList, CalloutPages, OnCallView, PolicyDocument, RotaDocument, Team, Timeline},
    callout::{CalloutView, OpenCallout},
};

impl<V: TokenVault> Api<V> {
    /// `POST /v1/callouts`: when this answers, the callout is durable and the page is out.
    pub async fn open_callout(&self, body: &OpenCallout) -> Result<CalloutView, TransportError> {
        self.call(Call::post("/v1/callouts", body)).await
    }

    /// `GET /v1/callouts`.
    pub async fn callouts(&self) -> Result<Vec<CalloutView>, TransportError> {
        let list: CalloutList = self.call(Call::get("/v1/callouts")).await?;
        Ok(list.callouts)
    }

    /// `GET /v1/callouts/{callout}`.
    pub async fn callout(&self, callout: CalloutId) -> Result<CalloutView, TransportError> {
        self.call(Call::get(format!("/v1/callouts/{callout}"))).await
    }

    /// `GET /v1/callouts/{callout}/timeline`.
    pub async fn timeline(&self, callout: CalloutId) -> Result<Timeline, TransportError> {
        self.call(Call::get(format!("/v1/callouts/{callout}/timeline"))).await
    }

    /// `GET /v1/callouts/{callout}/pages`.
    pub async fn callout_pages(&self, callout: CalloutId) -> Result<CalloutPages, TransportError> {
        self.call(Call::get(format!("/v1/callouts/{callout}/pages"))).await
    }

    /// `GET /v1/callouts/{callout}/team`.
    pub async fn team(&self, callout: CalloutId) -> Result<Team, TransportError> {
        self.call(Call::get(format!("/v1/callouts/{callout}/team"))).await
    }

    /// `POST /v1/callouts/{callout}/actions`.
    pub async fn act(&self, callout: CalloutId, body: &ActOnCallout) -> Result<CalloutView, TransportError> {
        self.call(Call::post(format!("/v1/callouts/{callout}/actions"), body)).await
    }

    /// `POST /v1/pages/{page}/seen`.
    pub async fn page_seen(&self, page: PageId) -> Result<(), TransportError> {
        self.call(Call::post(format!("/v1/pages/{page}/seen"), &serde_json::json!({}))).await
    }

    /// `GET /v1/rota`.
    pub async fn rota(&self) -> Result<RotaDocument, TransportError> {
        self.call(Call::get("/v1/rota")).await
    }

    /// `PUT /v1/rota`: a compare-and-set by version; the same request again is answered like the first.
    pub async fn put_rota(&self, body: &RotaDocument) -> Result<RotaDocument, TransportError> {
        self.call(Call::put("/v1/rota", body)).await
    }

    /// `GET /v1/policy`.
    pub async fn policy(&self) -> Result<PolicyDocument, TransportError> {
        self.call(Call::get("/v1/policy")).await
    }

    /// `PUT /v1/policy`: as `put_rota`.
    pub async fn put_policy(&self, body: &PolicyDocument) -> Result<PolicyDocument, TransportError> {
        self.call(Call::put("/v1/policy", body)).await
    }

    /// `GET /v1/on-call`, now or at another moment.
    pub async fn on_call(&self, at: Option<Timestamp>) -> Result<OnCallView, TransportError> {
        let at = at.map(|t| format!("?at={}", t.as_millis())).unwrap_or_default();
        self.call(Call::get(format!("/v1/on-call{at}"))).await
    }
}

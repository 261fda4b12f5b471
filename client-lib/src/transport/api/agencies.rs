//! Other agencies' notices.

use super::{Api, Call, TokenVault, TransportError};
use firstlight_protocol::{
    CalloutId,
    agency::{AgencyNoticeList, AgencyNoticeView},
};

impl<V: TokenVault> Api<V> {
    /// `GET /v1/agency-notices`.
    pub async fn agency_notices(&self) -> Result<Vec<AgencyNoticeView>, TransportError> {
        let list: AgencyNoticeList = self.call(Call::get("/v1/agency-notices")).await?;
        Ok(list.notices)
    }

    /// `POST /v1/agency-notices/{callout}/acknowledge`: again is harmless.
    pub async fn acknowledge_notice(&self, callout: CalloutId) -> Result<AgencyNoticeView, TransportError> {
        let path = format!("/v1/agency-notices/{callout}/acknowledge");
        self.call(Call::post(path, &serde_json::json!({}))).await
    }
}

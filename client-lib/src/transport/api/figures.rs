//! After the night: records, figures, the report.

use super::{Api, Call, TokenVault, TransportError};
use firstlight_protocol::{
    CalloutId, Timestamp,
    callout::Welfare,
    figures::{FigureExport, FigureTable, GroupBy},
    record::{CalloutRecord, OwnWelfare},
};

/// The time that figures cover; absent ends are the server's usual ones.
#[derive(Debug, Clone, Copy, Default)]
pub struct FigurePeriod {
    /// Callouts opened from then on.
    pub from: Option<Timestamp>,
    /// Callouts opened before then.
    pub until: Option<Timestamp>,
    /// For eyes outside the organisation.
    pub outside: bool,
}

impl FigurePeriod {
    fn query(&self) -> String {
        let mut query = format!("?outside={}", self.outside);
        for (name, at) in [("from", self.from), ("until", self.until)] {
            if let Some(at) = at {
                query += &format!("&{name}={}", at.as_millis());
            }
        }
        query
    }
}

impl<V: TokenVault> Api<V> {
    /// `GET /v1/callouts/{callout}/record`.
    pub async fn record(&self, callout: CalloutId) -> Result<CalloutRecord, TransportError> {
        self.call(Call::get(format!("/v1/callouts/{callout}/record"))).await
    }

    /// `PUT /v1/callouts/{callout}/welfare`.
    pub async fn say_welfare(&self, callout: CalloutId, welfare: Welfare) -> Result<(), TransportError> {
        self.call(Call::put(format!("/v1/callouts/{callout}/welfare"), &OwnWelfare { welfare })).await
    }

    /// `GET /v1/figures`.
    pub async fn figures(&self, by: GroupBy, period: FigurePeriod) -> Result<FigureTable, TransportError> {
        self.call(Call::get(format!("/v1/figures{}&by={by}", period.query()))).await
    }

    /// `GET /v1/figures` as CSV.
    pub async fn figures_csv(&self, by: GroupBy, period: FigurePeriod) -> Result<String, TransportError> {
        self.text(Call::get(format!("/v1/figures{}&by={by}&format=csv", period.query()))).await
    }

    /// `GET /v1/figures/export`.
    pub async fn export_figures(&self, period: FigurePeriod) -> Result<FigureExport, TransportError> {
        self.call(Call::get(format!("/v1/figures/export{}", period.query()))).await
    }

    /// `GET /v1/report`: a page of HTML.
    pub async fn report(&self, period: FigurePeriod) -> Result<String, TransportError> {
        self.text(Call::get(format!("/v1/report{}", period.query()))).await
    }
}

//! Changes of the rota, what follows from it, calendar feeds.

use super::{Api, Call, TokenVault, TransportError};
use firstlight_protocol::{
    FeedId, PersonId, Timestamp,
    api::{
        AbsencesImported, AnswerSwap, FairnessView, FeedList, FeedMade, FeedView, GapsView, MakeFeed, OfferSwap,
        RotaChanged, ScheduleView,
    },
    callout::Code,
    rota::{Absence, Override},
};

impl<V: TokenVault> Api<V> {
    /// `POST /v1/rota/overrides`.
    pub async fn add_override(&self, body: &Override) -> Result<RotaChanged, TransportError> {
        self.call(Call::post("/v1/rota/overrides", body)).await
    }

    /// `DELETE /v1/rota/overrides/{override}`.
    pub async fn remove_override(&self, id: &Code) -> Result<RotaChanged, TransportError> {
        self.call(Call::delete(format!("/v1/rota/overrides/{id}"))).await
    }

    /// `POST /v1/rota/absences`.
    pub async fn add_absence(&self, body: &Absence) -> Result<RotaChanged, TransportError> {
        self.call(Call::post("/v1/rota/absences", body)).await
    }

    /// `DELETE /v1/rota/absences/{absence}`.
    pub async fn remove_absence(&self, id: &Code) -> Result<RotaChanged, TransportError> {
        self.call(Call::delete(format!("/v1/rota/absences/{id}"))).await
    }

    /// `POST /v1/rota/absences/import` with a calendar; the same one again changes nothing.
    pub async fn import_absences(
        &self,
        person: Option<PersonId>,
        calendar: String,
    ) -> Result<AbsencesImported, TransportError> {
        let of = person.map(|person| format!("?person={person}")).unwrap_or_default();
        self.call(Call::post_calendar(format!("/v1/rota/absences/import{of}"), calendar)).await
    }

    /// `POST /v1/rota/swaps`.
    pub async fn offer_swap(&self, body: &OfferSwap) -> Result<RotaChanged, TransportError> {
        self.call(Call::post("/v1/rota/swaps", body)).await
    }

    /// `POST /v1/rota/swaps/{swap}`.
    pub async fn answer_swap(&self, id: &Code, body: &AnswerSwap) -> Result<RotaChanged, TransportError> {
        self.call(Call::post(format!("/v1/rota/swaps/{id}"), body)).await
    }

    /// `GET /v1/rota/schedule`.
    pub async fn schedule(&self, from: Timestamp, until: Timestamp) -> Result<ScheduleView, TransportError> {
        self.call(Call::get(format!("/v1/rota/schedule{}", stretch(from, until)))).await
    }

    /// `GET /v1/rota/gaps`.
    pub async fn gaps(&self, from: Timestamp, until: Timestamp) -> Result<GapsView, TransportError> {
        self.call(Call::get(format!("/v1/rota/gaps{}", stretch(from, until)))).await
    }

    /// `GET /v1/rota/fairness`.
    pub async fn fairness(&self, from: Timestamp, until: Timestamp) -> Result<FairnessView, TransportError> {
        self.call(Call::get(format!("/v1/rota/fairness{}", stretch(from, until)))).await
    }

    /// `POST /v1/feeds`. A lost answer is a lost address: the server keeps none, and refuses the same id again.
    pub async fn make_feed(&self, body: &MakeFeed) -> Result<FeedMade, TransportError> {
        self.call(Call::post_once("/v1/feeds", body)).await
    }

    /// `GET /v1/feeds`.
    pub async fn feeds(&self) -> Result<Vec<FeedView>, TransportError> {
        let list: FeedList = self.call(Call::get("/v1/feeds")).await?;
        Ok(list.feeds)
    }

    /// `DELETE /v1/feeds/{feed}`.
    pub async fn revoke_feed(&self, feed: FeedId) -> Result<(), TransportError> {
        self.call(Call::delete(format!("/v1/feeds/{feed}"))).await
    }
}

fn stretch(from: Timestamp, until: Timestamp) -> String {
    format!("?from={}&until={}", from.as_millis(), until.as_millis())
}

//! One device, signed in.

use super::{Answer, Http, Socket, http::json, random};
use ed25519_dalek::SigningKey;
use firstlight_protocol::{
    ActionId, Bytes, CalloutId, DeviceId, ErrorCode, OrgId, PersonId, Problem, Role, RoomId, Secret,
    api::{
        ActOnCallout, Challenge, ChallengeRequest, ClaimKeyPackages, ClaimedKeyPackage, InboxItem, InboxPage, LogPage,
        Notice, ServerInfo, SignIn, Ticket, Tokens,
    },
    callout::{Action, CalloutView, OpenCallout, Purpose, Routing},
    signed::sign_challenge,
    stream::Hello,
};
use reqwest::Method;
use serde::{Serialize, de::DeserializeOwned};
use std::sync::{Arc, Mutex, PoisonError};

/// A device with its key and its certificates.
#[derive(Debug)]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// Its holder.
    pub person: PersonId,
    /// Its holder's organisation.
    pub org: OrgId,
    /// Its holder's role.
    pub role: Role,
    /// The name its holder works under.
    pub work_name: String,
    /// Device, signer, root.
    pub chain: Vec<Bytes>,
    /// Its key.
    pub key: SigningKey,
    /// Its way to the server.
    pub http: Arc<Http>,
    pub(super) tokens: Mutex<Option<Tokens>>,
}

impl Device {
    /// Signs in anew and remembers the tokens.
    pub async fn sign_in(&self) -> Result<Tokens, Problem> {
        let server: ServerInfo = self.http.get("/v1/server").await?;
        let challenge: Challenge = self.http.post("/v1/auth/challenges", &ChallengeRequest { device: self.id }).await?;
        let signature = sign_challenge(&self.key, &server.name, self.id, &challenge.challenge).to_vec().into();
        let answer = SignIn { device: self.id, challenge: challenge.challenge, signature };
        let tokens: Tokens = self.http.post("/v1/auth/sessions", &answer).await?;
        self.remember(tokens.clone());
        Ok(tokens)
    }

    /// Uses these tokens from now on.
    pub fn remember(&self, tokens: Tokens) {
        *self.tokens.lock().unwrap_or_else(PoisonError::into_inner) = Some(tokens);
    }

    /// The access token in use; signs in where there is none.
    pub async fn access(&self) -> Result<Secret, Problem> {
        let known = self.tokens.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|t| t.access.clone());
        match known {
            Some(token) => Ok(token),
            None => Ok(self.sign_in().await?.access),
        }
    }

    async fn call<T: DeserializeOwned>(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Result<T, Problem> {
        self.answer(method, path, body).await?.read()
    }

    async fn answer(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Result<Answer, Problem> {
        let token = self.access().await?;
        let answer = self.http.send(method.clone(), path, Some(&token), body.clone()).await;
        // Time is virtual, so minutes pass in a moment.
        if answer.status == 401 && answer.problem().code == ErrorCode::TokenExpired {
            let token = self.sign_in().await?.access;
            return Ok(self.http.send(method, path, Some(&token), body).await);
        }
        Ok(answer)
    }

    /// `GET`.
    pub async fn get<T: DeserializeOwned>(&self, path: impl AsRef<str>) -> Result<T, Problem> {
        self.call(Method::GET, path.as_ref(), None).await
    }

    /// `POST`.
    pub async fn post<T: DeserializeOwned>(&self, path: impl AsRef<str>, body: &impl Serialize) -> Result<T, Problem> {
        self.call(Method::POST, path.as_ref(), Some(json(body))).await
    }

    /// `PUT`.
    pub async fn put<T: DeserializeOwned>(&self, path: impl AsRef<str>, body: &impl Serialize) -> Result<T, Problem> {
        self.call(Method::PUT, path.as_ref(), Some(json(body))).await
    }

    /// `DELETE`.
    pub async fn delete(&self, path: impl AsRef<str>) -> Result<(), Problem> {
        self.call(Method::DELETE, path.as_ref(), None).await
    }

    /// `PUT` of bytes as they are.
    pub async fn put_bytes(&self, path: impl AsRef<str>, bytes: Vec<u8>) -> Result<(), Problem> {
        self.call(Method::PUT, path.as_ref(), Some(bytes)).await
    }

    /// `GET` of bytes as they are.
    pub async fn get_bytes(&self, path: impl AsRef<str>) -> Result<Vec<u8>, Problem> {
        let answer = self.answer(Method::GET, path.as_ref(), None).await?;
        if answer.status == 200 { Ok(answer.body) } else { Err(answer.problem()) }
    }

    /// A ticket for a websocket.
    pub async fn ticket(&self) -> Result<Secret, Problem> {
        let ticket: Ticket = self.post("/v1/auth/tickets", &serde_json::json!({})).await?;
        Ok(ticket.ticket)
    }

    /// A websocket that has said hello and was answered; it resumes after what was acknowledged.
    pub async fn connect(&self) -> Socket {
        self.resume(None, &[]).await
    }

    /// A websocket that resumes at these places.
    pub async fn resume(&self, inbox: Option<u64>, rooms: &[(RoomId, u64)]) -> Socket {
        let ticket = self.ticket().await.expect("a ticket");
        let rooms = rooms.iter().map(|&(room, seq)| firstlight_protocol::api::RoomCursor { room, seq }).collect();
        Socket::open(self.http.addr(), Hello { ticket, inbox, rooms }).await
    }

    /// Everything in the inbox that was not acknowledged.
    pub async fn inbox(&self) -> Vec<InboxItem> {
        let mut items: Vec<InboxItem> = Vec::new();
        loop {
            let after = items.last().map_or(0, |item| item.seq);
            let page: InboxPage = self.get(format!("/v1/inbox?after={after}")).await.expect("an inbox");
            let done = page.items.last().is_none_or(|last| last.seq >= page.head);
            items.extend(page.items);
            if done {
                return items;
            }
        }
    }

    /// The attempts of the pages for one callout that lie in the inbox.
    pub async fn pages(&self, of: CalloutId) -> Vec<u32> {
        let page = |item: InboxItem| match item.notice {
            Notice::Page { callout, attempt, .. } if callout == of => Some(attempt),
            _ => None,
        };
        self.inbox().await.into_iter().filter_map(page).collect()
    }

    /// Opens a callout.
    pub async fn open_callout(&self, routing: Routing) -> Result<CalloutView, Problem> {
        self.post("/v1/callouts", &OpenCallout { id: CalloutId(random()), routing, purpose: Purpose::Real }).await
    }

    /// A callout as this device's holder may see it.
    pub async fn callout(&self, id: CalloutId) -> Result<CalloutView, Problem> {
        self.get(format!("/v1/callouts/{id}")).await
    }

    /// Does something with a callout.
    pub async fn act(&self, callout: CalloutId, action: Action) -> Result<CalloutView, Problem> {
        let body = ActOnCallout { id: ActionId(random()), action };
        self.post(format!("/v1/callouts/{callout}/actions"), &body).await
    }

    /// A page of a room's log.
    pub async fn log(&self, room: RoomId, after: u64) -> Result<LogPage, Problem> {
        self.get(format!("/v1/rooms/{room}/log?after={after}")).await
    }

    /// Claims one key package of each device.
    pub async fn claim(&self, suite: u16, devices: Vec<DeviceId>) -> Result<Vec<ClaimedKeyPackage>, Problem> {
        self.post("/v1/key-packages/claim", &ClaimKeyPackages { suite, devices }).await
    }
}

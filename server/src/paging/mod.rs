//! The ways a page leaves the server besides the person's own devices.
//!
//! A channel sends once and says how it went. When to try again, and whom to call next, is decided elsewhere
//! (`runner`, and the engine above it), so that no channel can hold up another.
//!
//! | file | what |
//! |---|---|
//! | `telephony` | text messages and calls, by several accounts in order; what providers report back |
//! | `push`, `email`, `ntfy`, `webhook` | one file for each other channel |
//! | `message`, `messages/` | what is said, in each language |
//! | `outcome`, `circuit`, `backoff` | how a try went, how a provider does, when it is tried again |
//! | `web`, `address` | where requests may go |

mod address;
mod backoff;
mod circuit;
mod email;
mod message;
mod ntfy;
mod outcome;
mod push;
pub(crate) mod telephony;
mod web;
mod webhook;

pub use address::Allowed;
pub use backoff::{MAX_TRIES, backoff};
pub use message::{Values, text};
pub use outcome::{Again, Outcome, ProviderHealth, Sent};
pub(crate) use push::KEY as PUSH_KEY;
pub use telephony::{Signed, Telephony};
pub use web::Web;

use crate::{App, Result, Shared, config::Config, extract::Json, identity::ContactRow};
use axum::extract::State;
use firstlight_protocol::{
    CalloutId, PageId, Secret, Timestamp,
    api::{MessageKind, PushKey},
    callout::Phone,
    policy::ContactMethod,
};
use std::time::Duration;
use utoipa_axum::{router::OpenApiRouter, routes};

/// One try of one message. Nothing in it says what for, where or for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// The page; the idempotency key.
    pub page: PageId,
    /// The callout, to tell messages of one callout from another's; it is never sent.
    pub callout: Option<CalloutId>,
    /// What it is for.
    pub kind: MessageKind,
    /// The how-manieth call to this person in this callout, from 1.
    pub attempt: u32,
    /// An earlier try of this page may have arrived: the server stopped in the middle, or heard no answer.
    pub redelivery: bool,
    /// What it says.
    pub text: &'a str,
}

/// Every channel that the operator has set up.
#[derive(Debug)]
pub struct Channels {
    web: web::Web,
    telephony: Telephony,
    push: push::Push,
    email: Option<email::Email>,
    /// The longest that one try can take.
    longest: Duration,
    per_provider: usize,
}

/// The lane of text messages. All accounts share it: which of them sends is chosen for each try.
pub(crate) const SMS_LANE: &str = "telephony sms";
/// The lane of calls, so that texts that stall keep no telephone from ringing.
pub(crate) const VOICE_LANE: &str = "telephony voice";
/// The mail server's.
pub(crate) const EMAIL_LANE: &str = "email";

impl Channels {
    /// Sets the channels up.
    ///
    /// # Errors
    /// A sentence for the operator where something that a channel needs can't be read.
    pub fn new(config: &Config) -> Result<Self> {
        let paging = &config.paging;
        let contact = if paging.push_contact.is_empty() { &config.name } else { &paging.push_contact };
        // A mail takes several commands, each with the same patience.
        let mail = Duration::from(paging.email.timeout_ms) * 6;
        Ok(Self {
            web: web::Web::new(paging)?,
            telephony: Telephony::new(paging, config.public_url())?,
            push: push::Push::open(config.keys_dir(), contact)?,
            email: email::Email::new(&paging.email)?,
            longest: mail.max(paging.webhook_timeout_ms.into()).max(paging.telephony_timeout_ms.into()),
            per_provider: paging.per_provider,
        })
    }

    /// Which addresses may be reached.
    pub fn allowed(&self) -> &Allowed {
        self.web.allowed()
    }

    /// Text messages and calls.
    pub fn telephony(&self) -> &Telephony {
        &self.telephony
    }

    /// The longest that one try can take.
    pub fn longest(&self) -> Duration {
        self.longest
    }

    /// How many pages one provider gets at the same time; all telephony accounts together, since each takes over for the
    /// others.
    pub fn places(&self) -> usize {
        self.per_provider
    }

    /// How the providers do.
    pub fn health(&self) -> Vec<ProviderHealth> {
        self.telephony.health().chain(self.email.as_ref().map(email::Email::health)).collect()
    }

    /// Sends to a contact method once. `tried` are the providers of earlier tries.
    pub async fn to_contact(&self, to: &ContactRow, message: &Message<'_>, try_: Try<'_>) -> Sent {
        let missing = || Sent::new(to.method.channel().word(), Outcome::NotConfigured);
        match &to.method {
            ContactMethod::InApp => missing(),
            ContactMethod::Webhook { url, key, next_key, .. } => {
                let keys: Vec<Secret> = [key, next_key].into_iter().flatten().cloned().collect();
                webhook::send(&self.web, url, &keys, message, try_.now).await
            }
            ContactMethod::Push { id, endpoint, p256dh, auth: Some(auth) } => {
                let to = push::Subscription { id: *id, endpoint, p256dh, auth };
                self.push.send(&self.web, to, message, try_.now).await
            }
            ContactMethod::Push { auth: None, .. } => missing(),
            ContactMethod::Sms { number, .. } => self.to_phone(number, message, try_).await,
            ContactMethod::Voice { number, .. } => match number.e164() {
                Some(number) => self.telephony.call(try_.ring(&number, message.page), try_.now).await,
                None => missing(),
            },
            ContactMethod::Email { address, .. } => match &self.email {
                Some(email) => email.send(address, message, try_.now).await,
                None => missing(),
            },
            ContactMethod::Ntfy { url, token, .. } => ntfy::send(&self.web, url, token.as_ref(), message).await,
        }
    }

    /// Sends a text message to a number once.
    pub async fn to_phone(&self, to: &Phone, message: &Message<'_>, try_: Try<'_>) -> Sent {
        match to.e164() {
            Some(number) => self.telephony.sms(try_.ring(&number, message.page), message.text, try_.now).await,
            None => Sent::new(SMS_LANE, Outcome::NotConfigured),
        }
    }

    /// Sends a signed request to an outside system once.
    pub async fn to_outside(&self, url: &str, keys: &[Secret], message: &Message<'_>, now: Timestamp) -> Sent {
        webhook::send(&self.web, url, keys, message, now).await
    }

    /// The provider whose limit a contact method counts against.
    pub(crate) fn lane(method: &ContactMethod) -> String {
        let host = |kind: &str, address: &str| {
            let url = reqwest::Url::parse(address).ok();
            let host = url.as_ref().and_then(reqwest::Url::host_str).unwrap_or_default();
            format!("{kind} {host}")
        };
        match method {
            ContactMethod::InApp => "app".into(),
            ContactMethod::Sms { .. } => SMS_LANE.into(),
            ContactMethod::Voice { .. } => VOICE_LANE.into(),
            ContactMethod::Email { .. } => EMAIL_LANE.into(),
            ContactMethod::Webhook { url, .. } => host("webhook", url),
            ContactMethod::Push { endpoint, .. } => host("push", endpoint),
            ContactMethod::Ntfy { url, .. } => host("ntfy", url),
        }
    }
}

/// Which try of a page this is.
#[derive(Debug, Clone, Copy)]
pub struct Try<'a> {
    /// From 1.
    pub leg: u32,
    /// The providers of earlier tries.
    pub tried: &'a [String],
    /// When it is.
    pub now: Timestamp,
}

impl<'a> Try<'a> {
    fn ring(self, to: &'a str, page: PageId) -> telephony::Ring<'a> {
        telephony::Ring { to, page, leg: self.leg, tried: self.tried }
    }
}

/// The public key that a browser subscribes with (the Push API's `applicationServerKey`). Public.
#[utoipa::path(get, path = "/v1/push/key", tag = "identity", security(()), responses((status = 200, body = PushKey)))]
async fn push_key(State(app): State<Shared>) -> Json<PushKey> {
    Json(PushKey { key: app.push_key() })
}

impl App {
    fn push_key(&self) -> String {
        self.runner.channels().push.public_key()
    }
}

/// The routes of this room.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(push_key)).routes(routes!(telephony::status))
}

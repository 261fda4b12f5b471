//! Text messages and calls through accounts with a Twilio-compatible REST API (2010-04-01), in the operator's order.
//!
//! One call here is one try with one account. Which account is next after a failure is decided here too; that there is
//! a next try is the outbox's work, so that it is durable.

mod codes;
mod signature;
mod status;

pub use signature::Signed;
#[doc(hidden)]
pub(super) use status::__path_status;
pub(super) use status::status;

use super::{
    circuit::Circuit,
    outcome::{Again, Outcome, ProviderHealth, Sent},
};
use crate::{Error, Result, config};
use firstlight_protocol::{PageId, Secret, Timestamp, callout::FailReason};
use reqwest::{Client, Response, Url, redirect};
use serde::Deserialize;
use tokio::sync::Semaphore;

/// How long a telephone rings, in seconds: shorter than most voicemail boxes wait.
const RING_SECONDS: &str = "25";
/// The most that is read of an answer.
const MAX_ANSWER: usize = 64 * 1024;

/// Every account.
#[derive(Debug)]
pub struct Telephony {
    client: Client,
    /// Where the accounts reach this server.
    public_url: String,
    accounts: Vec<Account>,
}

#[derive(Debug)]
struct Account {
    name: String,
    base: Url,
    sid: String,
    token: Secret,
    from: String,
    sms: bool,
    voice: bool,
    places: Semaphore,
    circuit: Circuit,
}

/// One message or call.
#[derive(Debug, Clone, Copy)]
pub struct Ring<'a> {
    /// The number, in E.164.
    pub to: &'a str,
    /// The page.
    pub page: PageId,
    /// Which try of it this is, from 1.
    pub leg: u32,
    /// The accounts that earlier tries took.
    pub tried: &'a [String],
}

enum What<'a> {
    Sms(&'a str),
    Call,
}

#[derive(Deserialize)]
struct Taken {
    sid: String,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    code: Option<u32>,
}

impl Telephony {
    /// Sets the accounts up, and reads their tokens from where the configuration says.
    ///
    /// # Errors
    /// A sentence for the operator where a token can't be read.
    pub fn new(settings: &config::Paging, public_url: &str) -> Result<Self> {
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(settings.telephony_timeout_ms.into())
            .no_proxy()
            .pool_max_idle_per_host(settings.per_provider)
            .build()
            .map_err(|e| Error::internal(format!("telephony client: {e}")))?;
        let account = |account: &config::TelephonyAccount| {
            let config::TelephonyAccount { name, base_url, account_sid, from, sms, voice, .. } = account;
            let base =
                Url::parse(base_url).map_err(|_| Error::internal(format!("paging.telephony {name}: base_url")))?;
            Ok(Account {
                name: name.clone(),
                base,
                sid: account_sid.clone(),
                token: account.token()?,
                from: from.clone(),
                sms: *sms,
                voice: *voice,
                places: Semaphore::new(settings.per_provider),
                circuit: Circuit::default(),
            })
        };
        let accounts = settings.telephony.iter().map(account).collect::<Result<_>>()?;
        Ok(Self { client, public_url: public_url.trim_end_matches('/').to_owned(), accounts })
    }

    /// How many accounts there are.
    pub fn accounts(&self) -> usize {
        self.accounts.len()
    }

    /// How each account does.
    pub fn health(&self) -> impl Iterator<Item = ProviderHealth> {
        self.accounts.iter().map(|account| ProviderHealth::of(&account.name, &account.circuit))
    }

    /// Sends a text message once.
    pub async fn sms(&self, ring: Ring<'_>, text: &str, now: Timestamp) -> Sent {
        self.send(ring, What::Sms(text), now).await
    }

    /// Calls once. What the call says is asked for at `/v1/telephony/{account}/voice`.
    pub async fn call(&self, ring: Ring<'_>, now: Timestamp) -> Sent {
        self.send(ring, What::Call, now).await
    }

    /// Ends a call that may still ring. That it had ended before is no failure.
    pub async fn hang_up(&self, account: &str, reference: &str) {
        let Some(account) = self.accounts.iter().find(|known| known.name == account) else { return };
        let Some(url) = account.url(&format!("Calls/{reference}.json")) else { return };
        let form = [("Status", "completed")];
        let asked = self.client.post(url).basic_auth(&account.sid, Some(account.token.reveal())).form(&form).send();
        if let Err(error) = asked.await {
            tracing::warn!(account = account.name, timeout = error.is_timeout(), "a call could not be ended");
        }
    }

    /// Whether the account signed this request: its URL as it was made, and the form's fields.
    /// See [`Signed`] for the whole check.
    pub fn verify_signature(&self, account: &str, url: &str, params: &[(String, String)], header: &str) -> bool {
        let account = self.accounts.iter().find(|known| known.name == account);
        account.is_some_and(|account| signature::verify(&account.token, url, params, header))
    }

    /// The number that an account sends from.
    pub fn number(&self, account: &str) -> Option<&str> {
        self.accounts.iter().find(|known| known.name == account).map(|account| account.from.as_str())
    }

    /// Where the accounts reach this server, without a slash at the end.
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// Whether an account that can do this has not been tried.
    pub fn has_another(&self, call: bool, tried: &[String]) -> bool {
        self.able(call).any(|account| !tried.contains(&account.name))
    }

    fn able(&self, call: bool) -> impl Iterator<Item = &Account> {
        self.accounts.iter().filter(move |account| if call { account.voice } else { account.sms })
    }

    /// The first account in order that works, has a free place, and was not tried for this page; where none is all of
    /// that, what matters least is given up first. Also whether yet another would be left.
    fn choose(&self, call: bool, tried: &[String], now: Timestamp) -> Option<(&Account, bool)> {
        let fresh: Vec<_> = self.able(call).filter(|account| !tried.contains(&account.name)).collect();
        // A further round: the account whose turn it is.
        if fresh.is_empty() {
            let all: Vec<_> = self.able(call).collect();
            let turn = tried.len().checked_rem(all.len())?;
            return Some((all[turn], turn + 1 < all.len()));
        }
        let free = |account: &&&Account| account.places.available_permits() > 0;
        let chosen = fresh.iter().filter(free).find(|account| account.circuit.passes(now));
        let chosen = chosen.or_else(|| fresh.iter().find(free)).or(fresh.first())?;
        Some((chosen, fresh.len() > 1))
    }

    async fn send(&self, ring: Ring<'_>, what: What<'_>, now: Timestamp) -> Sent {
        let call = matches!(what, What::Call);
        let Some((account, more)) = self.choose(call, ring.tried, now) else {
            return Sent::new("telephony", Outcome::NotConfigured);
        };
        let Ok(_place) = account.places.acquire().await else {
            return Sent::new(&account.name, Outcome::NotConfigured);
        };
        let (reference, outcome, detail) = self.post(account, ring, what).await;
        let outcome = match outcome {
            Outcome::Failed { reason, uncertain, again: Again::OtherVendor } if !more => {
                Outcome::Failed { reason, uncertain, again: Again::Later }
            }
            other => other,
        };
        match outcome {
            Outcome::Failed { again: Again::OtherVendor | Again::Later, .. } => account.circuit.fails(now),
            _ => account.circuit.works(),
        }
        Sent { vendor: account.name.clone(), reference, outcome, detail }
    }

    async fn post(
        &self,
        account: &Account,
        ring: Ring<'_>,
        what: What<'_>,
    ) -> (Option<String>, Outcome, Option<String>) {
        let failed = |reason, uncertain| Outcome::Failed { reason, uncertain, again: Again::OtherVendor };
        let here = |what: &str| {
            let Self { public_url, .. } = self;
            format!("{public_url}/v1/telephony/{}/{what}?page={}&leg={}", account.name, ring.page, ring.leg)
        };
        let (status, voice) = (here("status"), here("voice"));
        let mut form = vec![("To", ring.to), ("From", account.from.as_str()), ("StatusCallback", status.as_str())];
        let resource = match what {
            What::Sms(text) => {
                form.push(("Body", text));
                "Messages.json"
            }
            What::Call => {
                form.extend([("Url", voice.as_str()), ("Method", "POST"), ("Timeout", RING_SECONDS)]);
                form.extend(["initiated", "ringing", "answered", "completed"].map(|e| ("StatusCallbackEvent", e)));
                "Calls.json"
            }
        };
        let Some(url) = account.url(resource) else { return (None, Outcome::NotConfigured, None) };
        let asked = self.client.post(url).basic_auth(&account.sid, Some(account.token.reveal())).form(&form).send();
        let answer = match asked.await {
            Ok(answer) => answer,
            Err(error) if error.is_timeout() => return (None, failed(FailReason::Timeout, true), None),
            Err(error) => return (None, failed(FailReason::Unreachable, !error.is_connect()), None),
        };
        let status = answer.status();
        let body = read(answer).await;
        if status.is_success() {
            return match serde_json::from_slice(&body) {
                Ok(Taken { sid }) if (1..=64).contains(&sid.len()) => (Some(sid), Outcome::Taken, None),
                // It may have sent it, and will tell us nothing of it.
                _ => (None, failed(FailReason::Rejected, true), Some("no reference".into())),
            };
        }
        let code = serde_json::from_slice::<Refusal>(&body).ok().and_then(|refusal| refusal.code);
        let detail = code.map_or_else(|| format!("HTTP {}", status.as_u16()), |code| format!("error {code}"));
        let outcome = match code.and_then(codes::of_number) {
            Some(reason) if status.is_client_error() => {
                Outcome::Failed { reason, uncertain: false, again: Again::Never }
            }
            // A gateway in front of it answers 5xx for what it has passed on, too.
            _ => failed(FailReason::Rejected, status.is_server_error()),
        };
        (None, outcome, Some(detail))
    }
}

impl Account {
    fn url(&self, resource: &str) -> Option<Url> {
        let mut url = self.base.clone();
        url.path_segments_mut().ok()?.pop_if_empty().extend(["2010-04-01", "Accounts", self.sid.as_str()]);
        url.path_segments_mut().ok()?.extend(resource.split('/'));
        Some(url)
    }
}

async fn read(mut answer: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Vec::new();
        }
        body.extend_from_slice(&chunk);
    }
    body
}

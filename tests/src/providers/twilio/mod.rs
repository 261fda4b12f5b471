//! An SMS and voice provider with Twilio's REST API (2010-04-01), and the telephones behind it.
//!
//! Requests are answered, and reported on by signed callbacks, as the real one does; calls fetch TwiML and act on it. What
//! a telephone does is said beforehand ([`Twilio::texting`], [`Twilio::answering`]); what it has shown and said can be looked at ([`Phone`]).

mod api;
mod behaviour;
mod call;
mod phone;
mod report;
mod twiml;

pub use behaviour::{Answering, Keys, Texting, Trouble};
pub use phone::{Phone, Shown};

use axum::{Router, routing::post};
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// An account with the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id (`AC…`).
    pub sid: String,
    /// Its secret: for requests to it, and for signatures by it.
    pub token: String,
}

/// What the provider and its telephones share.
#[derive(Debug, Default)]
struct State {
    accounts: Mutex<Vec<Account>>,
    troubles: Mutex<HashMap<String, Trouble>>,
    texting: Mutex<HashMap<String, Texting>>,
    answering: Mutex<HashMap<String, Answering>>,
    phones: Mutex<HashMap<String, Phone>>,
    /// Requests that each account has got, refused ones too.
    asked: Mutex<HashMap<String, u64>>,
    /// Calls that are under way, and whether somebody wants them ended.
    calls: Mutex<HashMap<String, bool>>,
    numbers: AtomicU64,
    client: reqwest::Client,
}

/// The provider. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Twilio {
    address: SocketAddr,
    state: Arc<State>,
}

impl Twilio {
    /// Starts a provider with these accounts, each an id and a token.
    pub fn start(accounts: &[(&str, &str)]) -> Self {
        let state = Arc::new(State::default());
        for (sid, token) in accounts {
            let account = Account { sid: (*sid).to_owned(), token: (*token).to_owned() };
            lock(&state.accounts).push(account);
        }
        let router = Router::new()
            .route("/2010-04-01/Accounts/{account}/Messages.json", post(api::message))
            .route("/2010-04-01/Accounts/{account}/Calls.json", post(api::call))
            .route("/2010-04-01/Accounts/{account}/Calls/{call}", post(api::change_call))
            .with_state(Arc::clone(&state));
        Self { address: super::background::serve(router), state }
    }

    /// Where it is: the `base_url` of an account.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on an account has this trouble with every request; `None`: it works again.
    pub fn trouble(&self, account: &str, trouble: Option<Trouble>) {
        let mut troubles = lock(&self.state.troubles);
        match trouble {
            Some(trouble) => drop(troubles.insert(account.to_owned(), trouble)),
            None => drop(troubles.remove(account)),
        }
    }

    /// What becomes of text messages to a number from now on.
    pub fn texting(&self, number: &str, texting: Texting) {
        lock(&self.state.texting).insert(number.to_owned(), texting);
    }

    /// What happens when a number is called from now on.
    pub fn answering(&self, number: &str, answering: Answering) {
        lock(&self.state.answering).insert(number.to_owned(), answering);
    }

    /// What a telephone has shown until now.
    pub fn phone(&self, number: &str) -> Phone {
        lock(&self.state.phones).get(number).cloned().unwrap_or_default()
    }

    /// Waits until a telephone's history holds what `found` looks for.
    ///
    /// # Panics
    /// After 30 seconds.
    pub async fn wait_for<T>(&self, number: &str, what: &str, mut found: impl FnMut(&Phone) -> Option<T>) -> T {
        let wait = async {
            loop {
                if let Some(value) = found(&self.phone(number)) {
                    return value;
                }
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        let limit = std::time::Duration::from_secs(30);
        match tokio::time::timeout(limit, wait).await {
            Ok(value) => value,
            Err(_) => panic!("waited {limit:?} in vain for {what} on {number}: {:?}", self.phone(number)),
        }
    }

    /// Waits until no call is under way and everything about the last one was reported.
    ///
    /// # Panics
    /// After 30 seconds.
    pub async fn wait_until_quiet(&self) {
        crate::world::soon("the end of all calls", async {
            while !lock(&self.state.calls).is_empty() {
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
        })
        .await;
    }

    /// How many requests an account has got.
    pub fn asked(&self, account: &str) -> u64 {
        lock(&self.state.asked).get(account).copied().unwrap_or_default()
    }

    /// Somebody sends a text message to one of an account's numbers. `webhook` is where the number leads: our own route.
    /// The answers come back to the sender's telephone, and to the caller here with the answer's status.
    pub async fn text(&self, account: &str, from: &str, to: &str, body: &str, webhook: &str) -> (u16, Vec<String>) {
        self.text_as(&self.state.sid("SM"), account, from, to, body, webhook).await
    }

    /// The same message once more, as providers do that heard no answer: pass the same `sid`.
    pub async fn text_as(
        &self,
        sid: &str,
        account: &str,
        from: &str,
        to: &str,
        body: &str,
        webhook: &str,
    ) -> (u16, Vec<String>) {
        let form = [
            ("MessageSid", sid),
            ("SmsSid", sid),
            ("AccountSid", account),
            ("From", from),
            ("To", to),
            ("Body", body),
            ("NumMedia", "0"),
            ("NumSegments", "1"),
        ];
        let (status, answer) = self.state.post(account, webhook, &form).await;
        let replies = twiml::messages(&answer);
        for reply in &replies {
            self.state.show(from, Shown::Text { from: to.to_owned(), body: reply.clone() });
        }
        (status, replies)
    }

    /// Somebody calls one of an account's numbers and presses these keys as they are asked for. Answers when the call is
    /// over; what was said stands in the caller's history.
    pub async fn call(&self, account: &str, from: &str, to: &str, keys: Vec<Keys>, webhook: &str) {
        let sid = self.state.sid("CA");
        self.call_as(&sid, account, from, to, keys, webhook).await;
    }

    /// The same with an id that the test chooses.
    pub async fn call_as(&self, sid: &str, account: &str, from: &str, to: &str, keys: Vec<Keys>, webhook: &str) {
        let line = call::Line {
            sid: sid.to_owned(),
            account: account.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
            inbound: true,
            person: from.to_owned(),
            answered_by: None,
        };
        call::talk(&self.state, &line, webhook, keys).await;
    }

    /// A signed request of the test's own making, with another signature if `forged`.
    pub async fn post(&self, account: &str, url: &str, form: &[(&str, &str)], forged: bool) -> u16 {
        let token = if forged { "somebody else's token".into() } else { self.state.token(account) };
        self.state.post_signed(&token, url, form).await.0
    }
}

impl State {
    fn token(&self, account: &str) -> String {
        let accounts = lock(&self.accounts);
        accounts.iter().find(|known| known.sid == account).map(|known| known.token.clone()).expect("a known account")
    }

    /// A new id of the provider's shape: two letters and 32 hexadecimal digits.
    fn sid(&self, kind: &str) -> String {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed) + 1;
        format!("{kind}{number:032x}")
    }

    fn show(&self, number: &str, shown: Shown) {
        lock(&self.phones).entry(number.to_owned()).or_default().add(shown);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

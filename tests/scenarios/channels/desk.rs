//! A cast with every channel set up, and what its people can look at.

use firstlight_protocol::{
    CalloutId, ContactId, Secret,
    api::{CalloutPages, Contacts, InboxItem, Notice, PageRecord},
    attention::Attention,
    policy::{ContactMethod, ContactState, Millis, NotificationRule},
};
use firstlight_server::config::{Config, Email, SmtpTls, TelephonyAccount};
use firstlight_server::store::sql;
use firstlight_tests::{
    inproc::Cast,
    process::{Receiver, Request},
    providers::{Answering, Keys, Push, Smtp, Twilio, push::Subscription},
    world::{Device, PATIENCE, free_address, routing, soon},
};
use serde_json::{Value, json};
use std::{path::Path, time::Duration};

/// The accounts with the telephony provider, in the operator's order.
pub(crate) const FIRST: &str = "AC1";
/// The second one.
pub(crate) const SECOND: &str = "AC2";
/// The primary advocate's telephone.
pub(crate) const ADVOCATE: &str = "+15555550111";
/// All that a page says.
pub(crate) const PAGE: &str = "Duty: respond";

/// A cast with every channel set up.
pub(crate) struct Desk {
    pub(crate) cast: Cast,
    pub(crate) twilio: Twilio,
    pub(crate) push: Push,
    /// Takes webhooks, and is an ntfy server to whoever publishes there.
    pub(crate) hooks: Receiver,
    smtp: Option<Smtp>,
}

pub(crate) fn id(n: u8) -> ContactId {
    ContactId([n; 16])
}

pub(crate) fn sms(n: u8, number: &str) -> ContactMethod {
    ContactMethod::Sms { id: id(n), number: number.parse().unwrap() }
}

pub(crate) fn voice(n: u8, number: &str) -> ContactMethod {
    ContactMethod::Voice { id: id(n), number: number.parse().unwrap() }
}

pub(crate) fn email(n: u8, address: &str) -> ContactMethod {
    ContactMethod::Email { id: id(n), address: address.into() }
}

pub(crate) fn browser(n: u8, subscription: &Subscription) -> ContactMethod {
    let Subscription { endpoint, p256dh, auth, .. } = subscription.clone();
    ContactMethod::Push { id: id(n), endpoint, p256dh, auth: Some(auth) }
}

/// One line of a person's list: by this contact method, or the app, so many seconds after their turn began.
pub(crate) fn rule(contact: Option<u8>, seconds: u64) -> NotificationRule {
    NotificationRule { contact: contact.map(id), after_ms: Millis::seconds(seconds) }
}

fn account(dir: &Path, name: &str, sid: &str, base_url: &str) -> TelephonyAccount {
    let token = dir.with_extension(name);
    std::fs::write(&token, format!("the token of {sid}")).unwrap();
    TelephonyAccount {
        name: name.into(),
        base_url: base_url.into(),
        account_sid: sid.into(),
        auth_token_file: Some(token),
        from: if sid == FIRST { "+15555550100" } else { "+15555550200" }.into(),
        sms: true,
        voice: true,
    }
}

/// Everybody at their desk.
pub(crate) async fn desk() -> Desk {
    desk_with(None, |_| {}).await
}

/// The same with a mail server, or another configuration.
pub(crate) async fn desk_with(smtp: Option<Smtp>, change: impl FnOnce(&mut Config)) -> Desk {
    let twilio = Twilio::start(&[(FIRST, "the token of AC1"), (SECOND, "the token of AC2")]);
    let (push, hooks) = (Push::start(), Receiver::start().unwrap());
    // Providers sign for the address by which they reach the server, so the port has to be known before it starts.
    let address = free_address();
    let cast = Cast::with(|config| {
        config.listen = address;
        let (dir, paging) = (&config.data_dir, &mut config.paging);
        paging.public_url = format!("http://{address}");
        paging.webhook_allow = vec![push.host(), hooks.host()];
        paging.push_contact = "mailto:operator@example.org".into();
        paging.telephony =
            vec![account(dir, "first", FIRST, &twilio.url()), account(dir, "second", SECOND, &twilio.url())];
        if let Some(smtp) = &smtp {
            let (host, port) = (smtp.address().ip().to_string(), smtp.address().port());
            let from = "Duty <duty@example.org>".into();
            paging.email = Email { host, port, tls: SmtpTls::None, from, ..Email::default() };
        }
        change(config);
    })
    .await;
    Desk { cast, twilio, push, hooks, smtp }
}

impl Desk {
    pub(crate) fn webhook(&self, n: u8) -> ContactMethod {
        let url = format!("http://{}/hook-{n}", self.hooks.host());
        ContactMethod::Webhook { id: id(n), url, key: Some(Secret::new("the webhook's own key")), next_key: None }
    }

    pub(crate) fn ntfy(&self, n: u8) -> ContactMethod {
        let url = format!("http://{}/topic-{n}", self.hooks.host());
        ContactMethod::Ntfy { id: id(n), url, token: Some(Secret::new("tk_a-topics-token")) }
    }

    pub(crate) fn smtp(&self) -> &Smtp {
        self.smtp.as_ref().expect("a mail server")
    }

    /// A person's contact methods from now on, none of them verified.
    pub(crate) async fn name(&self, device: &Device, methods: Vec<ContactMethod>, rules: Vec<NotificationRule>) {
        let contacts = Contacts { methods, rules, ..Contacts::default() };
        device.put::<()>(format!("/v1/people/{}/contacts", device.person), &contacts).await.unwrap();
    }

    /// The same, each verified by the code that came by it.
    pub(crate) async fn reach(&self, device: &Device, methods: Vec<ContactMethod>) {
        self.reach_by(device, methods, Vec::new()).await;
    }

    /// The same with rules.
    pub(crate) async fn reach_by(&self, device: &Device, methods: Vec<ContactMethod>, rules: Vec<NotificationRule>) {
        self.name(device, methods.clone(), rules).await;
        for method in &methods {
            let code = self.code(device, method).await;
            self.confirm(device, method, &code).await.unwrap();
        }
        self.settled().await;
    }

    /// Waits until it is written down what became of everything that was sent: a clock that jumped before would look
    /// like a server that stood still in the middle, and things would rightly be sent again.
    pub(crate) async fn settled(&self) {
        let waiting = || {
            sql::query_scalar::<i64>("SELECT count(*) FROM outbox WHERE next_at IS NOT NULL")
                .fetch_one(self.cast.server.app().store.read())
        };
        soon("what became of messages", async { while waiting().await.unwrap() > 0 {} }).await;
    }

    /// Lets a code be sent by a contact method, and answers with what came.
    pub(crate) async fn code(&self, device: &Device, method: &ContactMethod) -> String {
        let seen = self.arrived(method).len();
        if let ContactMethod::Voice { number, .. } = method {
            self.twilio.answering(number.as_str(), Answering::Person(vec![Keys::Silence]));
        }
        let path =
            format!("/v1/people/{}/contacts/{}/verify/start", device.person, method.channel().contact().unwrap());
        device.post::<Value>(path, &json!({})).await.unwrap();
        let code = soon("a code", async {
            loop {
                if let Some(code) = self.arrived(method).iter().skip(seen).find_map(|text| six_digits(text)) {
                    return code;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        });
        let code = code.await;
        if let ContactMethod::Voice { number, .. } = method {
            self.twilio.answering(number.as_str(), Answering::RingsOut);
        }
        code
    }

    pub(crate) async fn confirm(
        &self,
        device: &Device,
        method: &ContactMethod,
        code: &str,
    ) -> Result<(), firstlight_protocol::Problem> {
        let contact = method.channel().contact().unwrap();
        let path = format!("/v1/people/{}/contacts/{contact}/verify", device.person);
        device.post::<()>(path, &json!({ "code": code })).await
    }

    /// What a contact method's owner has seen and heard by it, oldest first.
    pub(crate) fn arrived(&self, method: &ContactMethod) -> Vec<String> {
        let bodies = |url: &str, field: &str| {
            let received = self.hooks.received();
            let of_it = received.iter().filter(|request| published(request, url));
            of_it.map(|request| body(request)[field].as_str().unwrap_or_default().to_owned()).collect()
        };
        match method {
            ContactMethod::InApp => Vec::new(),
            ContactMethod::Sms { number, .. } => {
                self.twilio.phone(number.as_str()).texts().into_iter().map(str::to_owned).collect()
            }
            ContactMethod::Voice { number, .. } => {
                self.twilio.phone(number.as_str()).heard().into_iter().map(str::to_owned).collect()
            }
            ContactMethod::Push { endpoint, .. } => {
                let name = endpoint.rsplit('/').next().unwrap_or_default();
                let pushed = self.push.pushed(name);
                pushed.iter().map(|pushed| pushed.payload["text"].as_str().unwrap_or_default().to_owned()).collect()
            }
            ContactMethod::Email { address, .. } => {
                let to = format!("To: {address}");
                let messages = self.smtp().messages();
                let of_it = messages.iter().filter(|message| message.lines().any(|line| line == to));
                of_it.map(|message| text_of(message).to_owned()).collect()
            }
            ContactMethod::Webhook { url, .. } => bodies(url, "text"),
            ContactMethod::Ntfy { url, .. } => bodies(url, "message"),
        }
    }

    /// An officer opens a callout for one responder.
    pub(crate) async fn open(&self) -> CalloutId {
        self.cast.officer.open_callout(routing("north", self.cast.now())).await.unwrap().id
    }

    /// The supervisor's record of a callout's pages.
    pub(crate) async fn pages(&self, callout: CalloutId) -> Vec<PageRecord> {
        let path = format!("/v1/callouts/{callout}/pages");
        self.cast.supervisor.get::<CalloutPages>(path).await.unwrap().pages
    }

    /// Waits until the record holds what `found` looks for.
    pub(crate) async fn until<T>(
        &self,
        callout: CalloutId,
        what: &str,
        found: impl Fn(&[PageRecord]) -> Option<T>,
    ) -> T {
        let wait = async {
            loop {
                if let Some(value) = found(&self.pages(callout).await) {
                    return value;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        match tokio::time::timeout(PATIENCE, wait).await {
            Ok(value) => value,
            Err(_) => panic!("waited {PATIENCE:?} in vain for {what}: {:#?}", self.pages(callout).await),
        }
    }

    /// Waits until the first page by a contact method is as looked for.
    pub(crate) async fn page(
        &self,
        callout: CalloutId,
        n: u8,
        what: &str,
        is: impl Fn(&PageRecord) -> bool,
    ) -> PageRecord {
        self.until(callout, what, |pages| by(pages, n).find(|page| is(page)).cloned()).await
    }

    /// What the supervisor was told that belongs to no callout.
    pub(crate) async fn attention(&self) -> Vec<Attention> {
        let about = |item: InboxItem| match item.notice {
            Notice::Attention { about: Attention::CoverageGap { .. } } => None,
            Notice::Attention { about } => Some(about),
            _ => None,
        };
        self.cast.supervisor.inbox().await.into_iter().filter_map(about).collect()
    }

    /// Whether a contact method is used.
    pub(crate) async fn state(&self, device: &Device, n: u8) -> ContactState {
        let contacts: Contacts = device.get(format!("/v1/people/{}/contacts", device.person)).await.unwrap();
        contacts.states.iter().find(|status| status.id == id(n)).unwrap().state
    }

    /// Where an account of the provider reports.
    pub(crate) fn status_url(&self, account: &str, page: &PageRecord, leg: u32) -> String {
        let server = self.cast.server.http.addr();
        format!("http://{server}/v1/telephony/{account}/status?page={}&leg={leg}", page.page)
    }
}

/// The pages by one contact method.
pub(crate) fn by(pages: &[PageRecord], n: u8) -> impl Iterator<Item = &PageRecord> {
    pages.iter().filter(move |page| page.channel.and_then(|channel| channel.contact()) == Some(id(n)))
}

/// Each try's provider and state, and why it failed.
pub(crate) fn legs(page: &PageRecord) -> Vec<(&str, &str, &str)> {
    let leg = |leg: &'_ firstlight_protocol::api::PageLeg| leg.state.as_str();
    page.legs
        .iter()
        .map(|of| (of.vendor.as_deref().unwrap_or_default(), leg(of), of.why.as_deref().unwrap_or_default()))
        .collect()
}

/// A request's body.
fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

/// Whether a request is for this webhook, or published on this topic.
fn published(request: &Request, url: &str) -> bool {
    let path = reqwest::Url::parse(url).unwrap().path().to_owned();
    request.path() == path || body(request)["topic"].as_str() == Some(path.trim_start_matches('/'))
}

/// What an e-mail says below its headers.
fn text_of(message: &str) -> &str {
    message.split_once("\n\n").map_or("", |(_, text)| text.trim())
}

/// A code, as it is written or spelled.
fn six_digits(text: &str) -> Option<String> {
    let joined = text.replace(", ", "");
    let mut runs = joined.split(|c: char| !c.is_ascii_digit());
    runs.find(|run| run.len() == 6).map(str::to_owned)
}

/// Nothing tells of a callout: no place, no age, no number of people, no name.
pub(crate) fn is_content_free(text: &str) {
    let text = text.to_lowercase();
    for content in ["north", "young", "child", "early", "555-0110", "agency", "police", "officer"] {
        assert!(!text.contains(content), "{content}: {text}");
    }
}

//! Pages by real channels: beside a provider that stalls, to fifty people at once, and for a thousand callouts at once.
//! The providers are the test harness's stand-ins, in this process.

use crate::{
    report::{Report, percentile},
    setting::{Host, now},
};
use firstlight_protocol::{
    CalloutId, ContactId, OrgKind, PageId, Role, Timestamp,
    api::{CalloutPages, Contacts, PolicyDocument, RotaDocument},
    callout::{Action, CancelReason, Routing},
    policy::{ContactMethod, Policy},
    rota::{Rota, Shift, Tier},
};
use firstlight_server::config::{Config, TelephonyAccount};
use firstlight_tests::{
    process::{Receiver, Request},
    providers::{Shown, Trouble, Twilio},
    world::{Device, routing, shift, soon},
};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// Responders who are paged at once, as for a joint operation.
const CREW: usize = 50;
/// Of them, those who are on duty while one provider stalls.
const BESIDE: usize = 20;
/// Callouts opened at once.
const BURST: usize = 1_000;
/// A device may open so many at once before its rate limit bites.
const PER_OFFICER: usize = 50;
/// Callouts a second while one provider stalls.
const PER_SECOND: usize = 10;
const ACCOUNT: &str = "AC1";
const TOKEN: &str = "the token of the account";
const PAGE: &str = "Duty: respond";
const CONTACT: ContactId = ContactId([1; 16]);

/// A server with its providers, and the people that they reach.
struct Exchange {
    _host: Host,
    twilio: Twilio,
    hooks: Receiver,
    supervisor: Device,
    officers: Vec<Device>,
    /// Reached by SMS.
    crew: Vec<Device>,
    /// Reached by webhook.
    healthy: Device,
    rota: u64,
}

pub(crate) async fn measure(report: &mut Report, time: Duration) {
    eprintln!("channels: {CREW} people by SMS, one by webhook");
    let mut exchange = Exchange::open(time).await;
    exchange.beside(report, time).await;
    exchange.at_once(report).await;
    exchange.burst(report).await;
}

fn number(n: usize) -> String {
    format!("+1555555{:04}", 5000 + n)
}

impl Exchange {
    async fn open(time: Duration) -> Self {
        let (twilio, hooks) = (Twilio::start(&[(ACCOUNT, TOKEN)]), Receiver::start().expect("a receiver"));
        let host = Host::found(|config| configure(config, &twilio, &hooks)).await;
        let (police, chief) =
            host.org.found_partner(OrgKind::LawEnforcement, "Agency B", &host.admin, now()).await.expect("a partner");
        let opened = BURST + CREW + 2 * PER_SECOND * usize::try_from(time.as_secs()).unwrap_or(1);
        let officers = host.people(&police, &chief, Role::PoliceOfficer, opened / PER_OFFICER + 2).await;
        let supervisor = host.people(&host.org, &host.admin, Role::Supervisor, 1).await.pop().expect("a supervisor");
        let mut crew = host.people(&host.org, &host.admin, Role::Advocate, CREW + 1).await;
        let healthy = crew.pop().expect("an advocate");
        let policy = PolicyDocument { version: 0, policy: Policy::new("555-0100".parse().expect("a number")) };
        let _: PolicyDocument = supervisor.put("/v1/policy", &policy).await.expect("a policy");
        let exchange = Self { _host: host, twilio, hooks, supervisor, officers, crew, healthy, rota: 0 };
        stream::iter(0..CREW).map(|n| exchange.reach_by_sms(n)).buffer_unordered(8).collect::<()>().await;
        reach_by_webhook(&exchange.healthy, &exchange.hooks).await;
        exchange
    }

    async fn reach_by_sms(&self, n: usize) {
        let number = number(n);
        let method = ContactMethod::Sms { id: CONTACT, number: number.parse().expect("a number") };
        let code = self.twilio.wait_for(&number, "a code", |phone| phone.code(6));
        verify(&self.crew[n], method, code).await;
    }

    async fn put_rota(&mut self, shifts: Vec<Shift>) {
        let rota = RotaDocument { version: self.rota, rota: Rota { shifts, ..Rota::new("America/Los_Angeles") } };
        self.rota = self.supervisor.put::<RotaDocument>("/v1/rota", &rota).await.expect("a rota").version;
    }

    /// How many texts of a page have come to the crew since then, and when the last one came.
    fn texts(&self, since: Timestamp) -> (usize, Timestamp) {
        let paged = |shown: &Shown| matches!(shown, Shown::Text { body, .. } if body == PAGE);
        let mut times = Vec::new();
        for n in 0..CREW {
            let phone = self.twilio.phone(&number(n));
            times
                .extend(phone.history().iter().filter(|(at, shown)| *at >= since.0 && paged(shown)).map(|(at, _)| *at));
        }
        (times.len(), Timestamp(times.into_iter().max().unwrap_or(since.0)))
    }

    /// Waits until so many texts of a page have come since then; answers with how long that took, in seconds.
    async fn until_texts(&self, since: Timestamp, count: usize) -> f64 {
        let came = async {
            loop {
                let (came, last) = self.texts(since);
                if came >= count {
                    return last.since(since).as_secs_f64();
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(120), came).await.unwrap_or(f64::INFINITY)
    }

    async fn cancel(&self, callouts: &[(usize, CalloutId)]) {
        let off = |(officer, id): (usize, CalloutId)| async move {
            let reason = CancelReason::NotNeeded;
            self.officers[officer].act(id, Action::Cancel { reason }).await.expect("cancelling");
        };
        stream::iter(callouts.iter().copied()).map(off).buffer_unordered(8).collect::<()>().await;
    }

    /// The same load twice, once with the telephony provider well and once with every request to it hanging.
    async fn beside(&mut self, report: &mut Report, time: Duration) {
        let mut shifts: Vec<Shift> = self.crew[..BESIDE].iter().map(|device| shift(Tier::Primary, device)).collect();
        shifts.push(shift(Tier::Primary, &self.healthy));
        self.put_rota(shifts).await;
        let well = self.by_webhook(0, time).await;
        self.twilio.trouble(ACCOUNT, Some(Trouble::Stalls(Duration::from_secs(60))));
        let stalled = self.by_webhook(1, time).await;
        self.twilio.trouble(ACCOUNT, None);
        report.told("request → page at its webhook, every provider well, p99", well, "ms");
        report.told("request → page at its webhook, SMS provider stalled, p99", stalled, "ms");
        report.at_most("the same as a ratio", stalled / well, "x", 1.5);
    }

    /// Opens callouts that page `BESIDE` people by SMS and one by webhook; the p99 of the latter, in milliseconds.
    async fn by_webhook(&self, phase: usize, time: Duration) -> f64 {
        let count = PER_SECOND * usize::try_from(time.as_secs()).unwrap_or(1);
        let mut every = tokio::time::interval(Duration::from_secs(1) / u32::try_from(PER_SECOND).unwrap_or(1));
        let (mut opened, first) = (Vec::new(), self.hooks.received().len());
        let arrivals = tokio::task::spawn_blocking({
            let hooks = self.hooks.clone();
            move || {
                let mut arrivals: HashMap<PageId, Instant> = HashMap::new();
                let mut seen = first;
                while arrivals.len() < count {
                    let Ok(requests) = hooks.wait_for(seen + 1, Duration::from_secs(60)) else { break };
                    let at = Instant::now();
                    // What calls earlier pages off may still come in.
                    for request in requests[seen..].iter().filter(|request| says_page(request)) {
                        let id = request.header("webhook-id").and_then(|id| id.parse().ok()).expect("a page");
                        arrivals.entry(id).or_insert(at);
                    }
                    seen = requests.len();
                }
                arrivals
            }
        });
        for n in 0..count {
            every.tick().await;
            let officer = (phase * count + n) / PER_OFFICER;
            let began = Instant::now();
            let wish = routing(&format!("zone-{phase}-{n}"), now());
            let callout = self.officers[officer].open_callout(wish).await.expect("a callout").id;
            opened.push((began, officer, callout));
        }
        let arrivals = arrivals.await.expect("arrivals");
        let mut took = Vec::new();
        for (began, _, callout) in &opened {
            let path = format!("/v1/callouts/{callout}/pages");
            let pages = self.supervisor.get::<CalloutPages>(path).await.expect("pages").pages;
            let own = pages.iter().filter(|page| page.person == Some(self.healthy.person));
            took.extend(own.filter_map(|page| arrivals.get(&page.page)).map(|at| at.duration_since(*began)));
        }
        assert_eq!(took.len(), count, "every page came");
        self.cancel(&opened.iter().map(|(_, officer, callout)| (*officer, *callout)).collect::<Vec<_>>()).await;
        // What calls them off goes out meanwhile.
        tokio::time::sleep(Duration::from_secs(2)).await;
        percentile(&mut took, 0.99)
    }

    /// One callout that pages everybody on duty by SMS.
    async fn at_once(&mut self, report: &mut Report) {
        self.put_rota(self.crew.iter().map(|device| shift(Tier::Primary, device)).collect()).await;
        let officer = self.officers.len() - 1;
        let began = now();
        let callout = self.officers[officer].open_callout(routing("everywhere", began)).await.expect("a callout").id;
        let took = self.until_texts(began, CREW).await;
        report.at_most(
            format!("{CREW} responders paged at once by SMS, until the provider has the last"),
            took,
            "s",
            0.5,
        );
        self.cancel(&[(officer, callout)]).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
    }

    /// A thousand callouts, each for one of the crew, opened as fast as the server takes them.
    async fn burst(&mut self, report: &mut Report) {
        let shifts = self.crew.iter().enumerate().map(|(n, device)| {
            let zone = Some(format!("own-{n}").parse().expect("a zone"));
            Shift { zone, ..shift(Tier::Primary, device) }
        });
        self.put_rota(shifts.collect()).await;
        let (began, first) = (now(), self.officers.len() - 1 - BURST.div_ceil(PER_OFFICER));
        let open = |n: usize| {
            let officer = &self.officers[first + n / PER_OFFICER];
            async move {
                let wish: Routing = routing(&format!("own-{}", n % CREW), now());
                officer.open_callout(wish).await.expect("a callout").id
            }
        };
        let opened: Vec<CalloutId> = stream::iter(0..BURST).map(open).buffer_unordered(64).collect().await;
        let answered = now().since(began).as_secs_f64();
        let took = self.until_texts(began, BURST).await;
        let mut lost = 0;
        for callout in opened {
            let path = format!("/v1/callouts/{callout}/pages");
            let pages = self.supervisor.get::<CalloutPages>(path).await.expect("pages").pages;
            lost += u32::from(!pages.iter().any(|page| page.attempt <= 2 && page.handed_over_at.is_some()));
        }
        report.told(format!("{BURST} callouts in a burst, until the last is answered"), answered, "s");
        report.told(format!("{BURST} callouts in a burst, until the provider has the last first page"), took, "s");
        report.at_most("first pages of the burst that were not handed over", f64::from(lost), "of all", 0.0);
    }
}

/// Gives somebody a webhook here, which has not been sent anything yet.
pub(crate) async fn reach_by_webhook(device: &Device, hooks: &Receiver) {
    let url = format!("http://{}/page", hooks.host());
    let key = Some(firstlight_protocol::Secret::new("a key of the webhook's own"));
    let code = soon("a code", async {
        loop {
            if let Some(request) = hooks.received().first() {
                return says(&request.body).rsplit(' ').next().expect("a code").to_owned();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    verify(device, ContactMethod::Webhook { id: CONTACT, url, key, next_key: None }, code).await;
}

/// Whether it is a callout's page.
pub(crate) fn says_page(request: &Request) -> bool {
    says(&request.body) == PAGE
}

/// The text of a webhook.
fn says(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).expect("JSON");
    body["text"].as_str().expect("a text").to_owned()
}

fn configure(config: &mut Config, twilio: &Twilio, hooks: &Receiver) {
    let token = config.data_dir.with_extension("token");
    std::fs::write(&token, TOKEN).expect("a file for the token");
    config.paging.webhook_allow = vec![hooks.host()];
    config.paging.telephony = vec![TelephonyAccount {
        name: "first".into(),
        base_url: twilio.url(),
        account_sid: ACCOUNT.into(),
        auth_token_file: Some(token),
        from: "+15555550100".into(),
        sms: true,
        voice: true,
    }];
}

/// Gives a person a contact method, and verifies it by the code that comes.
async fn verify(device: &Device, method: ContactMethod, code: impl Future<Output = String>) {
    let path = format!("/v1/people/{}/contacts", device.person);
    let contacts = Contacts { methods: vec![method], ..Contacts::default() };
    device.put::<()>(&path, &contacts).await.expect("a contact method");
    let path = format!("{path}/{CONTACT}/verify");
    let _: Value = device.post(format!("{path}/start"), &json!({})).await.expect("a code is sent");
    device.post::<()>(path, &json!({ "code": code.await })).await.expect("the code is right");
}

//! Pages while a node dies: the one that holds the advocate's websocket and a third of the officers, with kill -9.

use super::NODES;
use crate::{
    channels::{reach_by_webhook, says_page},
    pipe::Pipe,
    report::{Report, percentile},
    setting::{Duty, Host, now, roomy},
};
use firstlight_protocol::{
    CalloutId, PageId, Role,
    api::{CalloutPages, Notice},
    callout::{OpenCallout, Purpose},
    rota::Tier,
    stream::ServerFrame,
    wire::from_cbor,
};
use firstlight_tests::{
    cluster::Cluster,
    process::Receiver,
    world::{Device, Http, random, routing, shift},
};
use reqwest::Method;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

const PER_SECOND: u32 = 20;
/// A device may open so many at once before its rate limit bites.
const PER_OFFICER: usize = 40;
/// What a client waits before it asks the next node.
const NEXT: Duration = Duration::from_millis(100);
/// What opened within this time after the death is counted as during it: a takeover may take so long.
const DURING: Duration = Duration::from_secs(5);
/// Until the last page has come.
const AFTERWARDS: Duration = Duration::from_secs(10);

/// When something first came.
type Arrivals<K> = Arc<Mutex<HashMap<K, Instant>>>;

fn hold<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().expect("nobody panics with it")
}

/// A callout as its officer knows it.
struct Opened {
    id: CalloutId,
    at: Instant,
    answered: Duration,
}

pub(crate) async fn measure(report: &mut Report, time: Duration) {
    eprintln!("death: {PER_SECOND} callouts a second, and one of {NODES} nodes dies");
    let hooks = Receiver::start().expect("a receiver");
    let cluster = Cluster::straight(NODES, |config| {
        roomy(config);
        config.paging.webhook_allow = vec![hooks.host()];
    });
    let mut host = Host::found_on(cluster.expect("nodes")).await;
    let before = time.max(Duration::from_secs(2)) / 2;
    let count = PER_SECOND * u32::try_from((before + DURING).as_secs()).unwrap_or(1);
    let duty = Duty::begin(&host, count as usize / PER_OFFICER + NODES).await;
    // One advocate has the app open, the other one a webhook alone.
    let hooked = host.people(&host.org, &host.admin, Role::Advocate, 1).await.pop().expect("an advocate");
    reach_by_webhook(&hooked, &hooks).await;
    duty.put_rota(1, vec![shift(Tier::Primary, &duty.advocate), shift(Tier::Primary, &hooked)]).await;
    let ways = Arc::new(host.ways());

    let pages = Arrivals::<CalloutId>::default();
    // Her device is on the node that will die.
    let following = tokio::spawn(follow(Arc::clone(&duty.advocate), Arc::clone(&ways), Arc::clone(&pages)));
    let webhooks = Arrivals::<PageId>::default();
    let listening = listen(hooks, Arc::clone(&webhooks));
    tokio::time::sleep(NEXT).await;

    let (began, mut died) = (Instant::now(), None);
    let mut every = tokio::time::interval(Duration::from_secs(1) / PER_SECOND);
    let mut opening = Vec::new();
    for n in 0..count as usize {
        every.tick().await;
        if died.is_none() && began.elapsed() >= before {
            died = Some(Instant::now());
            host.process(0).kill9();
        }
        let officer = Arc::clone(&duty.officers[n % duty.officers.len()]);
        let ways = Arc::clone(&ways);
        opening.push(tokio::spawn(async move {
            let (id, at) = (CalloutId(random()), Instant::now());
            let body = OpenCallout { id, routing: routing(&format!("zone-{n}"), now()), purpose: Purpose::Real };
            somewhere(&officer, &ways, n, &body).await;
            Opened { id, at, answered: at.elapsed() }
        }));
    }
    let mut opened = Vec::new();
    for one in opening {
        opened.push(one.await.expect("opening"));
    }
    tokio::time::sleep(AFTERWARDS).await;
    following.abort();
    listening.abort();
    let died = died.expect("it died");
    let mut supervisor = duty.supervisor;
    supervisor.http = Arc::clone(&ways[1]);
    let (seen, webhooks) = (hold(&pages).clone(), hold(&webhooks).clone());
    let hooked = first_webhooks(&supervisor, &opened, &webhooks).await;
    let (calm, dying): (Vec<_>, Vec<_>) = opened.iter().partition(|one| one.at < died);
    for (which, callouts) in [("before a node's death", calm), ("during a node's death", dying)] {
        tell(report, which, &callouts, "the advocate's socket", &seen);
        tell(report, which, &callouts, "a webhook", &hooked);
        let mut answers: Vec<Duration> = callouts.iter().map(|one| one.answered).collect();
        report.told(format!("callout request → durable answer {which}, p99"), percentile(&mut answers, 0.99), "ms");
    }
    let lost = opened.iter().filter(|one| !seen.contains_key(&one.id) || !hooked.contains_key(&one.id)).count();
    report.at_most("callouts of which a page did not come", lost as f64, "of all", 0.0);
}

fn tell(report: &mut Report, which: &str, callouts: &[&Opened], place: &str, came: &HashMap<CalloutId, Instant>) {
    let mut took: Vec<Duration> =
        callouts.iter().filter_map(|one| Some(came.get(&one.id)?.duration_since(one.at))).collect();
    report.told(format!("callout request → page at {place} {which}, p50"), percentile(&mut took, 0.5), "ms");
    let p99 = format!("callout request → page at {place} {which}, p99");
    // Whoever holds a page when it dies is followed within five seconds.
    report.at_most(p99, percentile(&mut took, 0.99), "ms", 5_000.0);
}

/// Asks one node after the other, with the same words, until one has taken it.
async fn somewhere(device: &Device, ways: &[Arc<Http>], first: usize, body: &OpenCallout) {
    let token = device.access().await.expect("signed in");
    let body = serde_json::to_vec(body).expect("it encodes");
    for n in first.. {
        let asked = ways[n % ways.len()].try_send(Method::POST, "/v1/callouts", Some(&token), Some(body.clone())).await;
        match asked {
            Ok(answer) if answer.status < 300 => return,
            _ => tokio::time::sleep(NEXT).await,
        }
    }
}

/// A device that goes on at the next node when its own is gone.
async fn follow(device: Arc<Device>, ways: Arc<Vec<Arc<Http>>>, arrivals: Arrivals<CalloutId>) {
    let access = device.access().await.expect("signed in");
    for n in 0.. {
        let Some(mut pipe) = Pipe::try_open(&ways[n % ways.len()], &access).await else {
            tokio::time::sleep(NEXT).await;
            continue;
        };
        while let Some(frame) = pipe.next().await {
            if let Ok(ServerFrame::Inbox(item)) = from_cbor(&frame)
                && let Notice::Page { callout, .. } = &item.notice
            {
                hold(&arrivals).entry(*callout).or_insert_with(Instant::now);
            }
        }
    }
}

/// Notes when each webhook came.
fn listen(hooks: Receiver, arrivals: Arrivals<PageId>) -> tokio::task::JoinHandle<()> {
    tokio::task::spawn(async move {
        let mut seen = 0;
        loop {
            let requests = hooks.received();
            for request in requests[seen..].iter().filter(|request| says_page(request)) {
                let id = request.header("webhook-id").and_then(|id| id.parse().ok()).expect("a page");
                hold(&arrivals).entry(id).or_insert_with(Instant::now);
            }
            seen = requests.len();
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
}

/// When the first webhook of each callout came.
async fn first_webhooks(
    supervisor: &Device,
    opened: &[Opened],
    came: &HashMap<PageId, Instant>,
) -> HashMap<CalloutId, Instant> {
    let mut first = HashMap::new();
    for one in opened {
        let path = format!("/v1/callouts/{}/pages", one.id);
        let pages = supervisor.get::<CalloutPages>(path).await.expect("pages").pages;
        if let Some(at) = pages.iter().filter_map(|page| came.get(&page.page)).min() {
            first.insert(one.id, *at);
        }
    }
    first
}

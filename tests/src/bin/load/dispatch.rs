//! Callouts: request → page on the advocate's socket, and accept → the officer's screen, 50 callouts a second, fsynced.

use crate::{
    pipe::Pipe,
    report::{Report, percentile},
    setting::{Duty, Host, now},
};
use firstlight_protocol::{
    CalloutId, Role,
    api::Notice,
    callout::{Action, CalloutState, CalloutView, OpenCallout, Purpose},
    rota::Tier,
    stream::ServerFrame,
    wire::from_cbor,
};
use firstlight_tests::world::{random, routing, shift};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::task::JoinHandle;

const PER_SECOND: u32 = 50;
/// A device may open so many at once before its rate limit bites.
const PER_OFFICER: u32 = 50;
/// One callout in so many is accepted while the others go on.
const ACCEPTED: u32 = 5;
/// Responders who are paged at once, as for a joint operation.
const CREW: usize = 50;

type Arrivals = Arc<Mutex<HashMap<CalloutId, Instant>>>;

/// Notes when something about a callout first reached a device.
fn watch(mut pipe: Pipe, of_interest: fn(&Notice) -> Option<CalloutId>) -> (Arrivals, JoinHandle<()>) {
    let arrivals = Arrivals::default();
    let noted = Arc::clone(&arrivals);
    let task = tokio::spawn(async move {
        loop {
            let frame = pipe.frame().await;
            let at = Instant::now();
            if let Ok(ServerFrame::Inbox(item)) = from_cbor(&frame)
                && let Some(callout) = of_interest(&item.notice)
            {
                noted.lock().expect("arrivals").entry(callout).or_insert(at);
            }
        }
    });
    (arrivals, task)
}

fn page(notice: &Notice) -> Option<CalloutId> {
    match notice {
        Notice::Page { callout, .. } => Some(*callout),
        _ => None,
    }
}

fn accepted(notice: &Notice) -> Option<CalloutId> {
    match notice {
        Notice::Callout { view } if view.state == CalloutState::Accepted => Some(view.id),
        _ => None,
    }
}

pub(crate) async fn measure(report: &mut Report, time: Duration) {
    eprintln!("dispatch: {PER_SECOND} callouts a second");
    let host = Host::found(|_| {}).await;
    let count = PER_SECOND * u32::try_from(time.as_secs()).unwrap_or(1);
    let duty = Duty::begin(&host, (count / PER_OFFICER + 1) as usize).await;
    let (officers, advocate) = (&duty.officers, &duty.advocate);

    let (pages, reader) = watch(Pipe::open(advocate).await, page);
    let mut tasks = vec![reader];
    let mut screens = Vec::new();
    for officer in officers {
        let (screen, reader) = watch(Pipe::open(officer).await, accepted);
        screens.push(screen);
        tasks.push(reader);
    }
    let mut every = tokio::time::interval(Duration::from_secs(1) / PER_SECOND);
    let mut opening = Vec::new();
    for n in 0..count {
        every.tick().await;
        let (who, advocate) = (n as usize % officers.len(), Arc::clone(advocate));
        let officer = Arc::clone(&officers[who]);
        opening.push(tokio::spawn(async move {
            let id = CalloutId(random());
            let began = Instant::now();
            let body = OpenCallout { id, routing: routing(&format!("zone-{n}"), now()), purpose: Purpose::Real };
            let _: CalloutView = officer.post("/v1/callouts", &body).await.expect("a callout");
            let answered = began.elapsed();
            if n % ACCEPTED != 0 {
                return (who, id, began, answered, None);
            }
            let accepting = Instant::now();
            advocate.act(id, Action::Accept { eta_minutes: 30 }).await.expect("accepting");
            (who, id, began, answered, Some(accepting))
        }));
    }
    let (mut paged, mut answers, mut seen, mut lost) = (Vec::new(), Vec::new(), Vec::new(), 0);
    // Everything is durable by now; a frame that has not arrived in this time is late by any standard.
    let mut done = Vec::new();
    for task in opening {
        done.push(task.await.expect("opening"));
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    for (who, id, began, answered, accepting) in done {
        answers.push(answered);
        match pages.lock().expect("pages").get(&id) {
            Some(at) => paged.push(at.duration_since(began)),
            None => lost += 1,
        }
        if let Some(accepting) = accepting {
            match screens[who].lock().expect("screens").get(&id) {
                Some(at) => seen.push(at.duration_since(accepting)),
                None => lost += 1,
            }
        }
    }
    tasks.iter().for_each(JoinHandle::abort);
    report.told("callout request → page on the advocate's socket, p50", percentile(&mut paged, 0.5), "ms");
    report.at_most("callout request → page on the advocate's socket, p99", percentile(&mut paged, 0.99), "ms", 50.0);
    report.told("callout request → durable answer, p99", percentile(&mut answers, 0.99), "ms");
    report.told("accept → officer's screen, p50", percentile(&mut seen, 0.5), "ms");
    report.at_most("accept → officer's screen, p99", percentile(&mut seen, 0.99), "ms", 50.0);
    report.at_most("pages and views that did not arrive within a second", f64::from(lost), "of all", 0.0);
    crew(report, &host, &duty).await;
}

/// One callout that pages everybody on duty at once.
async fn crew(report: &mut Report, host: &Host, duty: &Duty) {
    let crew = host.people(&host.org, &host.admin, Role::Advocate, CREW).await;
    duty.put_rota(1, crew.iter().map(|device| shift(Tier::Primary, device)).collect()).await;
    let mut pipes = Vec::with_capacity(CREW);
    for device in &crew {
        pipes.push(Pipe::open(device).await);
    }
    let began = Instant::now();
    let opened = duty.officers[0].open_callout(routing("everywhere", now())).await.expect("a callout");
    for pipe in &mut pipes {
        loop {
            if let Ok(ServerFrame::Inbox(item)) = from_cbor(&pipe.frame().await)
                && page(&item.notice) == Some(opened.id)
            {
                break;
            }
        }
    }
    let took = began.elapsed().as_secs_f64();
    report.at_most(format!("{CREW} responders paged at once, until the last one's socket has it"), took, "s", 0.5);
}

//! Other agencies are notified in parallel, each with its own acknowledgement and escalation; their silence never delays
//! the advocate (DOMAIN.md, "Timers").

use firstlight_protocol::{
    ErrorCode, OrgKind, PageId, Role,
    agency::{AgencyNotice, AgencyNoticeList, AgencyNoticeStatus, AgencyNoticeView},
    api::{CalloutList, InboxItem, Notice, PolicyDocument},
    callout::{Action, Alarm, CalloutView, CancelReason, FailReason, Routing},
    cert::PartnerStatement,
    stream::ClientFrame,
    wire::to_cbor,
};
use firstlight_tests::{
    inproc::{Cast, run},
    world::{Device, Organisation, routing},
};
use std::{future::Future, time::Duration};

/// A cast with child welfare and probation beside it, both notified of every callout.
struct Town {
    cast: Cast,
    welfare: Organisation,
    worker: Device,
    colleague: Device,
    probation: Device,
}

impl Town {
    async fn new() -> Self {
        let cast = Cast::new().await;
        let now = cast.now();
        let found = |kind, name| cast.host.found_partner(kind, name, &cast.admin, now);
        let (welfare, chief) = found(OrgKind::ChildWelfare, "Agency B").await.unwrap();
        let (bureau, head) = found(OrgKind::Probation, "Agency C").await.unwrap();
        let worker = welfare.enrol(&chief, Role::ChildWelfareWorker, "Worker 1", now).await;
        let colleague = welfare.enrol(&chief, Role::ChildWelfareWorker, "Worker 2", now).await;
        let probation = bureau.enrol(&head, Role::ProbationOfficer, "Probation 1", now).await;
        let town = Self { cast, welfare, worker, colleague, probation };
        let first = AgencyNotice { people: vec![town.worker.person], ..AgencyNotice::new(town.welfare.id) };
        town.notify(vec![first, AgencyNotice::new(town.probation.org)]).await;
        town
    }

    async fn notify(&self, rules: Vec<AgencyNotice>) {
        let mut document: PolicyDocument = self.cast.supervisor.get("/v1/policy").await.unwrap();
        document.policy.agency_notices = rules;
        self.cast.supervisor.put::<PolicyDocument>("/v1/policy", &document).await.unwrap();
    }

    async fn open(&self) -> CalloutView {
        self.cast.officer.open_callout(routing("north", self.cast.now())).await.unwrap()
    }

    async fn status(&self, callout: &CalloutView, of: &Device) -> AgencyNoticeStatus {
        let view = self.cast.supervisor.callout(callout.id).await.unwrap();
        view.agency_notices.unwrap().into_iter().find(|status| status.notice.agency == of.org).unwrap()
    }
}

/// How often somebody was asked, as their inbox has it.
async fn asked(device: &Device) -> usize {
    notices(device).await.iter().filter(|(page, _)| page.is_some()).count()
}

async fn notices(device: &Device) -> Vec<(Option<PageId>, AgencyNoticeView)> {
    let notice = |item: InboxItem| match item.notice {
        Notice::AgencyNotice { page, view } => Some((page, view)),
        _ => None,
    };
    device.inbox().await.into_iter().filter_map(notice).collect()
}

async fn acknowledge(device: &Device, callout: &CalloutView) -> Result<AgencyNoticeView, firstlight_protocol::Problem> {
    device.post(format!("/v1/agency-notices/{}/acknowledge", callout.id), &serde_json::json!({})).await
}

async fn listed(device: &Device) -> Vec<AgencyNoticeView> {
    device.get::<AgencyNoticeList>("/v1/agency-notices").await.unwrap().notices
}

/// Asks again until what the server does by itself shows.
async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let wait = async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap_or_else(|_| panic!("never: {what}"));
}

#[test]
fn agencies_hear_when_the_advocate_is_paged_and_each_answers_for_itself() {
    run(async {
        let town = Town::new().await;
        let mut worker = town.worker.connect().await;
        let opened = town.open().await;
        // When the officer has the answer, all of it is durable: the page and the notices.
        assert_eq!(town.cast.primary.pages(opened.id).await, [1]);
        let notice = &notices(&town.worker).await[0];
        assert_eq!((notice.1.callout, notice.1.agency, notice.1.called_off), (opened.id, town.welfare.id, false));
        assert_eq!(asked(&town.probation).await, 1);
        assert_eq!(asked(&town.colleague).await, 0, "the named person first");

        // The receipts: one has it on the screen, the other has no device connected.
        let shown = |item: &InboxItem| match item.notice {
            Notice::AgencyNotice { page, .. } => page,
            _ => None,
        };
        let page = worker.notice("the notice", shown).await;
        worker.send(&ClientFrame::PageSeen { page }).await;
        until("the receipt", async || town.status(&opened, &town.worker).await.pages[0].delivered_at.is_some()).await;
        let silent = town.status(&opened, &town.probation).await;
        assert_eq!(silent.pages[0].failed, Some(FailReason::NotConnected));

        // A colleague answers for the agency, and for no other.
        let answer = acknowledge(&town.colleague, &opened).await.unwrap();
        assert_eq!(answer.acknowledged_by, Some(town.colleague.person));
        assert_eq!(acknowledge(&town.worker, &opened).await.unwrap(), answer, "again is harmless");
        let known = |item: &InboxItem| match &item.notice {
            Notice::AgencyNotice { page: None, view } => view.acknowledged_by,
            _ => None,
        };
        assert_eq!(worker.notice("the acknowledgement", known).await, town.colleague.person);
        town.cast.minutes(5);
        until("probation is reminded", async || asked(&town.probation).await == 2).await;
        assert_eq!(asked(&town.worker).await, 1, "nobody is reminded of what is acknowledged");
        assert_eq!(town.status(&opened, &town.probation).await.notice.acknowledged_by, None);
        assert_eq!(listed(&town.worker).await, [answer]);
        assert_eq!(listed(&town.cast.supervisor).await.len(), 2);
        let nothing =
            |item: &InboxItem| matches!(item.notice, Notice::Callout { .. } | Notice::Page { .. }).then_some(());
        assert!(town.colleague.inbox().await.iter().all(|item| nothing(item).is_none()));
    });
}

#[test]
fn a_silent_agency_is_escalated_and_reported_across_a_restart() {
    run(async {
        let mut town = Town::new().await;
        let opened = town.open().await;
        town.cast.primary.act(opened.id, Action::Accept { eta_minutes: 50 }).await.unwrap();
        town.cast.minutes(5);
        until("the reminder", async || asked(&town.worker).await == 2).await;
        town.cast.server.restart(Duration::from_secs(10 * 60)).await;
        until("everybody there hears", async || asked(&town.colleague).await == 1).await;
        assert!(town.status(&opened, &town.worker).await.escalated_at.is_some());
        let alarm = Alarm::AgencySilent { agency: town.welfare.id };
        let raised = async || {
            let view = town.cast.supervisor.callout(opened.id).await.unwrap();
            view.alarms.iter().any(|raised| raised.alarm == alarm)
        };
        assert!(!raised().await);
        town.cast.minutes(15);
        until("the alarm", raised).await;
        let heard = |item: InboxItem| matches!(item.notice, Notice::Alarm { alarm: a, .. } if a == alarm);
        assert!(town.cast.supervisor.inbox().await.into_iter().any(heard));
        for police in [&town.cast.officer, &town.cast.chief] {
            assert!(!police.inbox().await.into_iter().any(heard), "not for police");
        }
    });
}

#[test]
fn silence_delays_no_page() {
    run(async {
        let mut pages = Vec::new();
        for rules in [true, false] {
            let town = Town::new().await;
            if !rules {
                town.notify(vec![]).await;
            }
            let cast = &town.cast;
            let mut sockets = [cast.primary.connect().await, cast.backup.connect().await];
            let opened = town.open().await;
            // Each page has come before the clock goes on: what it orders next is ordered by the clock of then.
            let mut seen = vec![(0, sockets[0].page().await.2)];
            for minute in 1..=6 {
                cast.minutes(1);
                let paged = match minute {
                    1 => &mut sockets[..1],
                    // She is called again two minutes after the second time; then the backup is called, too.
                    2 => &mut sockets[..0],
                    _ => &mut sockets[..],
                };
                for socket in paged {
                    seen.push((minute, socket.page().await.2));
                }
            }
            until("the supervisor's page", async || !cast.supervisor.pages(opened.id).await.is_empty()).await;
            let view = cast.supervisor.callout(opened.id).await.unwrap();
            let ordered = view.pages.unwrap().into_iter().map(|page| {
                let after = page.ordered_at.since(view.opened_at).as_millis();
                (after, page.tier, page.attempt, page.channel)
            });
            pages.push((seen, ordered.collect::<Vec<_>>(), view.next_action.map(|next| next.what)));
            assert_eq!(view.agency_notices.is_some(), rules);
        }
        assert_eq!(pages[0], pages[1]);
    });
}

#[test]
fn an_agency_sees_its_notice_and_nothing_else() {
    run(async {
        let town = Town::new().await;
        let cast = &town.cast;
        let routing = Routing {
            call_back: "555-0188".parse().unwrap(),
            site: Some("canary-site".parse().unwrap()),
            languages: vec!["zh-Hant".parse().unwrap()],
            ..routing("canary-zone", cast.now())
        };
        let opened = cast.officer.open_callout(routing).await.unwrap();
        cast.primary.act(opened.id, Action::Accept { eta_minutes: 20 }).await.unwrap();
        acknowledge(&town.probation, &opened).await.unwrap();
        let path = |rest: &str| format!("/v1/callouts/{}{rest}", opened.id);
        for device in [&town.worker, &town.colleague, &town.probation] {
            for rest in ["", "/timeline", "/team"] {
                let refused = device.get::<serde_json::Value>(path(rest)).await.unwrap_err();
                assert_eq!(refused.code, ErrorCode::NotFound, "{rest}");
            }
            for action in [Action::Acknowledge, Action::Cancel { reason: CancelReason::Mistake }] {
                assert_eq!(device.act(opened.id, action).await.unwrap_err().code, ErrorCode::NotFound);
            }
            let list: CalloutList = device.get("/v1/callouts").await.unwrap();
            assert!(list.callouts.is_empty());
        }
        // Everything that ever reached one of them, byte by byte.
        let seen = [to_cbor(&listed(&town.worker).await), to_cbor(&town.worker.inbox().await)].concat();
        let find = |needle: &[u8]| seen.windows(needle.len()).any(|bytes| bytes == needle);
        assert!(find(b"canary-zone"), "the zone is theirs to know");
        for hidden in ["555-0188", "canary-site", "zh-Hant", "early", "Officer 1", "Advocate 1", "Worker 2"] {
            assert!(!find(hidden.as_bytes()), "{hidden}");
        }
        for id in [&cast.officer, &cast.primary, &cast.backup, &cast.supervisor, &town.probation].map(|d| d.person.0) {
            assert!(!find(&id));
        }
        assert!(!find(&cast.police.id.0) && !find(&town.probation.org.0));
        // And the other way round: nobody outside the agency and the host's supervisors knows of its notice.
        for device in [&cast.officer, &cast.chief, &cast.primary, &cast.admin] {
            assert!(listed(device).await.is_empty(), "{}", device.work_name);
            assert_eq!(acknowledge(device, &opened).await.unwrap_err().code, ErrorCode::NotFound);
            assert!(notices(device).await.is_empty());
        }
        assert_eq!(cast.officer.callout(opened.id).await.unwrap().agency_notices, None);
        assert_eq!(cast.primary.callout(opened.id).await.unwrap().agency_notices, None);
    });
}

#[test]
fn a_cancelled_callout_is_called_off_for_whoever_heard_of_it() {
    run(async {
        let town = Town::new().await;
        let opened = town.open().await;
        town.cast.officer.act(opened.id, Action::Cancel { reason: CancelReason::Mistake }).await.unwrap();
        let heard = notices(&town.worker).await;
        assert!(heard.last().is_some_and(|(page, view)| page.is_none() && view.called_off));
        assert!(notices(&town.colleague).await.is_empty(), "who never heard of it need not hear that");
        town.cast.minutes(60);
        until("the clock", async || town.cast.supervisor.callout(opened.id).await.is_ok()).await;
        assert_eq!(asked(&town.worker).await, 1);
    });
}

#[test]
fn only_partners_in_child_welfare_and_probation_are_notified() {
    run(async {
        let town = Town::new().await;
        let cast = &town.cast;
        let document: PolicyDocument = cast.supervisor.get("/v1/policy").await.unwrap();
        for stranger in [cast.police.id, cast.host.id, firstlight_protocol::OrgId([9; 16])] {
            let mut document = document.clone();
            document.policy.agency_notices.push(AgencyNotice::new(stranger));
            let refused = cast.supervisor.put::<PolicyDocument>("/v1/policy", &document).await.unwrap_err();
            assert_eq!(refused.code, ErrorCode::InvalidValue);
        }
        let stated = PartnerStatement::first(town.welfare.identity(), cast.now());
        cast.host.state(&cast.admin, stated.withdraw(cast.now())).await.unwrap();
        let opened = town.open().await;
        let view = cast.supervisor.callout(opened.id).await.unwrap();
        let silent = Alarm::AgencySilent { agency: town.welfare.id };
        assert!(view.alarms.iter().any(|raised| raised.alarm == silent), "nobody left to notify there");
        assert!(town.status(&opened, &town.worker).await.pages.is_empty());
        assert_eq!(asked(&town.probation).await, 1);
    });
}

//! What counts as having reached somebody.

use crate::channels::{ADVOCATE, by, desk, rule, sms, voice};
use firstlight_protocol::{
    api::PageRecord,
    callout::{FailReason, Routing},
    rota::Tier,
    stream::ClientFrame,
};
use firstlight_tests::{
    inproc::run,
    providers::{Answering, Texting},
    world::{routing, shift},
};

#[test]
fn a_voicemail_is_neither_delivered_nor_an_answer() {
    run(async {
        let desk = desk().await;
        desk.reach(&desk.cast.primary, vec![voice(1, ADVOCATE)]).await;
        desk.twilio.answering(ADVOCATE, Answering::Voicemail);
        let mut backup = desk.cast.backup.connect().await;
        let callout = desk.open().await;
        let page = desk.page(callout, 1, "the failed call", |page| page.failed.is_some()).await;
        assert_eq!((page.failed, page.delivered_at, page.answered_at), (Some(FailReason::NoAnswer), None, None));
        // The escalation goes on as after any silence.
        desk.cast.minutes(3);
        assert_eq!(backup.page().await.1, callout);
        assert_eq!(desk.cast.supervisor.callout(callout).await.unwrap().acknowledged, 0);
    });
}

#[test]
fn an_undelivered_sms_is_not_counted_as_sent() {
    run(async {
        let desk = desk().await;
        desk.reach(&desk.cast.primary, vec![sms(1, ADVOCATE), desk.webhook(2)]).await;
        for texting in [Texting::Undelivered { code: 30_003 }, Texting::UndeliveredAtOnce { code: 30_003 }] {
            desk.twilio.texting(ADVOCATE, texting);
            let callout = desk.open().await;
            desk.page(callout, 2, "the next way", |page| page.handed_over_at == Some(desk.cast.now())).await;
            let page = desk.page(callout, 1, "the failed page", |page| page.failed.is_some()).await;
            assert_eq!((page.failed, page.delivered_at), (Some(FailReason::Undelivered), None), "{texting:?}");
            assert_eq!(page.why.as_deref(), Some("the network took it and could not deliver it"));
        }
    });
}

#[test]
fn a_page_that_made_no_sound_is_not_the_last() {
    run(async {
        let desk = desk().await;
        let rules = vec![rule(None, 0), rule(Some(1), 60), rule(Some(2), 120)];
        desk.reach_by(&desk.cast.primary, vec![sms(1, ADVOCATE), voice(2, ADVOCATE)], rules).await;
        let mut app = desk.cast.primary.connect().await;
        let callout = desk.open().await;
        // The app has it and says so, on a silenced telephone in a drawer. Only the person is an answer.
        let (page, ..) = app.page().await;
        app.send(&ClientFrame::PageSeen { page }).await;
        let seen =
            |pages: &[PageRecord]| pages.iter().any(|p| p.page == page && p.delivered_at.is_some()).then_some(());
        desk.until(callout, "the delivered page", seen).await;
        desk.cast.minutes(1);
        desk.page(callout, 1, "a text message", |page| page.delivered_at.is_some()).await;
        desk.cast.minutes(1);
        desk.twilio.wait_for(ADVOCATE, "a call", |phone| (phone.rings() == 2).then_some(())).await;
    });
}

#[test]
fn six_responders_wait_behind_no_limit() {
    run(async {
        let desk = desk().await;
        let mut crew = Vec::new();
        for n in 0..6 {
            let device = desk.cast.advocate(&format!("Advocate {}", n + 10)).await;
            desk.reach(&device, vec![sms(1, &format!("+1555555400{n}"))]).await;
            crew.push(device);
        }
        desk.cast.put_rota(1, crew.iter().map(|device| shift(Tier::Primary, device)).collect()).await;
        let wanted = Routing { wanted: 6, ..routing("north", desk.cast.now()) };
        let callout = desk.cast.officer.open_callout(wanted).await.unwrap().id;
        let all = |pages: &[PageRecord]| {
            let delivered: Vec<_> = by(pages, 1).filter_map(|page| page.delivered_at).collect();
            (delivered.len() == 6).then_some(delivered)
        };
        let delivered = desk.until(callout, "six delivered pages", all).await;
        assert!(delivered.iter().all(|at| *at == desk.cast.now()), "no time has passed");
    });
}

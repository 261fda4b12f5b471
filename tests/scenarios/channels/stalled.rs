//! A provider that stalls delays its own pages and nobody else's.

use super::{Desk, FIRST, PAGE, SECOND, by, desk, desk_with, legs, sms};
use firstlight_protocol::{
    api::{LegState, PageRecord},
    callout::Routing,
    policy::Millis,
    rota::Tier,
};
use firstlight_tests::{
    inproc::run,
    providers::Trouble,
    world::{Device, routing, shift},
};
use futures_util::future::join_all;
use std::time::Duration;

fn number(n: usize) -> String {
    format!("+1555555{:04}", 3000 + n)
}

/// More advocates, on duty beside each other.
async fn crew(desk: &Desk, count: usize) -> Vec<Device> {
    let mut crew = Vec::new();
    for n in 0..count {
        crew.push(desk.cast.advocate(&format!("Advocate {}", n + 10)).await);
    }
    desk.cast.put_rota(1, crew.iter().map(|device| shift(Tier::Primary, device)).collect()).await;
    crew
}

fn of<'a>(pages: &'a [PageRecord], device: &Device) -> Vec<&'a PageRecord> {
    pages
        .iter()
        .filter(|page| page.person == Some(device.person) && page.channel.is_some_and(|c| c.contact().is_some()))
        .collect()
}

#[test]
fn while_one_provider_hangs_with_every_place_taken_the_others_deliver() {
    run(async {
        let desk = desk_with(None, |config| {
            (config.paging.per_provider, config.paging.telephony_timeout_ms) = (2, Millis::seconds(15));
        })
        .await;
        let crew = crew(&desk, 8).await;
        for (n, device) in crew.iter().enumerate() {
            let way = match n {
                0..6 => sms(1, &number(n)),
                6 => desk.webhook(1),
                _ => desk.ntfy(1),
            };
            desk.reach(device, vec![way]).await;
        }
        for account in [FIRST, SECOND] {
            desk.twilio.trouble(account, Some(Trouble::Stalls(Duration::from_secs(60))));
        }
        let wanted = Routing { wanted: 8, ..routing("north", desk.cast.now()) };
        let callout = desk.cast.officer.open_callout(wanted).await.unwrap().id;
        let others = |pages: &[PageRecord]| {
            let handed_over = |device| of(pages, device).iter().any(|page| page.handed_over_at.is_some());
            crew[6..].iter().all(handed_over).then(|| pages.to_vec())
        };
        let pages = desk.until(callout, "the pages by other ways", others).await;
        // At that moment every text message still hung, or waited for a place: two for each account.
        let sms: Vec<_> = crew[..6].iter().flat_map(|device| of(&pages, device)).collect();
        assert_eq!(sms.len(), 6);
        assert!(sms.iter().all(|page| page.handed_over_at.is_none() && page.failed.is_none()), "{sms:#?}");
        let hanging = sms.iter().filter(|page| page.legs.iter().any(|leg| leg.state == LegState::Sending)).count();
        assert_eq!(hanging, 4, "{sms:#?}");
        assert_eq!(sms.iter().filter(|page| page.legs.is_empty()).count(), 2, "the others wait for a place");
    });
}

#[test]
fn a_browser_whose_push_service_hangs_does_not_keep_others_from_theirs() {
    run(async {
        let desk = desk_with(None, |config| config.paging.webhook_timeout_ms = Millis::seconds(60)).await;
        let (silent, well) = (&desk.cast.primary, &desk.cast.backup);
        desk.reach(silent, vec![desk.webhook(1)]).await;
        desk.reach(well, vec![desk.webhook(2)]).await;
        desk.cast.put_rota(1, [silent, well].map(|device| shift(Tier::Primary, device)).to_vec()).await;
        desk.hooks.answer("/hook-1", firstlight_tests::process::Answer::Silence);
        // The same host: one provider. A receiver that says nothing has four places, and the others are free.
        for _ in 0..6 {
            let callout = desk.open().await;
            desk.page(callout, 2, "the page", |page| page.handed_over_at.is_some()).await;
            let page = by(&desk.pages(callout).await, 1).next().cloned().unwrap();
            assert!(page.handed_over_at.is_none() && page.failed.is_none(), "{page:?}");
        }
    });
}

#[test]
fn fifty_responders_at_once_are_all_handed_over() {
    run(async {
        const CREW: usize = 50;
        let desk = desk().await;
        let crew = crew(&desk, CREW).await;
        let ways: Vec<_> = (0..CREW).map(|n| vec![sms(1, &number(n))]).collect();
        join_all(crew.iter().zip(ways).map(|(device, way)| desk.reach(device, way))).await;
        let wanted = Routing { wanted: 12, ..routing("north", desk.cast.now()) };
        let callout = desk.cast.officer.open_callout(wanted).await.unwrap().id;
        let all = |pages: &[PageRecord]| {
            let delivered = by(pages, 1).filter(|page| page.delivered_at.is_some()).count();
            (delivered == CREW).then(|| pages.to_vec())
        };
        let pages = desk.until(callout, "fifty delivered pages", all).await;
        for page in by(&pages, 1) {
            assert_eq!(legs(page), [("first", "delivered", "")]);
            assert_eq!(page.delivered_at, Some(desk.cast.now()), "no time has passed");
        }
        for n in 0..CREW {
            assert_eq!(desk.twilio.phone(&number(n)).texts().iter().filter(|text| **text == PAGE).count(), 1);
        }
    });
}

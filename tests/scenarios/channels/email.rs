//! E-mail, through a real SMTP server.

use super::{Desk, PAGE, desk_with, email, id, is_content_free, legs};
use firstlight_protocol::{attention::Attention, callout::FailReason, policy::ContactState};
use firstlight_tests::{inproc::run, providers::Smtp};
use std::time::Duration;

const ADDRESS: &str = "advocate-1@example.org";
/// Longer than the wait before a second try, and shorter than anything else.
const A_MOMENT: u64 = 2;

/// A desk whose primary advocate is reached by e-mail, then by webhook.
async fn desk() -> Desk {
    let desk = desk_with(Some(Smtp::start()), |_| {}).await;
    desk.reach(&desk.cast.primary, vec![email(1, ADDRESS), desk.webhook(2)]).await;
    desk
}

#[test]
fn an_e_mail_says_nothing_but_that_there_is_something_to_do() {
    run(async {
        let desk = desk().await;
        let callout = desk.open().await;
        let page = desk.page(callout, 1, "the page", |page| page.handed_over_at.is_some()).await;
        assert_eq!(legs(&page), [("email", "handed_over", "")]);
        let messages = desk.smtp().wait_for(2).await;
        let message = &messages[1];
        let (head, text) = message.split_once("\n\n").unwrap();
        assert_eq!(text.trim(), PAGE);
        let mut names: Vec<_> = head.lines().filter_map(|line| Some(line.split_once(": ")?.0)).collect();
        names.sort_unstable();
        let wanted = ["Auto-Submitted", "Content-Transfer-Encoding", "Content-Type", "Date", "From", "Importance"];
        assert_eq!(names[..6], wanted);
        for line in [format!("Subject: {PAGE}"), format!("To: {ADDRESS}"), "From: Duty <duty@example.org>".into()] {
            assert!(head.lines().any(|known| known.replace('"', "") == line), "{line}: {head}");
        }
        assert!(head.contains(&format!("Message-ID: <{}@example.org>", page.page)), "the same for every try: {head}");
        is_content_free(&message.replace(ADDRESS, ""));
        assert!(!message.contains(&callout.to_string()));
    });
}

#[test]
fn a_mail_server_that_says_later_is_asked_again_and_the_next_way_does_not_wait_for_it() {
    run(async {
        let desk = desk().await;
        desk.smtp().replies(&["451 4.7.1 Greylisted, try again later"]);
        let callout = desk.open().await;
        let hook = desk.page(callout, 2, "the next way", |page| page.handed_over_at.is_some()).await;
        assert_eq!(hook.handed_over_at, Some(desk.cast.now()), "at once");
        let page = desk.page(callout, 1, "the failed try", |page| page.failed.is_some()).await;
        assert_eq!(legs(&page), [("email", "failed", "the channel answered with an error (SMTP 451)")]);
        desk.cast.seconds(A_MOMENT);
        let page = desk.page(callout, 1, "the second try", |page| page.legs.len() == 2 && page.failed.is_none()).await;
        assert_eq!(legs(&page)[1], ("email", "handed_over", ""));
        assert!(!page.legs[1].redelivery, "the first was refused before it was sent");
        assert_eq!(desk.smtp().wait_for(2).await.len(), 2);
        assert_eq!(desk.state(&desk.cast.primary, 1).await, ContactState::Verified);
    });
}

#[test]
fn a_mail_server_that_refuses_everything_is_asked_so_often_and_no_more() {
    run(async {
        let desk = desk().await;
        desk.smtp().replies(&["554 5.7.1 Refused by policy"; 20]);
        let callout = desk.open().await;
        for tries in 1..=5 {
            let tried = |page: &firstlight_protocol::api::PageRecord| {
                page.legs.iter().filter(|leg| leg.why.is_some()).count() == tries
            };
            let page = desk.page(callout, 1, "a failed try", tried).await;
            assert_eq!(legs(&page)[tries - 1].2, "the channel answered with an error (SMTP 554)");
            // Longer than the longest wait between two tries, and not long enough for the next call by this way.
            desk.cast.seconds(31);
        }
        let tries = desk.page(callout, 1, "the first page", |_| true).await.legs.len();
        assert_eq!(tries, 5, "and then given up; the calls by other ways have long gone on");
    });
}

#[test]
fn an_address_that_does_not_exist_is_not_used_again_and_the_supervisor_hears_it() {
    run(async {
        let desk = desk().await;
        desk.smtp().replies(&["550 5.1.1 No such user here"]);
        let callout = desk.open().await;
        let page = desk.page(callout, 1, "the failed page", |page| page.failed.is_some()).await;
        assert_eq!(page.failed, Some(FailReason::UnknownNumber));
        desk.page(callout, 2, "the next way", |page| page.handed_over_at == Some(desk.cast.now())).await;
        assert_eq!(desk.state(&desk.cast.primary, 1).await, ContactState::Invalid);
        let person = desk.cast.primary.person;
        assert_eq!(desk.attention().await, [Attention::ContactInvalid { person, contact: id(1) }]);
    });
}

#[test]
fn a_mail_server_that_is_down_is_found_again_when_it_is_up() {
    run(async {
        let desk = desk().await;
        desk.smtp().stop();
        let callout = desk.open().await;
        let page = desk.page(callout, 1, "the failed try", |page| page.failed.is_some()).await;
        assert_eq!(legs(&page), [("email", "failed", "no connection to the channel")]);
        desk.smtp().go_on();
        desk.cast.server.advance(Duration::from_secs(A_MOMENT));
        let page = desk.page(callout, 1, "the second try", |page| page.failed.is_none()).await;
        assert_eq!(legs(&page)[1].1, "handed_over");
        desk.smtp().wait_for(2).await;
    });
}

#[test]
fn an_address_that_was_changed_meanwhile_gets_nothing_that_was_ordered_for_the_old_one() {
    run(async {
        let desk = desk().await;
        desk.smtp().replies(&["451 4.7.1 Greylisted, try again later"]);
        let callout = desk.open().await;
        desk.page(callout, 1, "the failed try", |page| page.failed.is_some()).await;
        let elsewhere = email(1, "somebody-else@example.org");
        desk.name(&desk.cast.primary, vec![elsewhere.clone(), desk.webhook(2)], vec![]).await;
        desk.cast.seconds(A_MOMENT);
        let page = desk
            .page(callout, 1, "the second try", |page| page.legs.iter().filter(|leg| leg.why.is_some()).count() == 2)
            .await;
        assert_eq!(legs(&page)[1].2, "the contact method is not verified");
        assert!(desk.arrived(&elsewhere).is_empty());
    });
}

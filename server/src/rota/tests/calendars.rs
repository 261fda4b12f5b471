//! Calendars: those that are given out, and those that are taken in.

use super::*;
use crate::store::sql;
use crate::{
    extract::CalendarText,
    limit::Peer,
    rota::{feeds, ical, import},
};
use axum::response::Response;
use firstlight_protocol::{
    FeedId, Secret,
    api::{AbsencesImported, FeedMade, FeedOf, MakeFeed},
};

async fn make(house: &House, caller: Caller, n: u8, of: FeedOf) -> Result<FeedMade> {
    let body = Json(MakeFeed { id: FeedId([n; 16]), of });
    feeds::make(app(house), caller, body).await.map(|Json(made)| made)
}

async fn read(house: &House, path: &Secret) -> Result<Response> {
    let file = path.reveal().strip_prefix("/v1/ical/").unwrap().to_owned();
    ical::get(app(house), Peer::of([192, 0, 2, 1].into()), Path(Secret::new(file))).await
}

async fn text(response: Response) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 22).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn a_feed_is_as_good_as_its_secret_and_says_no_more_than_duty() {
    let house = House::new().await;
    put(&house, nights()).await;
    let own = make(&house, primary(), 1, FeedOf::Person(primary().person)).await.unwrap();
    let calendar = text(read(&house, &own.path).await.unwrap()).await;
    assert!(calendar.starts_with("BEGIN:VCALENDAR\r\n"), "{calendar}");
    assert!(calendar.contains("DTSTART:20260203T120000Z\r\n"), "20:00 in Manila: {calendar}");
    assert!(calendar.contains("SUMMARY:On duty: primary\r\n"));
    assert!(!calendar.contains("advocate"), "nobody's name: {calendar}");
    assert_eq!(calendar, text(read(&house, &own.path).await.unwrap()).await, "the same events, not new ones");

    let whole = make(&house, supervisor(), 2, FeedOf::Rota).await.unwrap();
    let calendar = text(read(&house, &whole.path).await.unwrap()).await;
    assert!(
        calendar.contains("SUMMARY:On duty: primary: advocate 30") && calendar.contains("advocate 31"),
        "{calendar}"
    );

    for (caller, of) in [
        (primary(), FeedOf::Rota),
        (primary(), FeedOf::Tier(Tier::Primary)),
        (primary(), FeedOf::Person(backup().person)),
        (officer(), FeedOf::Person(officer().person)),
    ] {
        assert_eq!(code(make(&house, caller, 3, of).await), ErrorCode::Forbidden);
    }
    assert_eq!(code(make(&house, admin(), 3, FeedOf::Tier(Tier::Everyone)).await), ErrorCode::InvalidValue);
    assert_eq!(code(make(&house, primary(), 1, FeedOf::Person(primary().person)).await), ErrorCode::Conflict);

    let secret = own.path.reveal().trim_start_matches("/v1/ical/").trim_end_matches(".ics").to_owned();
    assert_eq!(secret.len(), 43, "256 bits");
    let kept: Vec<u8> = sql::query_scalar("SELECT digest FROM feeds WHERE person IS NOT NULL")
        .fetch_one(house.app().store.read())
        .await
        .unwrap();
    assert_eq!(kept, Secret::new(secret.as_str()).digest());
    let guessed = Secret::new(format!("/v1/ical/{}.ics", "A".repeat(43)));
    assert_eq!(code(read(&house, &guessed).await), ErrorCode::NotFound);

    let list = feeds::list(app(&house), primary()).await.unwrap().0.feeds;
    assert_eq!(list.iter().map(|feed| feed.id).collect::<Vec<_>>(), [own.id]);
    let revoke = |caller: Caller| feeds::revoke(app(&house), caller, Path(FeedId([2; 16])));
    assert_eq!(code(revoke(primary()).await), ErrorCode::NotFound);
    revoke(admin()).await.unwrap();
    assert_eq!(code(read(&house, &whole.path).await), ErrorCode::NotFound);
}

#[tokio::test]
async fn who_has_left_has_no_feed_and_secrets_are_not_guessed_quickly() {
    let house = House::new().await;
    put(&house, nights()).await;
    let own = make(&house, primary(), 1, FeedOf::Person(primary().person)).await.unwrap();
    let made = make(&house, supervisor(), 2, FeedOf::Person(primary().person)).await.unwrap();
    house.sql("UPDATE devices SET revoked_at = 1 WHERE device = x'1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e'").await;
    for feed in [&own, &made] {
        assert_eq!(code(read(&house, &feed.path).await), ErrorCode::NotFound, "even before the rows say so");
    }
    let now = house.app().clock.now();
    let gone = primary().person;
    let store = &house.app().store;
    store.write(move |tx| Box::pin(async move { tx.revoke_feeds_of_gone(gone, now).await })).await.unwrap();
    let alive: i64 = sql::query_scalar("SELECT count(*) FROM feeds WHERE revoked_at IS NULL")
        .fetch_one(house.app().store.read())
        .await
        .unwrap();
    assert_eq!(alive, 0);
    let guess = Secret::new("/v1/ical/guess.ics");
    let mut codes = Vec::new();
    for _ in 0..70 {
        codes.push(code(read(&house, &guess).await));
    }
    assert_eq!((codes[0], codes[69]), (ErrorCode::NotFound, ErrorCode::RateLimited));
}

fn ics(events: &str) -> String {
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x\r\n{}END:VCALENDAR\r\n", events.replace('\n', "\r\n"))
}

fn event(uid: &str, lines: &str) -> String {
    format!("BEGIN:VEVENT\nUID:{uid}\nSUMMARY:Dentist with Anna\n{lines}\nEND:VEVENT\n")
}

async fn take(house: &House, caller: Caller, calendar: String) -> Result<AbsencesImported> {
    let of = serde_json::from_str(r#"{"person":null}"#).unwrap();
    import::import(app(house), caller, Query(of), CalendarText(calendar)).await.map(|Json(answer)| answer)
}

#[tokio::test]
async fn a_calendar_becomes_absences_and_nothing_else_of_it_is_kept() {
    let house = House::new().await;
    put(&house, nights()).await;
    let calendar = [
        event("1", "DTSTART;VALUE=DATE:20260701\nDTEND;VALUE=DATE:20260715"),
        event("2", "DTSTART;TZID=America/Los_Angeles:20260308T013000\nDTEND:20260308T120000Z"),
        event("3", "DTSTART:20260401T090000\nDURATION:PT3H"),
        event("4", "DTSTART;VALUE=DATE:20260504\nRRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=3"),
        event("5", "DTSTART;VALUE=DATE:20260601\nDTEND;VALUE=DATE:20260602\nRRULE:FREQ=DAILY;UNTIL=20260603"),
    ];
    let answer = take(&house, primary(), ics(&calendar.concat())).await.unwrap();
    assert_eq!((answer.kept, answer.removed), (9, 0));
    let rota = stored(&house).await;
    let mut times: Vec<String> = rota.absences.iter().map(|a| format!("{} {}", a.from, a.until)).collect();
    times.sort();
    let expected = [
        // 01:30 -08 and 12:00Z, in Manila.
        "2026-03-08T17:30:00 2026-03-08T20:00:00",
        "2026-04-01T09:00:00 2026-04-01T12:00:00",
        "2026-05-04T00:00:00 2026-05-05T00:00:00",
        "2026-05-18T00:00:00 2026-05-19T00:00:00",
        "2026-06-01T00:00:00 2026-06-02T00:00:00",
        "2026-06-01T00:00:00 2026-06-02T00:00:00",
        "2026-06-02T00:00:00 2026-06-03T00:00:00",
        "2026-06-03T00:00:00 2026-06-04T00:00:00",
        "2026-07-01T00:00:00 2026-07-15T00:00:00",
    ];
    assert_eq!(times, expected);
    assert!(rota.absences.iter().all(|a| a.person == primary().person));
    assert!(!serde_json::to_string(&rota).unwrap().contains("Anna"));
    assert_eq!(take(&house, primary(), ics(&calendar.concat())).await.unwrap(), answer, "the same again");

    // Somebody else's calendar with the same ids is another calendar; what changes and what is cancelled is taken along.
    take(&house, backup(), ics(&event("1", "DTSTART;VALUE=DATE:20260801"))).await.unwrap();
    let changed = [
        event("1", "STATUS:CANCELLED\nDTSTART;VALUE=DATE:20260701\nDTEND;VALUE=DATE:20260715"),
        event("4", "DTSTART;VALUE=DATE:20260505\nRRULE:FREQ=WEEKLY;COUNT=1"),
    ];
    let answer = take(&house, primary(), ics(&changed.concat())).await.unwrap();
    assert_eq!((answer.kept, answer.removed), (1, 1));
    let mut times: Vec<String> = stored(&house).await.absences.iter().map(|a| a.from.to_string()).collect();
    times.sort();
    let expected =
        ["03-08T17:30", "04-01T09:00", "05-05T00:00", "06-01T00:00", "06-02T00:00", "06-03T00:00", "08-01T00:00"];
    assert_eq!(times, expected.map(|time| format!("2026-{time}:00")));
}

#[tokio::test]
async fn a_calendar_that_is_not_understood_changes_nothing() {
    let house = House::new().await;
    put(&house, nights()).await;
    let good = event("1", "DTSTART;VALUE=DATE:20260701");
    let deep = "BEGIN:VEVENT\n".repeat(50_000);
    let crossed = "BEGIN:A\nEND:B\n".repeat(50_000);
    let bad = [
        String::new(),
        "hello".into(),
        ics(""),
        ics(&(good.clone() + &event("2", "DTSTART:tomorrow\nDTEND:20260702T000000Z"))),
        ics(&(good.clone() + &event("2", "DTSTART;TZID=Pacific Standard Time:20260701T000000\nDURATION:PT1H"))),
        ics(&(good.clone() + &event("2", "DTSTART:20260701T000000"))),
        ics(&(good.clone() + &event("2", "DTSTART;VALUE=DATE:20260701\nRRULE:FREQ=MONTHLY;COUNT=2"))),
        ics(&(good.clone() + &event("2", "DTSTART;VALUE=DATE:20260701\nRRULE:FREQ=DAILY"))),
        ics(&(good.clone() + &event("2", "DTSTART;VALUE=DATE:20260701\nRRULE:FREQ=DAILY;COUNT=100000"))),
        ics(&(good.clone() + &event("2", "DTSTART;VALUE=DATE:20260701\nEXDATE:20260701"))),
        ics(&(good.clone() + &event("2", "DTSTART:99991231T000000\nDURATION:P9999W"))),
        ics(&good.repeat(501)),
        ics(&deep),
        ics(&crossed),
    ];
    for calendar in bad {
        let refused = take(&house, primary(), calendar).await.unwrap_err().problem();
        assert_eq!(refused.code, ErrorCode::InvalidValue);
        let detail = refused.detail.unwrap();
        assert!(!detail.contains("Anna") && !detail.contains("tomorrow"), "{detail}");
    }
    assert_eq!(stored(&house).await.absences, []);
}

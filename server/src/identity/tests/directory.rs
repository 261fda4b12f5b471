use super::*;
use crate::store::sql;
use firstlight_protocol::{
    ContactId, RoomId,
    api::{Contacts, DirectoryQuery, PersonView, UpdatePerson},
    policy::ContactMethod,
};

async fn find(world: &World, tokens: &Tokens, people: &[PersonId]) -> Vec<PersonId> {
    let views: Vec<PersonView> =
        world.post("/v1/directory", Some(tokens), &DirectoryQuery { people: people.to_vec() }).await.read();
    assert!(views.iter().all(|v| v.devices.iter().all(|d| d.chain.len() == 3 && d.last_seen_at.is_none())));
    views.into_iter().map(|v| v.person).collect()
}

#[tokio::test]
async fn a_partner_finds_the_hosts_people_only_where_they_share_a_room() {
    let (world, admin) = World::new().await;
    let (org, _, partner) = world.partner(&admin).await;
    let advocate = world.enrol(&world.host, &admin, 70, Role::Advocate, "Advocate 1").await;
    let officer = world.enrol(&org, &partner, 80, Role::PoliceOfficer, "Officer 1").await;
    let all = [advocate.person, officer.person, PersonId([99; 16])];
    let advocate_in = world.sign_in(&advocate).await;
    assert_eq!(find(&world, &advocate_in, &all).await, [advocate.person, officer.person]);
    let officer_in = world.sign_in(&officer).await;
    assert_eq!(find(&world, &officer_in, &all).await, [officer.person]);
    let own: Vec<PersonView> = world.get("/v1/people", &officer_in).await.read();
    assert!(own.iter().all(|p| p.org == org.id) && own.len() == 2);

    let members = [(advocate.id, advocate.person), (officer.id, officer.person)];
    let join = world.app().store.write(move |tx| {
        Box::pin(async move {
            for (leaf, (device, person)) in (0i64..).zip(members) {
                sql::query(
                    "INSERT INTO room_members (room, device, person, leaf, joined_seq) VALUES ($1, $2, $3, $4, 0)",
                )
                .bind(RoomId([1; 16]).as_bytes())
                .bind(device.as_bytes())
                .bind(person.as_bytes())
                .bind(leaf)
                .execute(&mut *tx.conn)
                .await?;
            }
            Ok(())
        })
    });
    join.await.unwrap();
    assert_eq!(find(&world, &officer_in, &all).await, [advocate.person, officer.person]);
    let many = DirectoryQuery { people: vec![advocate.person; 501] };
    assert_eq!(world.post("/v1/directory", Some(&officer_in), &many).await.refused(), ErrorCode::TooLarge);
}

#[tokio::test]
async fn supervisors_keep_what_dispatch_needs_to_know() {
    let (world, admin) = World::new().await;
    let (_, partner_admin, _) = world.partner(&admin).await;
    let advocate = world.enrol(&world.host, &admin, 70, Role::Advocate, "Advocate 1").await;
    let supervisor = world.enrol(&world.host, &admin, 71, Role::Supervisor, "Supervisor 1").await;
    let (advocate_in, supervisor_in) = (world.sign_in(&advocate).await, world.sign_in(&supervisor).await);
    let patch = async |tokens: &Tokens, person: PersonId, languages: &[&str]| {
        let change = UpdatePerson { languages: Some(languages.iter().map(|l| (*l).to_owned()).collect()) };
        let body = Some(serde_json::to_vec(&change).unwrap());
        world.call(Method::PATCH, &format!("/v1/people/{person}"), Some(&tokens.access), body).await
    };
    patch(&supervisor_in, advocate.person, &["es", "zh-Hant"]).await.done();
    let known = world.app().store.person(advocate.person).await.unwrap().unwrap();
    assert_eq!((known.languages, known.role), (vec!["es".to_owned(), "zh-Hant".into()], Role::Advocate));
    assert_eq!(patch(&advocate_in, advocate.person, &["es"]).await.refused(), ErrorCode::Forbidden);
    assert_eq!(patch(&admin, partner_admin.person, &["es"]).await.refused(), ErrorCode::NotFound);
    assert_eq!(patch(&admin, advocate.person, &["Spanish please"]).await.refused(), ErrorCode::InvalidValue);

    world.app().store.device_seen(advocate.id, START).await.unwrap();
    let seen = async |tokens: &Tokens| {
        let people: Vec<PersonView> = world.get("/v1/people", tokens).await.read();
        people.into_iter().find(|p| p.person == advocate.person).unwrap().devices[0].last_seen_at
    };
    assert_eq!((seen(&supervisor_in).await, seen(&advocate_in).await), (Some(START), None));
}

#[tokio::test]
async fn a_webhooks_key_goes_in_and_never_comes_out() {
    let (world, admin) = World::new().await;
    let advocate = world.enrol(&world.host, &admin, 70, Role::Advocate, "Advocate 1").await;
    let other = world.enrol(&world.host, &admin, 71, Role::Advocate, "Advocate 2").await;
    let (own, other) = (world.sign_in(&advocate).await, world.sign_in(&other).await);
    let path = format!("/v1/people/{}/contacts", advocate.person);
    let hook = |n: u8, key: Option<&str>| ContactMethod::Webhook {
        id: ContactId([n; 16]),
        url: format!("https://example.org/{n}"),
        key: key.map(Secret::new),
        next_key: None,
    };
    let put = async |tokens: &Tokens, methods: Vec<ContactMethod>| {
        world.put(&path, tokens, &Contacts { methods, ..Contacts::default() }).await
    };
    let secret = "canary-0123456789";
    put(&own, vec![hook(2, Some(secret)), hook(1, Some("0123456789abcdef"))]).await.done();
    let answer = world.get(&path, &own).await;
    assert!(!String::from_utf8_lossy(&answer.body).contains("canary"));
    assert_eq!(answer.read::<Contacts>().methods, [hook(2, None), hook(1, None)]);

    // Sent again without its key, it keeps the one it has; a new one needs one.
    put(&admin, vec![hook(1, None), hook(2, None)]).await.done();
    let stored = world.app().store.contacts(advocate.person).await.unwrap();
    assert_eq!(stored.iter().map(|h| h.id().0[0]).collect::<Vec<_>>(), [1, 2]);
    let kept = world.app().store.contact(advocate.person, ContactId([2; 16])).await.unwrap().unwrap();
    let ContactMethod::Webhook { key, .. } = kept.method else { panic!("not a webhook") };
    assert_eq!(key.unwrap().reveal(), secret);
    for bad in [
        vec![hook(3, None)],
        vec![hook(1, None), hook(1, None)],
        vec![ContactMethod::InApp],
        (1..=8).map(|n| hook(n, Some(secret))).collect(),
        vec![hook(1, Some("short"))],
    ] {
        assert_eq!(put(&own, bad).await.refused(), ErrorCode::InvalidValue);
    }
    assert_eq!(world.app().store.contacts(advocate.person).await.unwrap(), stored, "a refusal changes nothing");
    assert_eq!(put(&other, vec![]).await.refused(), ErrorCode::Forbidden);
    assert_eq!(world.get(&path, &other).await.refused(), ErrorCode::Forbidden);
    let (_, _, partner) = world.partner(&admin).await;
    assert_eq!(world.get(&path, &partner).await.refused(), ErrorCode::NotFound);
}

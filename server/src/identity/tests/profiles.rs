use super::*;
use firstlight_protocol::{
    api::{ProfileView, PutProfile, UpdatePerson},
    callout::Preference,
    profile::{Bar, Profile},
};

fn path(of: &Dev) -> String {
    format!("/v1/people/{}/profile", of.person)
}

async fn read(world: &World, by: &Tokens, of: &Dev) -> ProfileView {
    world.get(&path(of), by).await.read()
}

async fn set(world: &World, by: &Tokens, of: &Dev, version: u64, profile: Profile) -> Answer {
    world.put(&path(of), by, &PutProfile { version, profile }).await
}

fn site(code: &str) -> Bar {
    Bar::Site { code: code.parse().unwrap() }
}

#[tokio::test]
async fn the_person_and_their_supervisor_each_keep_their_part() {
    let (world, admin) = World::new().await;
    let advocate = world.enrol(&world.host, &admin, 70, Role::Advocate, "Advocate 1").await;
    let supervisor = world.enrol(&world.host, &admin, 71, Role::Supervisor, "Supervisor 1").await;
    let (own, supervisor) = (world.sign_in(&advocate).await, world.sign_in(&supervisor).await);
    let empty = read(&world, &own, &advocate).await;
    assert_eq!((empty.version, &empty.profile), (0, &Profile::default()));

    let mine = Profile { presents: Preference::Woman, bars: vec![site("canary-bar")], ..Profile::default() };
    let first: ProfileView = set(&world, &own, &advocate, 0, mine.clone()).await.read();
    assert_eq!((first.version, &first.own_bars), (1, &mine.bars));
    let again: ProfileView = set(&world, &own, &advocate, 0, mine.clone()).await.read();
    assert_eq!(again, first, "the same request again");
    let stale = Profile { zones: vec!["north".parse().unwrap()], ..mine.clone() };
    assert_eq!(set(&world, &own, &advocate, 0, stale).await.refused(), ErrorCode::Conflict);

    // The supervisor reads all of it, adds theirs, and takes back nothing that the person has said.
    assert_eq!(read(&world, &supervisor, &advocate).await, first);
    let theirs = Profile { training: vec!["care".parse().unwrap()], bars: vec![site("canary-bar"), site("b")], ..mine };
    let second: ProfileView = set(&world, &supervisor, &advocate, 1, theirs.clone()).await.read();
    assert_eq!(second.own_bars, [site("canary-bar")]);
    for (by, change) in [
        (&supervisor, Profile { presents: Preference::Any, ..theirs.clone() }),
        (&supervisor, Profile { bars: vec![site("b")], ..theirs.clone() }),
        (&own, Profile { bars: vec![site("canary-bar")], ..theirs.clone() }),
        (&own, Profile { training: vec![], ..theirs.clone() }),
    ] {
        assert_eq!(set(&world, by, &advocate, 2, change).await.refused(), ErrorCode::Forbidden);
    }
    assert_eq!(read(&world, &own, &advocate).await, second, "a refusal changes nothing");
    let lifted = Profile { bars: vec![site("b")], presents: Preference::Any, ..theirs };
    let third: ProfileView = set(&world, &own, &advocate, 2, lifted).await.read();
    assert!(third.own_bars.is_empty());

    let trail = world.app().store.audit_entries(0, 1_000).await.unwrap();
    let entries: Vec<_> = trail.iter().filter(|e| e.action == "person.profile").map(|e| e.detail.as_str()).collect();
    assert_eq!(entries, ["presents bars", "training bars", "presents bars"]);
    assert!(!format!("{trail:?}").contains("canary-bar") && !format!("{trail:?}").contains("woman"));
}

#[tokio::test]
async fn nobody_else_reads_or_writes_it_and_lists_are_bounded() {
    let (world, admin) = World::new().await;
    let advocate = world.enrol(&world.host, &admin, 70, Role::Advocate, "Advocate 1").await;
    let other = world.enrol(&world.host, &admin, 71, Role::Advocate, "Advocate 2").await;
    let (_, _, partner) = world.partner(&admin).await;
    let (own, other) = (world.sign_in(&advocate).await, world.sign_in(&other).await);
    for (by, code) in [(&other, ErrorCode::Forbidden), (&partner, ErrorCode::NotFound)] {
        assert_eq!(world.get(&path(&advocate), by).await.refused(), code);
        assert_eq!(set(&world, by, &advocate, 0, Profile::default()).await.refused(), code);
    }
    let many = Profile { bars: (0..101).map(|n| site(&format!("s{n}"))).collect(), ..Profile::default() };
    assert_eq!(set(&world, &own, &advocate, 0, many).await.refused(), ErrorCode::InvalidValue);
    assert_eq!(read(&world, &own, &advocate).await.version, 0);
}

#[tokio::test]
async fn languages_have_one_place() {
    let (world, admin) = World::new().await;
    let advocate = world.enrol(&world.host, &admin, 70, Role::Advocate, "Advocate 1").await;
    let change = UpdatePerson { languages: Some(vec!["es".into(), "zh-Hant".into()]) };
    let body = Some(serde_json::to_vec(&change).unwrap());
    world.call(Method::PATCH, &format!("/v1/people/{}", advocate.person), Some(&admin.access), body).await.done();
    let view = read(&world, &admin, &advocate).await;
    assert_eq!((view.version, view.profile.languages.len()), (1, 2));
    let one = Profile { languages: vec!["fr".parse().unwrap()], ..Profile::default() };
    set(&world, &admin, &advocate, 1, one).await.read::<ProfileView>();
    let known = world.app().store.person(advocate.person).await.unwrap().unwrap();
    assert_eq!(known.languages, ["fr"]);
}

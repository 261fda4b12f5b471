//! Key packages: each given out once, then the last resort, whoever asks at the same time.

use firstlight_protocol::{
    Bytes, ErrorCode, Role,
    api::{KeyPackageCount, PublishKeyPackages},
    mls::SUITE_CLASSIC,
};
use firstlight_tests::{
    inproc::{Cast, run},
    world::{Device, key_package_share, mls::Hand},
};
use std::collections::HashSet;

async fn claim(by: &Device, of: &Device) -> Option<Bytes> {
    by.claim(SUITE_CLASSIC, vec![of.id]).await.unwrap().remove(0).key_package
}

#[test]
fn one_time_packages_first_then_the_last_resort_again_and_again() {
    run(async {
        let cast = Cast::new().await;
        assert_eq!(claim(&cast.primary, &cast.backup).await, None, "nothing published");
        key_package_share(&Hand::of(&cast.backup), &cast.backup, SUITE_CLASSIC, 2).await.unwrap();
        let count: KeyPackageCount = cast.backup.get("/v1/key-packages").await.unwrap();
        assert_eq!(count, KeyPackageCount { one_time: 2, last_resort: true });
        let mut given = HashSet::new();
        for _ in 0..2 {
            assert!(given.insert(claim(&cast.primary, &cast.backup).await.unwrap().0));
        }
        let last = claim(&cast.primary, &cast.backup).await.unwrap();
        assert!(!given.contains(&last.0));
        assert_eq!(claim(&cast.supervisor, &cast.backup).await, Some(last));
        let count: KeyPackageCount = cast.backup.get("/v1/key-packages").await.unwrap();
        assert_eq!(count, KeyPackageCount { one_time: 0, last_resort: true });
    });
}

#[test]
fn what_is_published_again_after_a_lost_answer_is_given_out_once() {
    run(async {
        let cast = Cast::new().await;
        let hand = Hand::of(&cast.backup);
        let one_time = (0..3).map(|_| hand.key_package(SUITE_CLASSIC, false)).collect();
        let request = PublishKeyPackages { suite: SUITE_CLASSIC, one_time, last_resort: None };
        let publish =
            async || cast.backup.post::<KeyPackageCount>("/v1/key-packages", &request).await.unwrap().one_time;
        assert_eq!(publish().await, 3);
        assert_eq!(publish().await, 3, "the same ones");
        let first = claim(&cast.primary, &cast.backup).await.unwrap();
        assert_eq!(publish().await, 2, "its secret is used by now");
        let others = [claim(&cast.primary, &cast.backup).await, claim(&cast.primary, &cast.backup).await];
        assert!(!others.contains(&Some(first)) && others[0] != others[1]);
        assert_eq!(claim(&cast.primary, &cast.backup).await, None);
        assert_eq!(publish().await, 0);
    });
}

#[test]
fn concurrent_claims_never_get_the_same_one_time_package() {
    run(async {
        let cast = Cast::new().await;
        key_package_share(&Hand::of(&cast.backup), &cast.backup, SUITE_CLASSIC, 20).await.unwrap();
        let claimants = [&cast.primary, &cast.supervisor, &cast.officer, &cast.admin];
        let claims = (0..20).map(|i| claim(claimants[i % 4], &cast.backup));
        let packages = futures_util::future::join_all(claims).await;
        let distinct: HashSet<_> = packages.into_iter().map(|package| package.unwrap().0).collect();
        assert_eq!(distinct.len(), 20);
        let count: KeyPackageCount = cast.backup.get("/v1/key-packages").await.unwrap();
        assert_eq!(count.one_time, 0);
    });
}

#[test]
fn nobody_drains_a_device() {
    run(async {
        let cast = Cast::new().await;
        key_package_share(&Hand::of(&cast.backup), &cast.backup, SUITE_CLASSIC, 30).await.unwrap();
        let mut refused = None;
        for taken in 0..40 {
            if let Err(problem) = cast.primary.claim(SUITE_CLASSIC, vec![cast.backup.id]).await {
                refused = Some((taken, problem));
                break;
            }
        }
        let (taken, problem) = refused.expect("a limit");
        assert_eq!((taken, problem.code), (20, ErrorCode::RateLimited));
        let wait = problem.retry_after_ms.unwrap();
        // Somebody else is not held up by it, and time heals.
        claim(&cast.supervisor, &cast.backup).await.unwrap();
        cast.server.advance(std::time::Duration::from_millis(wait));
        claim(&cast.primary, &cast.backup).await.unwrap();
    });
}

#[test]
fn a_device_publishes_its_own_and_in_an_allowed_suite() {
    run(async {
        let cast = Cast::new().await;
        let publish =
            |package: Bytes| PublishKeyPackages { suite: SUITE_CLASSIC, one_time: vec![package], last_resort: None };
        let foreign = publish(Hand::of(&cast.primary).key_package(SUITE_CLASSIC, false));
        let attempt = cast.backup.post::<KeyPackageCount>("/v1/key-packages", &foreign);
        assert_eq!(cast.changes_nothing(attempt).await.unwrap_err().code, ErrorCode::Forbidden);

        // Somebody else's certificates over one's own key: the leaf doesn't belong to the chain.
        let borrowed = Hand::of(&cast.backup).with_chain(cast.primary.chain.clone());
        let attempt = publish(borrowed.key_package(SUITE_CLASSIC, false));
        let attempt = cast.primary.post::<KeyPackageCount>("/v1/key-packages", &attempt);
        assert_eq!(cast.changes_nothing(attempt).await.unwrap_err().code, ErrorCode::Forbidden);

        // Certified by an organisation that nobody here trusts.
        let stranger = firstlight_tests::world::Organisation::new(
            &cast.server.http,
            firstlight_protocol::OrgKind::VictimServices,
            "Agency B",
            cast.now(),
        );
        let paper = stranger.paper_device(Role::Advocate, "Advocate 9", cast.now());
        let forged = publish(Hand::of(&paper).key_package(SUITE_CLASSIC, false));
        let attempt = cast.backup.post::<KeyPackageCount>("/v1/key-packages", &forged);
        assert_eq!(cast.changes_nothing(attempt).await.unwrap_err().code, ErrorCode::BadChain);
    });
}

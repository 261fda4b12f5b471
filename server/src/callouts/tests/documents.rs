//! Rota, policy, on call.

use super::*;
use crate::{
    callouts::policy::{get_policy, put_policy},
    extract::Query,
    rota::tests::{At, get_rota, on_call, put_rota},
};
use firstlight_protocol::{
    ErrorCode,
    api::{PolicyDocument, RotaDocument},
    policy::Millis,
};

#[tokio::test]
async fn a_document_is_replaced_only_by_who_has_read_it() {
    let house = House::new().await;
    let app = || State(Shared::clone(house.app()));
    let Json(read) = get_rota(app(), supervisor()).await.unwrap();
    assert_eq!(read.version, 1);
    let mut changed = read.clone();
    changed.rota.shifts.remove(1);
    let Json(second) = put_rota(app(), admin(), Json(changed.clone())).await.unwrap();
    assert_eq!(second.version, 2);
    // A lost answer is asked for again; another change on the old version is not taken.
    assert_eq!(put_rota(app(), admin(), Json(changed)).await.unwrap().0.version, 2);
    assert_eq!(code(put_rota(app(), supervisor(), Json(read.clone())).await), ErrorCode::Conflict);
    let far = RotaDocument { version: u64::MAX, ..read };
    assert_eq!(code(put_rota(app(), supervisor(), Json(far)).await), ErrorCode::Conflict);
    assert_eq!(get_rota(app(), primary()).await.unwrap().0.rota, second.rota);

    let Json(PolicyDocument { version, mut policy }) = get_policy(app(), MaybeLocked(officer(), false)).await.unwrap();
    policy.timers.backup_after_ms = Millis::minutes(1);
    let Json(new) =
        put_policy(app(), supervisor(), Json(PolicyDocument { version, policy: policy.clone() })).await.unwrap();
    assert_eq!((new.version, &new.policy), (2, &policy));
}

#[tokio::test]
async fn documents_are_checked_and_kept_by_their_keepers() {
    let house = House::new().await;
    let app = || State(Shared::clone(house.app()));
    let Json(rota) = get_rota(app(), admin()).await.unwrap();
    let Json(policy) = get_policy(app(), MaybeLocked(primary(), false)).await.unwrap();
    for caller in [officer(), commander(), primary(), caseworker()] {
        assert_eq!(code(put_rota(app(), caller.clone(), Json(rota.clone())).await), ErrorCode::Forbidden);
        assert_eq!(code(put_policy(app(), caller, Json(policy.clone())).await), ErrorCode::Forbidden);
    }
    assert_eq!(code(get_rota(app(), officer()).await), ErrorCode::Forbidden);
    let partner_admin = Caller { org: AGENCY, org_kind: OrgKind::LawEnforcement, ..admin() };
    assert_eq!(code(put_rota(app(), partner_admin.clone(), Json(rota.clone())).await), ErrorCode::Forbidden);
    assert_eq!(code(get_policy(app(), MaybeLocked(partner_admin, false)).await), ErrorCode::Forbidden);

    for wrong in [officer(), caseworker(), who(99)] {
        let mut with = rota.clone();
        with.rota.shifts[1].person = wrong.person;
        let refused = put_rota(app(), admin(), Json(with)).await.unwrap_err().problem();
        assert_eq!(refused.code, ErrorCode::InvalidValue);
        assert!(refused.detail.unwrap().starts_with("shift 2:"));
    }
    let mut nowhere = rota.clone();
    nowhere.rota.tz = "Mars/Olympus".into();
    assert_eq!(code(put_rota(app(), admin(), Json(nowhere)).await), ErrorCode::InvalidValue);
    let mut busy = policy;
    busy.policy.timers.repeat_every_ms = Millis(1);
    assert_eq!(code(put_policy(app(), admin(), Json(busy)).await), ErrorCode::InvalidValue);
    assert_eq!(get_rota(app(), admin()).await.unwrap().0.version, rota.version);
}

#[tokio::test]
async fn who_is_on_call_and_connected() {
    let house = House::new().await;
    let app = || State(Shared::clone(house.app()));
    let ask = |caller, at| on_call(app(), caller, Query(At { at }));
    let _phone = house.phone(&primary());
    let Json(now) = ask(supervisor(), None).await.unwrap();
    assert_eq!(now.at, house.app().clock.now());
    let people: Vec<_> = now.tiers.iter().map(|t| (t.tier, t.people[0].person, t.people[0].connected)).collect();
    assert_eq!(
        people,
        [
            (Tier::Primary, primary().person, Some(true)),
            (Tier::Backup, backup().person, Some(false)),
            (Tier::Supervisor, supervisor().person, Some(false)),
        ]
    );
    assert_eq!(now.next_change, None, "one day after another by the same people is no change");
    assert_eq!(ask(primary(), None).await.unwrap().0.tiers[0].people[0].connected, None);
    let Json(before) = ask(admin(), Some(Timestamp(0))).await.unwrap();
    assert!(before.tiers.iter().all(|t| t.people.is_empty()), "gaps show");
    assert_eq!(code(ask(officer(), None).await), ErrorCode::Forbidden);
}

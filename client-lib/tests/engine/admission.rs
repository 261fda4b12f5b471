//! The two-person rule: another class of organisation comes in only if two people want it.

use crate::town::{ROOM, SUITE, Town, agree};
use firstlight_client::{
    engine::{EngineError, Event, OutOfSync, RoomState, Step},
    storage::{HostError, LineBody},
    testing::{Peer, now, settle},
};
use firstlight_protocol::{
    DeviceId, ErrorCode, MessageId, OrgKind, PersonId, Problem, Role, RoomId, RoomKind, Timestamp,
    admission::{AdmissionConsent, CONSENT_LIFE, Consent, Flaw, NotAdmitted},
    api::{ClaimedKeyPackage, EntryKind, LogEntry},
    mls::Content,
};

const POLICE: OrgKind = OrgKind::LawEnforcement;
const ASK: MessageId = MessageId([100; 16]);

fn flaw(result: Result<(), HostError>) -> Flaw {
    match result {
        Err(HostError::Engine(EngineError::NotAdmitted(NotAdmitted { org_kind: POLICE, why }))) => why,
        other => panic!("expected a class that is not admitted, got {other:?}"),
    }
}

/// Adds a peer to the room, or says why not.
fn add(town: &mut Town, by: &mut Peer, who: &Peer, id: u8) -> Result<(), HostError> {
    let claimed = by.claim(&mut town.net, SUITE, &[who]);
    by.apply(|e| e.add(ROOM, &claimed, MessageId([id; 16]), now()))
}

fn ask(by: &mut Peer) {
    by.wish(|e| e.ask_to_admit(ROOM, POLICE, ASK, now()));
}

fn answer(by: &mut Peer, agrees: bool, id: u8) -> Result<(), HostError> {
    by.apply(|e| e.answer_ask(ROOM, ASK, agrees, MessageId([id; 16]), now()))
}

fn person(peer: &Peer) -> PersonId {
    peer.host.engine().identity().unwrap().person
}

#[test]
fn two_people_let_police_in_and_everybody_sees_who() {
    let mut town = Town::new();
    let (mut a, mut b, mut c) = (town.enrol(Role::Agent), town.enrol(Role::Supervisor), town.enrol(Role::Advocate));
    let (mut officer, mut second) = (town.officer(), town.officer());
    town.room(RoomKind::Operation, SUITE, &mut a, &mut [&mut b, &mut c]);
    assert_eq!(flaw(add(&mut town, &mut a, &officer, 1)), Flaw::Missing);
    assert_eq!(a.host.engine().pending(), [], "nothing waits");

    ask(&mut a);
    settle(&mut town.net, &mut [&mut a, &mut b, &mut c]);
    let asked = |peer: &Peer| peer.host.engine().room(ROOM).unwrap().asks.remove(0);
    assert_eq!((asked(&b).by.person, asked(&b).org_kind), (person(&a), POLICE));
    assert!(asked(&b).may_agree && !asked(&a).may_agree && !asked(&b).agreed);
    assert_eq!(flaw(add(&mut town, &mut a, &officer, 1)), Flaw::Missing, "asking alone changes nothing");
    assert_eq!(flaw(answer(&mut a, true, 2)), Flaw::SamePerson);

    answer(&mut b, true, 3).unwrap();
    settle(&mut town.net, &mut [&mut a, &mut b, &mut c]);
    assert!(asked(&a).agreed && asked(&c).agreed && asked(&c).answers[0].by.person == person(&b));
    assert_eq!(flaw(add(&mut town, &mut c, &officer, 4)), Flaw::Missing, "it was given to whoever asked");
    add(&mut town, &mut a, &officer, 5).unwrap();
    settle(&mut town.net, &mut [&mut a, &mut b, &mut c, &mut officer]);
    agree(&mut [&mut a, &mut b, &mut c, &mut officer]);
    assert!(a.host.engine().room(ROOM).unwrap().asks.is_empty(), "it is done");
    let said = |peer: &mut Peer| {
        let lines = peer.lines(ROOM).into_iter();
        lines
            .filter(|l| matches!(l.body, LineBody::Message(Content::AskToAdmit { .. } | Content::Agree { .. })))
            .count()
    };
    assert_eq!((said(&mut a), said(&mut c), said(&mut officer)), (2, 2, 0));

    add(&mut town, &mut c, &second, 6).unwrap();
    settle(&mut town.net, &mut [&mut a, &mut b, &mut c, &mut officer, &mut second]);
    agree(&mut [&mut a, &mut c, &mut second]);
}

#[test]
fn a_room_begins_with_its_creators_class_and_a_callout_with_everybody() {
    let mut town = Town::new();
    let (mut a, officer) = (town.enrol(Role::Advocate), town.officer());
    let claimed = a.claim(&mut town.net, SUITE, &[&officer]);
    let (operation, callout) = (town.context(RoomKind::Operation), town.context(RoomKind::Callout));
    let id = MessageId([1; 16]);
    assert_eq!(flaw(a.apply(|e| e.create_room(ROOM, operation, SUITE, &claimed, id, now()))), Flaw::Missing);
    assert!(a.host.engine().rooms().is_empty());
    a.apply(|e| e.create_room(ROOM, callout, SUITE, &claimed, id, now())).unwrap();
    settle(&mut town.net, &mut [&mut a]);
    assert_eq!(a.host.engine().room(ROOM).unwrap().members.len(), 2);
    let why = a.apply(|e| e.ask_to_admit(ROOM, POLICE, ASK, now()));
    assert!(
        matches!(why, Err(HostError::Engine(EngineError::RoomNotUsable { .. }))),
        "nothing to ask for in a callout"
    );
}

#[test]
fn who_does_not_agree_is_seen_and_who_asked_can_take_it_back() {
    let mut town = Town::new();
    let (mut a, mut b) = (town.enrol(Role::Advocate), town.enrol(Role::Advocate));
    let (mut a2, officer) = (town.second_device(&a), town.officer());
    town.room(RoomKind::Operation, SUITE, &mut a, &mut [&mut b, &mut a2]);
    ask(&mut a);
    settle(&mut town.net, &mut [&mut a, &mut b, &mut a2]);
    assert_eq!(flaw(answer(&mut a2, true, 1)), Flaw::SamePerson, "a second device is no second person");
    answer(&mut b, false, 2).unwrap();
    settle(&mut town.net, &mut [&mut a, &mut b, &mut a2]);
    let asked = a.host.engine().room(ROOM).unwrap().asks.remove(0);
    assert!(!asked.agreed && !asked.answers[0].agrees);
    answer(&mut b, true, 3).unwrap();
    settle(&mut town.net, &mut [&mut a, &mut b, &mut a2]);
    assert!(a.host.engine().room(ROOM).unwrap().asks[0].agreed, "a person's newest answer counts");
    answer(&mut b, false, 6).unwrap();
    settle(&mut town.net, &mut [&mut a, &mut b, &mut a2]);
    assert_eq!(flaw(add(&mut town, &mut a, &officer, 7)), Flaw::Missing, "agreed no longer");
    answer(&mut a2, false, 4).unwrap();
    settle(&mut town.net, &mut [&mut a, &mut b, &mut a2]);
    assert!(b.host.engine().room(ROOM).unwrap().asks.is_empty(), "taken back with another device of theirs");
    assert_eq!(flaw(add(&mut town, &mut a, &officer, 5)), Flaw::Missing);
}

#[test]
fn a_consent_is_spent_once_the_class_has_left() {
    let mut town = Town::new();
    let (mut a, mut b, mut officer) = (town.enrol(Role::Advocate), town.enrol(Role::Advocate), town.officer());
    town.room(RoomKind::Operation, SUITE, &mut a, &mut [&mut b]);
    // Two questions, both agreed to: the second one shall not bring police back after they were removed.
    let again = MessageId([101; 16]);
    ask(&mut a);
    a.wish(|e| e.ask_to_admit(ROOM, POLICE, again, now()));
    settle(&mut town.net, &mut [&mut a, &mut b]);
    answer(&mut b, true, 1).unwrap();
    b.apply(|e| e.answer_ask(ROOM, again, true, MessageId([2; 16]), now())).unwrap();
    settle(&mut town.net, &mut [&mut a, &mut b]);
    let kept = consents_in(&mut b);
    add(&mut town, &mut a, &officer, 3).unwrap();
    settle(&mut town.net, &mut [&mut a, &mut b, &mut officer]);
    b.wish(|e| e.remove(ROOM, &[officer.device], MessageId([4; 16]), now()));
    settle(&mut town.net, &mut [&mut a, &mut b, &mut officer]);
    assert_eq!(flaw(add(&mut town, &mut a, &officer, 5)), Flaw::Missing);

    // A device that keeps them all the same is not followed.
    let claimed = a.claim(&mut town.net, SUITE, &[&officer]);
    publish_unchecked(&mut town, &mut a, &claimed, kept, 6);
    b.poll(&mut town.net);
    refused(&b);
}

/// Publishes a commit that no honest client builds.
fn publish_unchecked(town: &mut Town, by: &mut Peer, add: &[ClaimedKeyPackage], consents: Vec<Consent>, id: u8) {
    let mut bundle = None;
    by.apply(|e| {
        bundle = Some(e.add_unchecked(ROOM, add, consents, MessageId([id; 16]), now())?);
        Ok(Step::default())
    })
    .unwrap();
    town.net.commit(by.device, ROOM, &bundle.unwrap()).unwrap();
}

fn consents_in(peer: &mut Peer) -> Vec<Consent> {
    let agreed = |body| match body {
        LineBody::Message(Content::Agree { consent, .. }) => Some(consent),
        _ => None,
    };
    peer.lines(ROOM).into_iter().filter_map(|line| agreed(line.body)).collect()
}

/// A device that has met a class which nobody agreed to, and stays where it was.
fn refused(peer: &Peer) {
    let room = peer.host.engine().room(ROOM).unwrap();
    assert_eq!(room.state, RoomState::OutOfSync(OutOfSync::UnseenConsent));
    assert!(room.members.iter().all(|m| m.org_kind != POLICE), "police are no members as this device sees it");
}

/// Lets a hostile member add an officer with a consent, at a delivery service that checks nothing of it, and gives what
/// another member makes of it.
fn hostile(consents: impl FnOnce(&AdmissionConsent, &[&Peer; 4]) -> Vec<Consent>) -> (Town, Peer, Peer) {
    let mut town = Town::new();
    let (mut a, mut b) = (town.enrol(Role::Advocate), town.enrol(Role::Advocate));
    let (mut a2, interpreter) = (town.second_device(&a), town.enrol(Role::Interpreter));
    let officer = town.officer();
    town.room(RoomKind::Operation, SUITE, &mut a, &mut [&mut b, &mut a2]);
    let given = AdmissionConsent {
        room: ROOM,
        org_kind: POLICE,
        to: person(&a),
        ask: ASK,
        epoch: a.host.engine().room(ROOM).unwrap().epoch,
        expires_at: now() + CONSENT_LIFE / 2,
    };
    let consents = consents(&given, &[&a, &b, &a2, &interpreter]);
    let claimed = a.claim(&mut town.net, SUITE, &[&officer]);
    publish_unchecked(&mut town, &mut a, &claimed, consents, 1);
    b.poll(&mut town.net);
    (town, a, b)
}

fn by(peer: &Peer, given: &AdmissionConsent) -> Consent {
    Consent::give(given, peer.device, peer.host.engine().signing_key().unwrap())
}

#[test]
fn members_follow_a_commit_with_a_consent_and_no_other() {
    let (_, _, b) = hostile(|given, [_, b, ..]| vec![by(b, given)]);
    assert_eq!(b.host.engine().room(ROOM).unwrap().members.len(), 4, "with a good one it is followed");

    refused(&hostile(|_, _| Vec::new()).2);
    refused(&hostile(|given, [a, ..]| vec![by(a, given)]).2);
    refused(&hostile(|given, [_, _, a2, _]| vec![by(a2, given)]).2);
    refused(&hostile(|given, [.., outsider]| vec![by(outsider, given)]).2);
    refused(&hostile(|given, [a, b, ..]| vec![Consent { by: b.device, ..by(a, given) }]).2);
    let with = |change: fn(&mut AdmissionConsent)| {
        hostile(move |given, [_, b, ..]| {
            let mut given = given.clone();
            change(&mut given);
            vec![by(b, &given)]
        })
        .2
    };
    refused(&with(|c| c.room = RoomId([1; 16])));
    refused(&with(|c| c.org_kind = OrgKind::Probation));
    refused(&with(|c| c.to = PersonId([99; 16])));
    refused(&with(|c| c.expires_at = Timestamp(1_000)));
    refused(&with(|c| c.expires_at = c.expires_at + CONSENT_LIFE * 2));
    refused(&with(|c| c.epoch += 1));
}

#[test]
fn nobody_turns_into_another_class_by_new_certificates() {
    let mut town = Town::new();
    let (mut a, mut b) = (town.enrol(Role::Agent), town.enrol(Role::Agent));
    town.room(RoomKind::Operation, SUITE, &mut a, &mut [&mut b]);
    let police = town.police.renew(&b.host.engine().identity().unwrap().clone(), Role::Agent);
    b.apply(|e| e.enrol(police, town.host.anchors(), now())).unwrap();
    b.wish(|e| e.update(ROOM, MessageId([1; 16]), now()));
    b.work(&mut town.net);
    a.poll(&mut town.net);
    assert!(a.events.contains(&Event::OutOfSync { room: ROOM, reason: OutOfSync::ForbiddenCommit }));
    refused(&a);
}

#[test]
fn who_refused_stays_out_until_a_person_says_otherwise() {
    let (mut town, _, mut b) = hostile(|_, _| Vec::new());
    for _ in 0..3 {
        b.work(&mut town.net);
        b.poll(&mut town.net);
        b.restart();
        refused(&b);
    }
    assert!(!b.events.contains(&Event::BackInSync { room: ROOM }));
    // Shown who came in, the person goes on.
    b.apply(|e| e.accept_members(ROOM)).unwrap();
    b.restart();
    settle(&mut town.net, &mut [&mut b]);
    assert!(b.events.contains(&Event::BackInSync { room: ROOM }));
    let room = b.host.engine().room(ROOM).unwrap();
    assert_eq!((room.state, room.members.len()), (RoomState::Joined, 4));
}

#[test]
fn a_device_that_missed_how_a_class_came_in_asks_its_person() {
    let mut town = Town::new();
    let (mut a, mut b, mut c) = (town.enrol(Role::Advocate), town.enrol(Role::Advocate), town.enrol(Role::Advocate));
    let mut officer = town.officer();
    town.room(RoomKind::Operation, SUITE, &mut a, &mut [&mut b, &mut c]);
    ask(&mut a);
    settle(&mut town.net, &mut [&mut a, &mut b]);
    answer(&mut b, true, 1).unwrap();
    settle(&mut town.net, &mut [&mut a, &mut b]);
    add(&mut town, &mut a, &officer, 2).unwrap();
    settle(&mut town.net, &mut [&mut a, &mut b, &mut officer]);
    c.apply(|e| e.log_expired(ROOM, 99)).unwrap();
    c.work(&mut town.net);
    assert_eq!(c.host.engine().room(ROOM).unwrap().state, RoomState::OutOfSync(OutOfSync::UnseenConsent));
    c.apply(|e| e.accept_members(ROOM)).unwrap();
    c.restart();
    settle(&mut town.net, &mut [&mut c, &mut a, &mut b, &mut officer]);
    agree(&mut [&mut a, &mut b, &mut c, &mut officer]);
}

#[test]
fn a_consent_that_does_not_count_changes_no_question() {
    let mut town = Town::new();
    let (mut a, mut b) = (town.enrol(Role::Advocate), town.enrol(Role::Advocate));
    town.room(RoomKind::Operation, SUITE, &mut a, &mut [&mut b]);
    ask(&mut a);
    settle(&mut town.net, &mut [&mut a, &mut b]);
    let forged = AdmissionConsent {
        room: RoomId([1; 16]),
        org_kind: POLICE,
        to: person(&a),
        ask: ASK,
        epoch: 1,
        expires_at: now() + CONSENT_LIFE,
    };
    for (n, consent) in [by(&b, &forged), Consent { by: DeviceId([7; 16]), ..by(&b, &forged) }].into_iter().enumerate()
    {
        let content = Content::Agree { ask: ASK, consent };
        let id = MessageId([n as u8 + 1; 16]);
        b.wish(|e| e.send(ROOM, content.clone(), id, now()));
    }
    settle(&mut town.net, &mut [&mut a, &mut b]);
    assert!(a.host.engine().room(ROOM).unwrap().asks[0].answers.is_empty());
}

#[test]
fn what_the_server_refuses_for_want_of_a_consent_fails_with_its_reason() {
    let mut town = Town::new();
    let (mut a, mut b) = (town.enrol(Role::Advocate), town.enrol(Role::Advocate));
    let officer = town.officer();
    town.room(RoomKind::Operation, SUITE, &mut a, &mut [&mut b]);
    ask(&mut a);
    settle(&mut town.net, &mut [&mut a, &mut b]);
    answer(&mut b, true, 1).unwrap();
    settle(&mut town.net, &mut [&mut a, &mut b]);
    add(&mut town, &mut a, &officer, 2).unwrap();
    a.queue.clear();
    let problem = Problem::from(NotAdmitted { org_kind: POLICE, why: Flaw::Expired });
    a.apply(|e| e.refused(ROOM, MessageId([2; 16]), &problem, now())).unwrap();
    assert_eq!(a.failure_code(), Some(ErrorCode::NeedsConsent));
    let commits = town.net.log(ROOM, 0).iter().filter(|e: &&LogEntry| e.kind == EntryKind::Commit).count();
    assert_eq!(commits, 1, "the room is as it was");
}

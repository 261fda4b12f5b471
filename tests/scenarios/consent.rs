//! The two-person rule, as the server keeps it: another class of organisation comes into a room only if two people want it.

use firstlight_protocol::{
    Bytes, ErrorCode, MessageId, OrgKind, PersonId, Problem, Role, RoomId, RoomKind, Timestamp,
    admission::{AdmissionConsent, CONSENT_LIFE, Consent},
    api::{CommitBundle, Committed, RoomView},
    cert::DeviceSubject,
    mls::{RoomContext, SUITE_CLASSIC},
};
use firstlight_tests::{
    inproc::{Cast, run},
    world::{
        Device, Member, key_package_share,
        mls::{Change, Hand, Room},
        random,
    },
};
use std::time::Duration;

const POLICE: OrgKind = OrgKind::LawEnforcement;

fn operation(cast: &Cast) -> RoomContext {
    RoomContext { kind: RoomKind::Operation, org: cast.host.id, callout: None }
}

/// A room with two advocates, in which the first one's client keeps no rule.
struct Team {
    cast: Cast,
    hand: Hand,
    room: Room,
    /// The first advocate's other device, a member too.
    other_device: Device,
}

impl Team {
    async fn new() -> Self {
        let cast = Cast::new().await;
        let (role, now) = (Role::Advocate, cast.now());
        let other_device = cast.host.enrol_for(&cast.admin, cast.primary.person, role, "Advocate 1", now).await;
        for device in [&cast.backup, &other_device] {
            key_package_share(&Hand::of(device), device, SUITE_CLASSIC, 1).await.unwrap();
        }
        key_package_share(&Hand::of(&cast.officer), &cast.officer, SUITE_CLASSIC, 20).await.unwrap();
        let hand = Hand::of(&cast.primary);
        let claimed = cast.primary.claim(SUITE_CLASSIC, vec![cast.backup.id, other_device.id]).await.unwrap();
        let mut room = hand.found(RoomId(random()), &operation(&cast), SUITE_CLASSIC);
        let members = claimed.into_iter().filter_map(|claimed| claimed.key_package).collect();
        let create = hand.create(&mut room, members);
        let _: RoomView = cast.primary.post("/v1/rooms", &create).await.unwrap();
        Self { cast, hand, room, other_device }
    }

    /// What the backup would sign for the first advocate.
    fn given(&self) -> AdmissionConsent {
        AdmissionConsent {
            room: self.room.id,
            org_kind: POLICE,
            to: self.cast.primary.person,
            ask: MessageId([1; 16]),
            epoch: self.room.epoch(),
            expires_at: self.cast.now() + CONSENT_LIFE / 2,
        }
    }

    async fn officer(&self) -> Bytes {
        let claimed = self.cast.primary.claim(SUITE_CLASSIC, vec![self.cast.officer.id]).await.unwrap();
        claimed[0].key_package.clone().unwrap()
    }

    async fn publish(&self, bundle: &CommitBundle) -> Result<Committed, Problem> {
        self.cast.primary.post(format!("/v1/rooms/{}/commits", self.room.id), bundle).await
    }

    /// Adds an officer with these consents; what the server says.
    async fn add(&mut self, consents: Vec<Consent>) -> Result<(), Problem> {
        let change = Change { add: vec![self.officer().await], consents, ..Change::default() };
        let bundle = self.hand.commit(&mut self.room, change);
        self.publish(&bundle).await?;
        self.hand.merge(&mut self.room);
        Ok(())
    }

    async fn refused(&mut self, consents: Vec<Consent>, why: &str) {
        let change = Change { add: vec![self.officer().await], consents, ..Change::default() };
        let bundle = self.hand.commit(&mut self.room, change);
        let answer = self.cast.changes_nothing(self.publish(&bundle)).await;
        self.hand.drop_commit(&mut self.room);
        let problem = answer.expect_err(why);
        assert_eq!(problem.code, ErrorCode::NeedsConsent, "{why}: {problem}");
        let detail = problem.detail.unwrap_or_default();
        assert!(detail.contains("ask in the room") && detail.contains(why), "{detail}");
    }
}

fn by(device: &Device, given: &AdmissionConsent) -> Consent {
    Consent::give(given, device.id, &device.key)
}

#[test]
fn the_server_takes_one_other_members_consent_and_nothing_else() {
    run(async {
        let mut team = Team::new().await;
        let given = team.given();
        team.refused(vec![], "nobody else has agreed").await;
        team.refused(vec![by(&team.cast.primary, &given)], "same person").await;
        team.refused(vec![by(&team.other_device, &given)], "same person").await;
        team.refused(vec![by(&team.cast.supervisor, &given)], "not a member").await;
        team.refused(vec![Consent { by: team.cast.backup.id, ..by(&team.cast.supervisor, &given) }], "not signed by")
            .await;
        type Change = fn(&mut AdmissionConsent);
        let wrong: [(Change, &str); 6] = [
            (|c| c.room = RoomId([1; 16]), "another room"),
            (|c| c.org_kind = OrgKind::Care, "nobody else has agreed"),
            (|c| c.to = PersonId([1; 16]), "somebody else"),
            (|c| c.expires_at = Timestamp(1), "expired"),
            (|c| c.expires_at = c.expires_at + CONSENT_LIFE, "expired"),
            (|c| c.epoch += 1, "left the room"),
        ];
        for (change, why) in wrong {
            let mut given = given.clone();
            change(&mut given);
            team.refused(vec![by(&team.cast.backup, &given)], why).await;
        }
        team.add(vec![by(&team.cast.backup, &given)]).await.unwrap();
    });
}

#[test]
fn a_consent_expires_by_the_servers_clock() {
    run(async {
        let mut team = Team::new().await;
        let consent = by(&team.cast.backup, &team.given());
        team.cast.minutes(12 * 60);
        team.refused(vec![consent], "expired").await;
    });
}

#[test]
fn a_consent_does_not_bring_back_whom_the_room_removed_not_even_after_a_restart() {
    run(async {
        let mut team = Team::new().await;
        let officer = team.cast.officer.id;
        let consent = by(&team.cast.backup, &team.given());
        team.add(vec![consent.clone()]).await.unwrap();
        // The class is in: a second officer needs nobody's consent.
        let colleague = team.cast.another_officer("Officer 2").await;
        key_package_share(&Hand::of(&colleague), &colleague, SUITE_CLASSIC, 1).await.unwrap();
        let claimed = team.cast.primary.claim(SUITE_CLASSIC, vec![colleague.id]).await.unwrap();
        let add = vec![claimed[0].key_package.clone().unwrap()];
        for change in [
            Change { add, ..Change::default() },
            Change { remove: vec![officer], ..Change::default() },
            Change { remove: vec![colleague.id], ..Change::default() },
        ] {
            let bundle = team.hand.commit(&mut team.room, change);
            team.publish(&bundle).await.unwrap();
            team.hand.merge(&mut team.room);
        }
        team.refused(vec![consent.clone()], "left the room").await;
        team.cast.server.restart(Duration::from_secs(1)).await;
        team.refused(vec![consent], "left the room").await;
        let anew = by(&team.cast.backup, &team.given());
        team.add(vec![anew]).await.unwrap();
    });
}

#[test]
fn nobody_turns_into_another_class_by_new_certificates() {
    run(async {
        let mut team = Team::new().await;
        let primary = &team.cast.primary;
        let subject = DeviceSubject {
            person: primary.person,
            device: primary.id,
            role: Role::Agent,
            work_name: "Agent 1".into(),
            key: primary.key.verifying_key().to_bytes(),
        };
        team.hand = team.hand.with_chain(team.cast.police.chain(&subject, team.cast.now()));
        let bundle = team.hand.commit(&mut team.room, Change::default());
        let refused = team.cast.changes_nothing(team.publish(&bundle)).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::Forbidden);
    });
}

#[test]
fn nobody_makes_a_room_with_another_class_in_it_but_a_callouts() {
    run(async {
        let cast = Cast::new().await;
        key_package_share(&Hand::of(&cast.officer), &cast.officer, SUITE_CLASSIC, 1).await.unwrap();
        let hand = Hand::of(&cast.primary);
        let claimed = cast.primary.claim(SUITE_CLASSIC, vec![cast.officer.id]).await.unwrap();
        let mut room = hand.found(RoomId(random()), &operation(&cast), SUITE_CLASSIC);
        let create = hand.create(&mut room, vec![claimed[0].key_package.clone().unwrap()]);
        let refused = cast.changes_nothing(cast.primary.post::<RoomView>("/v1/rooms", &create)).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::NeedsConsent);
    });
}

#[test]
fn a_team_lets_police_in_together() {
    run(async {
        let cast = Cast::new().await;
        let (a, b) = tokio::join!(cast.advocate("Advocate 3"), cast.advocate("Advocate 4"));
        let (a, b) = (cast.member(a).await, cast.member(b).await);
        let officer = cast.member(cast.another_officer("Officer 2").await).await;
        let room = a.create_room(operation(&cast), vec![b.device.id], cast.now()).await.unwrap();
        a.say(room, "before police", cast.now()).await;
        let id = MessageId(random());
        let asked = a.apply(|engine| engine.ask_to_admit(room, POLICE, id, cast.now())).unwrap();
        a.drive(asked, cast.now()).await;
        b.sync(cast.now()).await;
        let ask = b.room(room).unwrap().asks.remove(0);
        assert!(ask.may_agree && ask.by.person == a.device.person);
        let answer = MessageId(random());
        let agreed = b.apply(|engine| engine.answer_ask(room, ask.id, true, answer, cast.now())).unwrap();
        b.drive(agreed, cast.now()).await;
        a.sync(cast.now()).await;
        add_to(&a, room, &officer, cast.now()).await;
        a.say(room, "police can read this", cast.now()).await;
        b.sync(cast.now()).await;
        officer.sync(cast.now()).await;
        assert_eq!(officer.texts(room), ["police can read this"]);
        assert_eq!(b.texts(room), ["before police", "police can read this"]);
        assert_eq!(b.room(room).unwrap().members.len(), 3, "followed, and not rejoined");
        assert!(b.room(room).unwrap().asks.is_empty());
    });
}

async fn add_to(by: &Member, room: RoomId, who: &Member, now: Timestamp) {
    let claimed = by.device.claim(SUITE_CLASSIC, vec![who.device.id]).await.unwrap();
    let added = by.apply(|engine| engine.add(room, &claimed, MessageId(random()), now)).unwrap();
    by.drive(added, now).await;
}

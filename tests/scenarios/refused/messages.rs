//! MLS that is garbage, stale, somebody else's or of another room.

use firstlight_protocol::{
    Bytes, DeviceId, ErrorCode, MessageId, Problem, RoomId, RoomKind,
    api::{CommitBundle, Committed, CreateRoom, RoomView, SendMessage, Sent},
    limits::MAX_MESSAGE,
    mls::{Content, RoomContext, SUITE_CLASSIC, SUITE_HYBRID},
};
use firstlight_tests::{
    inproc::{Cast, run},
    world::{
        Device, key_package_share,
        mls::{Change, Hand, Room, framed},
        random,
    },
};

struct Team {
    cast: Cast,
    hand: Hand,
    room: Room,
}

impl Team {
    /// A room of the primary and the backup.
    async fn new() -> Self {
        let cast = Cast::new().await;
        key_package_share(&Hand::of(&cast.backup), &cast.backup, SUITE_CLASSIC, 4).await.unwrap();
        let hand = Hand::of(&cast.primary);
        let mut room = hand.found(RoomId(random()), &context(&cast), SUITE_CLASSIC);
        let add = vec![package(&cast.primary, cast.backup.id).await];
        let create = hand.create(&mut room, add);
        let _: RoomView = cast.primary.post("/v1/rooms", &create).await.unwrap();
        Self { cast, hand, room }
    }

    async fn commit(&self, by: &Device, bundle: &CommitBundle) -> Problem {
        let path = format!("/v1/rooms/{}/commits", self.room.id);
        self.cast.changes_nothing(by.post::<Committed>(path, bundle)).await.unwrap_err()
    }

    async fn send(&self, by: &Device, message: &SendMessage) -> Problem {
        let path = format!("/v1/rooms/{}/messages", self.room.id);
        self.cast.changes_nothing(by.post::<Sent>(path, message)).await.unwrap_err()
    }
}

fn context(cast: &Cast) -> RoomContext {
    RoomContext { kind: RoomKind::Advocate, org: cast.host.id, callout: None }
}

async fn package(by: &Device, of: DeviceId) -> Bytes {
    by.claim(SUITE_CLASSIC, vec![of]).await.unwrap().remove(0).key_package.unwrap()
}

fn text() -> Content {
    Content::Text { text: "hello".into(), reply_to: None }
}

#[test]
fn commits_are_checked_in_every_part() {
    run(async {
        let mut team = Team::new().await;
        let good = team.hand.commit(&mut team.room, Change::default());
        team.hand.drop_commit(&mut team.room);
        let (us, them) = (&team.cast.primary, &team.cast.backup);
        let garbage = |bytes: &[u8]| Bytes(bytes.to_vec());

        let stale = CommitBundle { epoch: good.epoch - 1, ..good.clone() };
        assert_eq!(team.commit(us, &stale).await.code, ErrorCode::StaleEpoch);
        let future = CommitBundle { epoch: good.epoch + 1, ..good.clone() };
        assert_eq!(team.commit(us, &future).await.code, ErrorCode::StaleEpoch);
        let outsider = team.commit(&team.cast.supervisor, &good).await;
        assert_eq!(outsider.code, ErrorCode::NotAMember);
        assert_eq!(team.commit(them, &good).await.code, ErrorCode::Forbidden, "made by another device");
        let renamed = CommitBundle { id: MessageId(random()), ..good.clone() };
        assert_eq!(team.commit(us, &renamed).await.code, ErrorCode::BadMls, "the signed data names another id");

        let mut turned = good.commit.0.clone();
        let middle = turned.len() / 2;
        turned[middle] ^= 1;
        let half = &good.commit[..middle];
        for commit in [garbage(&[]), garbage(b"hello"), garbage(&[0xff; 500]), garbage(half), Bytes(turned)] {
            let bundle = CommitBundle { commit, ..good.clone() };
            assert_eq!(team.commit(us, &bundle).await.code, ErrorCode::BadMls);
        }
        for group_info in [garbage(&[]), garbage(&[1; 300]), good.commit.clone()] {
            let bundle = CommitBundle { group_info, ..good.clone() };
            assert_eq!(team.commit(us, &bundle).await.code, ErrorCode::BadMls);
        }
        let needless = CommitBundle { welcome: Some(good.commit.clone()), ..good.clone() };
        assert_eq!(team.commit(us, &needless).await.code, ErrorCode::BadMls);

        // Still the room's own next commit, after all that.
        let path = format!("/v1/rooms/{}/commits", team.room.id);
        let _: Committed = us.post(path, &good).await.unwrap();
    });
}

#[test]
fn a_welcome_comes_with_additions_and_a_device_is_in_a_room_once() {
    run(async {
        let mut team = Team::new().await;
        key_package_share(&Hand::of(&team.cast.supervisor), &team.cast.supervisor, SUITE_CLASSIC, 1).await.unwrap();
        let add = vec![package(&team.cast.primary, team.cast.supervisor.id).await];
        let adding = team.hand.commit(&mut team.room, Change { add, ..Change::default() });
        team.hand.drop_commit(&mut team.room);
        let without = CommitBundle { welcome: None, ..adding.clone() };
        assert_eq!(team.commit(&team.cast.primary, &without).await.code, ErrorCode::BadMls);

        let other_epoch = team.hand.commit(&mut team.room, Change::default());
        team.hand.drop_commit(&mut team.room);
        let crossed = CommitBundle { group_info: other_epoch.group_info, ..adding };
        assert_eq!(team.commit(&team.cast.primary, &crossed).await.code, ErrorCode::BadMls);
    });
}

#[test]
fn another_rooms_messages_are_refused() {
    run(async {
        let mut team = Team::new().await;
        let us = &team.cast.primary;
        let mut other = team.hand.found(RoomId(random()), &context(&team.cast), SUITE_CLASSIC);
        let create = team.hand.create(&mut other, vec![]);
        let _: RoomView = us.post("/v1/rooms", &create).await.unwrap();
        let mut foreign = team.hand.commit(&mut other, Change::default());
        foreign.epoch = team.room.epoch();
        assert_eq!(team.commit(us, &foreign).await.code, ErrorCode::WrongGroup);
        team.hand.drop_commit(&mut other);
        let message = team.hand.message(&mut other, &text());
        assert_eq!(team.send(us, &message).await.code, ErrorCode::WrongGroup);
        let message = team.hand.message(&mut team.room, &text());
        assert_eq!(team.send(&team.cast.supervisor, &message).await.code, ErrorCode::NotAMember);
    });
}

#[test]
fn application_messages_are_checked_in_their_framing() {
    run(async {
        let mut team = Team::new().await;
        let good = team.hand.message(&mut team.room, &text());
        let us = &team.cast.primary;
        let (room, epoch) = (team.room.id, team.room.epoch());
        let with = |id: MessageId, message: Vec<u8>| SendMessage { id, message: message.into() };

        for bytes in [vec![], b"hello".to_vec(), vec![0xff; 300], good.message[..20].to_vec()] {
            assert_eq!(team.send(us, &with(good.id, bytes)).await.code, ErrorCode::BadMls);
        }
        let renamed = with(MessageId(random()), good.message.0.clone());
        assert_eq!(team.send(us, &renamed).await.code, ErrorCode::BadMls);
        let id = MessageId(random());
        let old = with(id, framed(room, epoch - 1, id, &[0; 250]));
        assert_eq!(team.send(us, &old).await.code, ErrorCode::StaleEpoch);
        let large = with(id, framed(room, epoch, id, &vec![0; MAX_MESSAGE]));
        assert_eq!(team.send(us, &large).await.code, ErrorCode::TooLarge);
        // A handshake dressed up as a message.
        let commit = team.hand.commit(&mut team.room, Change::default());
        team.hand.drop_commit(&mut team.room);
        assert_eq!(team.send(&team.cast.primary, &with(commit.id, commit.commit.0)).await.code, ErrorCode::BadMls);
        // The id of another message in another room.
        let _: Sent = team.cast.primary.post(format!("/v1/rooms/{room}/messages"), &good).await.unwrap();
        assert_eq!(team.send(&team.cast.backup, &good).await.code, ErrorCode::Conflict);
    });
}

#[test]
fn a_room_begins_as_documented_or_not_at_all() {
    run(async {
        let team = Team::new().await;
        let (cast, hand) = (&team.cast, &team.hand);
        let us = &cast.primary;
        let make = |context: &RoomContext, suite| {
            let mut room = hand.found(RoomId(random()), context, suite);
            hand.create(&mut room, vec![])
        };
        let refused = |by: &'static str, request: CreateRoom| async move {
            let device = if by == "us" { us } else { &cast.backup };
            cast.changes_nothing(device.post::<RoomView>("/v1/rooms", &request)).await.unwrap_err().code
        };
        let good = make(&context(cast), SUITE_CLASSIC);
        assert_eq!(refused("them", good.clone()).await, ErrorCode::Forbidden, "somebody else's leaf");
        assert_eq!(refused("us", CreateRoom { room: RoomId(random()), ..good.clone() }).await, ErrorCode::WrongGroup);
        assert_eq!(refused("us", CreateRoom { tree: vec![9; 40].into(), ..good.clone() }).await, ErrorCode::BadMls);
        assert_eq!(refused("us", CreateRoom { group_info: vec![].into(), ..good.clone() }).await, ErrorCode::BadMls);
        let foreign = RoomContext { org: cast.police.id, ..context(cast) };
        assert_eq!(refused("us", make(&foreign, SUITE_CLASSIC)).await, ErrorCode::Forbidden);
        let aimless = RoomContext { kind: RoomKind::Callout, ..context(cast) };
        assert_eq!(refused("us", make(&aimless, SUITE_CLASSIC)).await, ErrorCode::InvalidValue);
        let unknown = RoomContext { callout: Some(firstlight_protocol::CalloutId(random())), ..aimless };
        assert_eq!(refused("us", make(&unknown, SUITE_CLASSIC)).await, ErrorCode::NotFound);

        let _: RoomView = us.post("/v1/rooms", &good).await.unwrap();
        let _: RoomView = us.post("/v1/rooms", &good).await.expect("the same again");
        let other = CreateRoom { tree: good.group_info.clone(), ..good };
        assert_eq!(refused("us", other).await, ErrorCode::Conflict);
    });
}

#[test]
fn a_suite_that_the_operator_does_not_allow_is_refused() {
    run(async {
        let cast = Cast::with(|config| config.suites = vec![firstlight_server::config::Suite::Classic]).await;
        let hand = Hand::of(&cast.primary);
        let mut room = hand.found(RoomId(random()), &context(&cast), SUITE_HYBRID);
        let create = hand.create(&mut room, vec![]);
        let refused = cast.changes_nothing(cast.primary.post::<RoomView>("/v1/rooms", &create)).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::InvalidValue);
        let refused = key_package_share(&hand, &cast.primary, SUITE_HYBRID, 1).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::InvalidValue);
    });
}

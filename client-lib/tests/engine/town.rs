//! The people of the tests: a host organisation with advocates, and police as its partner.

use firstlight_client::testing::{Delivery, Enrolled, Org, Peer, now, settle};
use firstlight_protocol::{
    CalloutId, MessageId, OrgKind, Role, RoomId, RoomKind,
    mls::{RoomContext, SUITE_CLASSIC},
};

pub(crate) const ROOM: RoomId = RoomId([42; 16]);
/// Most stories don't depend on the suite; the hybrid one is slower.
pub(crate) const SUITE: u16 = SUITE_CLASSIC;

/// Everybody, and the delivery service between them.
pub(crate) struct Town {
    pub(crate) net: Delivery,
    pub(crate) host: Org,
    pub(crate) police: Org,
    people: u8,
    /// Suites that devices publish key packages for.
    suites: Vec<u16>,
}

impl Town {
    pub(crate) fn new() -> Self {
        Self::with(&[SUITE])
    }

    pub(crate) fn with(suites: &[u16]) -> Self {
        let (host, police) = (Org::new(OrgKind::VictimServices, 1), Org::new(OrgKind::LawEnforcement, 2));
        Self { net: Delivery::default(), host, police, people: 0, suites: suites.to_vec() }
    }

    /// A device of the host's, enrolled and with key packages.
    pub(crate) fn enrol(&mut self, role: Role) -> Peer {
        self.people += 1;
        let enrolled = self.host.device(role, self.people);
        self.peer(&enrolled)
    }

    /// A device of the police's.
    pub(crate) fn officer(&mut self) -> Peer {
        self.people += 1;
        let enrolled = self.police.device(Role::PoliceOfficer, self.people);
        self.peer(&enrolled)
    }

    /// A device of the host's that has not heard of any partner yet.
    pub(crate) fn enrol_without_partners(&mut self, role: Role) -> Peer {
        self.people += 1;
        let enrolled = self.host.device(role, self.people);
        Peer::enrol(&mut self.net, &enrolled, &self.host.anchors(), &self.suites)
    }

    /// Another device of the same person, of the host's.
    pub(crate) fn second_device(&mut self, of: &Peer) -> Peer {
        self.people += 1;
        let enrolled = self.host.second_device(of.host.engine().identity().unwrap(), self.people);
        self.peer(&enrolled)
    }

    fn peer(&mut self, enrolled: &Enrolled) -> Peer {
        let mut anchors = self.host.anchors();
        anchors.accept_partner(&self.host.states(&self.police), now()).unwrap();
        Peer::enrol(&mut self.net, enrolled, &anchors, &self.suites)
    }

    pub(crate) fn context(&self, kind: RoomKind) -> RoomContext {
        let callout = (kind == RoomKind::Callout).then_some(CalloutId([7; 16]));
        RoomContext { kind, org: self.host.id, callout }
    }

    /// Creates [`ROOM`] with these members and lets everybody join.
    pub(crate) fn room(&mut self, kind: RoomKind, suite: u16, creator: &mut Peer, members: &mut [&mut Peer]) {
        let context = self.context(kind);
        let claimed = {
            let members: Vec<&Peer> = members.iter().map(|m| &**m).collect();
            creator.claim(&mut self.net, suite, &members)
        };
        creator.wish(|e| e.create_room(ROOM, context.clone(), suite, &claimed, MessageId([200; 16]), now()));
        let mut everyone: Vec<&mut Peer> = vec![creator];
        everyone.extend(members.iter_mut().map(|m| &mut **m));
        settle(&mut self.net, &mut everyone);
    }
}

/// Everybody has the same members at the same epoch, and nothing waits to be sent.
pub(crate) fn agree(peers: &mut [&mut Peer]) {
    let view = |peer: &Peer| {
        let room = peer.host.engine().room(ROOM).unwrap();
        let mut members: Vec<_> = room.members.iter().map(|m| m.device).collect();
        members.sort();
        (room.epoch, room.cursor, members, peer.host.engine().safety(ROOM).unwrap().number)
    };
    let first = view(peers[0]);
    for peer in peers.iter() {
        assert_eq!(view(peer), first, "{} differs from {}", peer.device, peers[0].device);
        assert_eq!(peer.host.engine().pending(), [], "{} is not done", peer.device);
    }
}

//! An engine with storage in memory that carries its effects out at a [`Delivery`].

use super::{Delivery, Enrolled, now};
use crate::{
    engine::{Effect, Engine, EngineError, Event, Step},
    storage::{Host, HostError, Line, MemoryStorage},
};
use firstlight_protocol::{
    DeviceId, ErrorCode, MessageId, OrgId, Problem, RoomId,
    api::{ClaimedKeyPackage, KeyPackageCount},
    cert::{Anchors, PartnerStatement, RevocationList},
    mls::Content,
    signed::Signed,
};
use std::collections::{BTreeMap, VecDeque};
use zeroize::Zeroizing;

/// A client in memory.
#[derive(Debug)]
pub struct Peer {
    /// Its device.
    pub device: DeviceId,
    /// Its engine and storage.
    pub host: Host<MemoryStorage>,
    /// Effects that wait to be carried out.
    pub queue: VecDeque<Effect>,
    /// Everything that was shown.
    pub events: Vec<Event>,
    /// How often storage failed it.
    pub crashes: u32,
    /// Signed lists that it gets when it asks about an organisation.
    pub lists: BTreeMap<OrgId, Signed<RevocationList>>,
    /// Statements of the host that it gets when it asks about an organisation.
    pub statements: BTreeMap<OrgId, Signed<PartnerStatement>>,
}

impl Peer {
    /// Enrols a device and publishes its key packages for these suites.
    pub fn enrol(net: &mut Delivery, enrolled: &Enrolled, anchors: &Anchors, suites: &[u16]) -> Self {
        let mut peer = Self::unpublished(net, enrolled, anchors);
        peer.apply(|e| e.replenish(&KeyPackageCount { one_time: 0, last_resort: false }, suites, now())).unwrap();
        peer.work(net);
        peer
    }

    /// Enrols a device that publishes nothing yet.
    pub fn unpublished(net: &mut Delivery, enrolled: &Enrolled, anchors: &Anchors) -> Self {
        let mut peer = Self {
            device: enrolled.device,
            host: Host::open(MemoryStorage::new()).unwrap(),
            queue: VecDeque::new(),
            events: Vec::new(),
            crashes: 0,
            lists: BTreeMap::new(),
            statements: BTreeMap::new(),
        };
        peer.apply(|e| e.create_device(enrolled.device, Zeroizing::new(enrolled.seed))).unwrap();
        peer.apply(|e| e.enrol(enrolled.chain.clone(), anchors.clone(), now())).unwrap();
        net.register(enrolled.device, peer.host.engine().identity().unwrap().key);
        peer
    }

    /// Takes in what the host states about a partner.
    pub fn learn(&mut self, statement: &Signed<PartnerStatement>) {
        self.apply(|e| e.receive_statement(statement, now())).unwrap();
    }

    /// Runs one engine call.
    pub fn apply(&mut self, call: impl FnOnce(&mut Engine) -> Result<Step, EngineError>) -> Result<(), HostError> {
        let outcome = self.host.apply(call)?;
        self.queue.extend(outcome.effects);
        self.events.extend(outcome.events);
        Ok(())
    }

    /// Runs one engine call; when storage fails, does what a crashed program does: starts again from what is stored.
    pub fn survive(&mut self, call: impl FnOnce(&mut Engine) -> Result<Step, EngineError>) {
        match self.apply(call) {
            Ok(()) => {}
            Err(HostError::Storage(_)) => {
                self.crashes += 1;
                self.restart();
            }
            Err(HostError::Engine(e)) => panic!("{}: {e}", self.device),
        }
    }

    /// Starts again from what is stored.
    pub fn restart(&mut self) {
        let storage = self.host.storage_mut().clone();
        self.host = Host::open(storage).unwrap();
        self.queue = self.host.engine().outbox().into();
    }

    /// A person's wish, repeated until it is stored.
    pub fn wish(&mut self, call: impl Fn(&mut Engine) -> Result<Step, EngineError>) {
        let crashes = self.crashes;
        self.survive(&call);
        if self.crashes != crashes {
            self.survive(&call);
        }
    }

    /// Sends a text.
    pub fn text(&mut self, room: RoomId, id: u8, text: &str) {
        let content = Content::Text { text: text.into(), reply_to: None };
        self.wish(|e| e.send(room, content.clone(), MessageId([id; 16]), now()));
    }

    /// Claims key packages.
    pub fn claim(&self, net: &mut Delivery, suite: u16, peers: &[&Peer]) -> Vec<ClaimedKeyPackage> {
        net.claim(suite, &peers.iter().map(|p| p.device).collect::<Vec<_>>())
    }

    /// Carries out what waits.
    pub fn work(&mut self, net: &mut Delivery) {
        while let Some(effect) = self.queue.pop_front() {
            self.carry_out(net, effect);
        }
    }

    fn carry_out(&mut self, net: &mut Delivery, effect: Effect) {
        match effect {
            Effect::PublishKeyPackages(packages) => {
                net.publish(self.device, &packages);
                self.survive(|e| e.key_packages_published(&packages));
            }
            Effect::CreateRoom { id, room } => match net.create(self.device, &room) {
                Ok(()) => self.survive(|e| e.room_created(room.room, now())),
                Err(problem) => self.survive(|e| e.refused(room.room, id, &problem, now())),
            },
            Effect::PublishCommit { room, bundle } => match net.commit(self.device, room, &bundle) {
                Ok(answer) => self.survive(|e| e.published_commit(room, bundle.id, &answer)),
                Err(problem) => self.survive(|e| e.refused(room, bundle.id, &problem, now())),
            },
            Effect::PublishMessage { room, message } => match net.message(self.device, room, &message) {
                Ok(answer) => self.survive(|e| e.published_message(room, message.id, &answer)),
                Err(problem) => self.survive(|e| e.refused(room, message.id, &problem, now())),
            },
            Effect::FetchLog(cursor) | Effect::Subscribe(cursor) => {
                let entries = net.log(cursor.room, cursor.seq);
                self.survive(|e| e.receive_entries(&entries, now()));
            }
            Effect::FetchWelcome { room, epoch } => match net.welcome(room, epoch) {
                Some(welcome) => self.survive(|e| e.receive_welcome(&welcome, now())),
                None => self.survive(|e| e.welcome_unavailable(room, epoch)),
            },
            Effect::FetchGroupState { room } => match net.group_state(self.device, room) {
                Some(state) => {
                    let id = MessageId(crate::storage::seal::random().unwrap());
                    self.survive(|e| e.rejoin(room, &state, id, now()));
                }
                None => self.survive(|e| e.lost_room(room)),
            },
            Effect::FetchOrganisation { org } => {
                if let Some(statement) = self.statements.get(&org).cloned() {
                    self.survive(|e| e.receive_statement(&statement, now()));
                }
                if let Some(list) = self.lists.get(&org).cloned() {
                    self.survive(|e| e.receive_revocations(&list, now()));
                }
                self.survive(|e| e.organisation_known(org));
            }
            Effect::Ack(_) => {}
        }
    }

    /// Reads the inbox and all logs once. Says whether there was anything new.
    pub fn poll(&mut self, net: &mut Delivery) -> bool {
        let items = net.inbox(self.device, self.host.engine().inbox_cursor());
        let (mut news, crashes) = (!items.is_empty(), self.crashes);
        self.survive(|e| e.receive_inbox(&items, now()));
        self.work(net);
        for cursor in self.host.engine().cursors() {
            let entries = net.log(cursor.room, cursor.seq);
            self.survive(|e| e.receive_entries(&entries, now()));
            self.work(net);
            // A room that is out of sync leaves its entries where they are.
            news |= !self.host.engine().cursors().contains(&cursor);
        }
        news || self.crashes != crashes
    }

    /// A room's lines.
    pub fn lines(&mut self, room: RoomId) -> Vec<Line> {
        self.host.lines(room, 0, usize::MAX).unwrap()
    }

    /// The texts of a room, in order.
    pub fn texts(&mut self, room: RoomId) -> Vec<String> {
        use crate::storage::LineBody::Message;
        let lines = self.lines(room).into_iter();
        lines
            .filter_map(|line| match line.body {
                Message(Content::Text { text, .. }) => Some(text),
                _ => None,
            })
            .collect()
    }

    /// The problem of a failed intent.
    pub fn failure(&self) -> Option<Problem> {
        self.host.engine().pending().into_iter().find_map(|p| p.failed)
    }

    /// The code of a failed intent.
    pub fn failure_code(&self) -> Option<ErrorCode> {
        self.failure().map(|p| p.code)
    }
}

/// Lets everybody work and read until nothing is new.
pub fn settle(net: &mut Delivery, peers: &mut [&mut Peer]) {
    for _ in 0..100 {
        let mut news = false;
        for peer in peers.iter_mut() {
            news |= !peer.queue.is_empty();
            peer.work(net);
            news |= peer.poll(net);
        }
        if !news {
            return;
        }
    }
    panic!("the peers never come to rest");
}

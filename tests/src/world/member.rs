//! A device with the client's engine: what the app does, driven step by step over the real API.

use super::{Device, random};
use firstlight_client::{
    engine::{Effect, Engine, EngineError, Event, RoomSummary, Step},
    storage::{Host, HostError, LineBody, MemoryStorage, Outcome},
};
use firstlight_protocol::{
    DeviceId, MessageId, Problem, RoomId, Timestamp,
    api::{
        Committed, GroupState, InboxPage, KeyPackageCount, LogPage, OrgView, RoomView, SendMessage, Sent, Team,
        WelcomeBundle,
    },
    callout::CalloutView,
    cert::Anchors,
    mls::{CalloutDetails, Content, RoomContext},
};
use std::{collections::VecDeque, sync::Mutex};
use zeroize::Zeroizing;

/// A device, its engine, and its storage in memory.
#[derive(Debug)]
pub struct Member {
    /// The device.
    pub device: Device,
    suite: u16,
    host: Mutex<Host<MemoryStorage>>,
}

impl Member {
    /// Sets the engine up and publishes key packages.
    pub async fn new(device: Device, anchors: Anchors, suite: u16, now: Timestamp) -> Self {
        let host = Host::open(MemoryStorage::new()).expect("an engine");
        let member = Self { device, suite, host: Mutex::new(host) };
        let seed = Zeroizing::new(member.device.key.to_bytes());
        let chain = member.device.chain.clone();
        member.apply(|engine| engine.create_device(member.device.id, seed)).expect("a device");
        member.apply(|engine| engine.enrol(chain, anchors, now)).expect("enrolment");
        member.replenish(now).await;
        member
    }

    /// Publishes key packages where the server has few.
    pub async fn replenish(&self, now: Timestamp) {
        let have: KeyPackageCount = self.device.get("/v1/key-packages").await.expect("a count");
        let outcome = self.apply(|engine| engine.replenish(&have, &[self.suite], now)).expect("key packages");
        self.drive(outcome, now).await;
    }

    /// Runs one engine call and stores its step.
    pub fn apply(&self, call: impl FnOnce(&mut Engine) -> Result<Step, EngineError>) -> Result<Outcome, HostError> {
        self.host.lock().expect("the engine's lock").apply(call)
    }

    fn ask<T>(&self, question: impl FnOnce(&Engine) -> T) -> T {
        question(self.host.lock().expect("the engine's lock").engine())
    }

    /// A room as this device knows it.
    pub fn room(&self, room: RoomId) -> Option<RoomSummary> {
        self.ask(|engine| engine.room(room))
    }

    /// Carries out what a step asks for, and what that leads to, until nothing is left.
    pub async fn drive(&self, outcome: Outcome, now: Timestamp) -> Vec<Event> {
        let (mut effects, mut events) = (VecDeque::from(outcome.effects), outcome.events);
        while let Some(effect) = effects.pop_front() {
            let next = self.carry_out(effect, now).await.expect("the engine takes what the server answers");
            effects.extend(next.effects);
            events.extend(next.events);
        }
        events
    }

    async fn carry_out(&self, effect: Effect, now: Timestamp) -> Result<Outcome, HostError> {
        let device = &self.device;
        let refused = |room, id, problem: Problem| self.apply(|engine| engine.refused(room, id, &problem, now));
        match effect {
            Effect::PublishKeyPackages(body) => {
                device.post::<KeyPackageCount>("/v1/key-packages", &body).await.expect("publishing");
                self.apply(|engine| engine.key_packages_published(&body))
            }
            Effect::CreateRoom { id, room } => match device.post::<RoomView>("/v1/rooms", &room).await {
                Ok(_) => self.apply(|engine| engine.room_created(room.room, now)),
                Err(problem) => refused(room.room, id, problem),
            },
            Effect::PublishCommit { room, bundle } => {
                match device.post::<Committed>(format!("/v1/rooms/{room}/commits"), &bundle).await {
                    Ok(answer) => self.apply(|engine| engine.published_commit(room, bundle.id, &answer)),
                    Err(problem) => refused(room, bundle.id, problem),
                }
            }
            Effect::PublishMessage { room, message } => match self.post_message(room, &message).await {
                Ok(answer) => self.apply(|engine| engine.published_message(room, message.id, &answer)),
                Err(problem) => refused(room, message.id, problem),
            },
            Effect::FetchLog(cursor) => match device.log(cursor.room, cursor.seq).await {
                Ok(page) => self.receive(cursor.room, cursor.seq, &page, now),
                Err(problem) => panic!("reading a log was refused: {problem}"),
            },
            Effect::FetchWelcome { room, epoch } => {
                match device.get::<WelcomeBundle>(format!("/v1/rooms/{room}/welcomes/{epoch}")).await {
                    Ok(welcome) => self.apply(|engine| engine.receive_welcome(&welcome, now)),
                    Err(_) => self.apply(|engine| engine.welcome_unavailable(room, epoch)),
                }
            }
            Effect::FetchGroupState { room } => {
                match device.get::<GroupState>(format!("/v1/rooms/{room}/group-info")).await {
                    Ok(state) => self.apply(|engine| engine.rejoin(room, &state, MessageId(random()), now)),
                    Err(_) => self.apply(|engine| engine.lost_room(room)),
                }
            }
            Effect::FetchOrganisation { org } => {
                let views: Vec<OrgView> = device.get("/v1/organisations").await.expect("organisations");
                let Some(view) = views.into_iter().find(|v| v.org == org) else { return Ok(Outcome::default()) };
                let mut all = self.believe(&view, now)?;
                add(&mut all, self.apply(|engine| engine.organisation_known(org))?);
                Ok(all)
            }
            // Acknowledged places would be deleted from the inbox, which the tests count; and there is no socket here.
            Effect::Ack(_) | Effect::Subscribe(_) => Ok(Outcome::default()),
        }
    }

    /// Sends a message over HTTP.
    pub async fn post_message(&self, room: RoomId, message: &SendMessage) -> Result<Sent, Problem> {
        self.device.post(format!("/v1/rooms/{room}/messages"), message).await
    }

    fn receive(&self, room: RoomId, after: u64, page: &LogPage, now: Timestamp) -> Result<Outcome, HostError> {
        if page.first > after + 1 && page.head > after {
            return self.apply(|engine| engine.log_expired(room, page.first));
        }
        self.apply(|engine| engine.receive_entries(&page.entries, now))
    }

    /// Takes in everything that waits: trust, inbox, logs.
    pub async fn sync(&self, now: Timestamp) -> Vec<Event> {
        let mut events = Vec::new();
        let views: Vec<OrgView> = self.device.get("/v1/organisations").await.expect("organisations");
        for view in views {
            let outcome = self.believe(&view, now).expect("what organisations state");
            events.extend(self.drive(outcome, now).await);
        }
        loop {
            let after = self.ask(Engine::inbox_cursor);
            let page: InboxPage = self.device.get(format!("/v1/inbox?after={after}")).await.expect("an inbox");
            if page.items.is_empty() {
                break;
            }
            let outcome = self.apply(|engine| engine.receive_inbox(&page.items, now)).expect("inbox items");
            events.extend(self.drive(outcome, now).await);
        }
        let rooms: Vec<RoomView> = self.device.get("/v1/rooms").await.expect("rooms");
        for room in rooms {
            while let Some(known) = self.room(room.room).filter(|known| known.cursor < room.head) {
                let page = self.device.log(room.room, known.cursor).await.expect("a log");
                let outcome = self.receive(room.room, known.cursor, &page, now).expect("log entries");
                events.extend(self.drive(outcome, now).await);
                if self.room(room.room).is_none_or(|next| next.cursor == known.cursor) {
                    break;
                }
            }
        }
        let waiting = self.ask(Engine::outbox);
        events.extend(self.drive(Outcome { effects: waiting, events: Vec::new() }, now).await);
        events
    }

    fn believe(&self, view: &OrgView, now: Timestamp) -> Result<Outcome, HostError> {
        let mut all = Outcome::default();
        if let Some(statement) = &view.statement {
            add(&mut all, self.apply(|engine| engine.receive_statement(statement, now))?);
        }
        if let Some(revocations) = &view.revocations {
            add(&mut all, self.apply(|engine| engine.receive_revocations(revocations, now))?);
        }
        Ok(all)
    }

    /// Creates a room with the devices of other members.
    pub async fn create_room(
        &self,
        context: RoomContext,
        others: Vec<DeviceId>,
        now: Timestamp,
    ) -> Result<RoomId, HostError> {
        let room = RoomId(random());
        let mut claimed = self.device.claim(self.suite, others).await.expect("key packages");
        // Whoever has none is left out: a room must not wait for a device that was never connected.
        claimed.retain(|claimed| claimed.key_package.is_some());
        let id = MessageId(random());
        let outcome = self.apply(|engine| engine.create_room(room, context, self.suite, &claimed, id, now))?;
        self.drive(outcome, now).await;
        Ok(room)
    }

    /// What an officer's client does after the page is out: the callout's room with everyone whom the policy may page,
    /// and the encrypted details as its first message.
    pub async fn callout_room(
        &self,
        callout: &CalloutView,
        org: firstlight_protocol::OrgId,
        details: CalloutDetails,
        now: Timestamp,
    ) -> RoomId {
        let team: Team = self.device.get(format!("/v1/callouts/{}/team", callout.id)).await.expect("a team");
        let devices = team.people.iter().flat_map(|p| &p.devices).map(|d| d.device).collect();
        let context = RoomContext { kind: firstlight_protocol::RoomKind::Callout, org, callout: Some(callout.id) };
        let room = self.create_room(context, devices, now).await.expect("a room");
        self.send(room, Content::Details(details), now).await;
        room
    }

    /// Sends content.
    pub async fn send(&self, room: RoomId, content: Content, now: Timestamp) -> Vec<Event> {
        let id = MessageId(random());
        let outcome = self.apply(|engine| engine.send(room, content, id, now)).expect("sending");
        self.drive(outcome, now).await
    }

    /// Sends text.
    pub async fn say(&self, room: RoomId, text: &str, now: Timestamp) -> Vec<Event> {
        self.send(room, Content::Text { text: text.into(), reply_to: None }, now).await
    }

    /// The messages of a room that this device can read, in order.
    pub fn read(&self, room: RoomId) -> Vec<Content> {
        let lines = self.host.lock().expect("the engine's lock").lines(room, 0, usize::MAX).expect("lines");
        let content = |body| match body {
            LineBody::Message(content) => Some(content),
            _ => None,
        };
        lines.into_iter().filter_map(|line| content(line.body)).collect()
    }

    /// The texts among them.
    pub fn texts(&self, room: RoomId) -> Vec<String> {
        let text = |content| match content {
            Content::Text { text, .. } => Some(text),
            _ => None,
        };
        self.read(room).into_iter().filter_map(text).collect()
    }
}

fn add(all: &mut Outcome, more: Outcome) {
    all.effects.extend(more.effects);
    all.events.extend(more.events);
}

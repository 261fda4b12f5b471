//! What goes on while the server dies: callouts one after another, and a conversation that never stops.

use super::{Device, Ledger, Seen};
use crate::process::{Result, at_once, fail};
use firstlight_client::session::random;
use firstlight_protocol::{
    CalloutId, MessageId, PersonId, RoomId, RoomKind,
    api::Notice,
    callout::{Action, AgeBand, CalloutState, Event, Preference, Purpose, ResponderState, Routing, Support},
    mls::{CalloutDetails, Content},
};
use std::{
    collections::{BTreeSet, HashSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::watch;

/// The zone whose callouts the primary takes.
pub const PRIMARYS: &str = "north";
/// The zone for whose callouts the primary stays silent: the backup is called, and takes them.
pub const BACKUPS: &str = "south";
/// Messages that officer and responder each send about one callout.
const MESSAGES: u32 = 3;

/// Shared by all actors.
#[derive(Debug, Clone, Default)]
pub struct Story {
    /// What was acknowledged.
    pub ledger: Ledger,
    /// Officer and talkers finish what they have begun, and begin nothing more.
    stop: Arc<AtomicBool>,
    /// No more callouts come.
    over: Arc<watch::Sender<bool>>,
}

/// What one actor wrote into one room, in order.
pub type Written = Vec<(RoomId, Vec<String>)>;

impl Story {
    /// Everybody finishes what they have begun.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    fn end(&self) {
        self.over.send_replace(true);
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    async fn say(&self, device: &Device, room: RoomId, text: &str) -> Result<()> {
        let id = MessageId(random()?);
        device.send(room, Content::Text { text: text.to_owned(), reply_to: None }, id).await?;
        self.ledger.sent(room, id);
        Ok(())
    }

    /// Opens one callout after another. Each is done when the responder has closed it.
    ///
    /// # Errors
    /// If anything doesn't come to pass.
    pub async fn officer(self, device: Device) -> Result<Written> {
        let mut written = Written::new();
        let mut number = 0_u32;
        while !self.stopped() {
            number += 1;
            let zone = if number.is_multiple_of(2) { PRIMARYS } else { BACKUPS };
            let routing = routing(zone)?;
            let details = CalloutDetails { notes: format!("details {number}"), ..CalloutDetails::default() };
            let (view, opening) = device
                .insist("open a callout", || {
                    device.session.open_callout(routing.clone(), Purpose::Real, details.clone())
                })
                .await?;
            let callout = view.id;
            self.ledger.happened(callout, Event::Opened);
            let session = &device.session;
            device
                .insist("build the room", || async {
                    // The connection builds it too, when it comes back: whoever is first.
                    match session.unbuilt(callout).await? {
                        Some(opening) => session.build_callout_room(&opening).await.map(drop),
                        None => Ok(()),
                    }
                })
                .await
                .map_err(|e| e.while_doing(format!("callout {number}")))?;
            let room = opening.room;
            self.ledger.sent(room, opening.message);
            self.ledger.happened(callout, Event::RoomLinked);
            let mut texts = vec![format!("details {number}")];
            until(&device, callout, CalloutState::Accepted).await?;
            for n in 1..=MESSAGES {
                let text = format!("officer {number}.{n}");
                self.say(&device, room, &text).await?;
                texts.push(text);
            }
            until(&device, callout, CalloutState::Closed).await?;
            written.push((room, texts));
        }
        self.end();
        Ok(written)
    }

    /// Answers the pages that are this responder's to answer: the whole way to closing.
    ///
    /// # Errors
    /// If anything doesn't come to pass.
    pub async fn responder(self, device: Device, mine: &'static str, word: &'static str) -> Result<Written> {
        let mut written = Written::new();
        let mut answered = BTreeSet::new();
        loop {
            let Some(callout) = self.next_page(&device, &answered).await else { return Ok(written) };
            answered.insert(callout);
            let api = device.session.api();
            let view = device.insist("see the callout", || async { Ok(api.callout(callout).await?) }).await?;
            let stood_down = view.your_state == Some(ResponderState::StoodDown);
            if stood_down || view.routing.as_ref().is_none_or(|routing| routing.zone.as_str() != mine) {
                continue;
            }
            written.push(self.respond(&device, callout, word).await?);
        }
    }

    /// The next callout that this device was paged for; `None` when the story is over.
    async fn next_page(&self, device: &Device, answered: &BTreeSet<CalloutId>) -> Option<CalloutId> {
        let mut over = self.over.subscribe();
        let new = |seen: &Seen| match seen {
            Seen::Notice(Notice::Page { callout, .. }) if !answered.contains(callout) => Some(*callout),
            _ => None,
        };
        tokio::select! {
            callout = device.first(new) => Some(callout),
            _ = over.wait_for(|over| *over) => None,
        }
    }

    async fn respond(&self, device: &Device, callout: CalloutId, word: &str) -> Result<(RoomId, Vec<String>)> {
        self.act(device, callout, Action::Acknowledge, Event::Acknowledged).await?;
        self.act(device, callout, Action::Accept { eta_minutes: 35 }, Event::Accepted).await?;
        let room = device
            .when("the callout's room", |device| {
                let summary = at_once(device.session.state().read(|engine| engine.callout_room(callout)))?;
                Ok(summary.map(|summary| summary.room))
            })
            .await?;
        device.when("the details", |device| Ok(device.texts(room)?.into_iter().next())).await?;
        let mut texts = Vec::new();
        let further = [
            (Action::EnRoute, Event::EnRoute),
            (Action::Arrived, Event::Arrived),
            (Action::WithYoungPerson, Event::WithYoungPerson),
        ];
        for (n, (action, event)) in further.into_iter().enumerate() {
            let text = format!("{word} {}.{}", callout.short(), n + 1);
            self.say(device, room, &text).await?;
            texts.push(text);
            self.act(device, callout, action, event).await?;
        }
        // The officer has said everything: then nothing of it is on its way when the callout ends.
        device
            .when("the officer's messages", |device| {
                let heard = device.texts(room)?.iter().filter(|text| text.starts_with("officer")).count();
                Ok((heard == MESSAGES as usize).then_some(()))
            })
            .await?;
        self.act(device, callout, Action::HandOver, Event::HandedOver).await?;
        let close = Action::Close { reasons: Vec::new(), support: Support::Accepted, kits_given: 1 };
        self.act(device, callout, close, Event::Closed).await?;
        Ok((room, texts))
    }

    async fn act(&self, device: &Device, callout: CalloutId, action: Action, event: Event) -> Result<()> {
        device
            .insist(event.as_str(), || device.session.act(callout, action.clone()))
            .await
            .map_err(|e| e.while_doing(format!("callout {callout}")))?;
        self.ledger.happened(callout, event);
        Ok(())
    }

    /// Three people in a room, each answering the one before, without end.
    ///
    /// # Errors
    /// If a message is never sent, or never comes.
    pub async fn talker(self, device: Device, room: RoomId, place: usize, talkers: usize) -> Result<Written> {
        let mut texts = Vec::new();
        for round in 0.. {
            let turn = round * talkers + place;
            if turn > 0 {
                let before = format!("talk {}", turn - 1);
                device
                    .when(&before, |device| Ok(device.newest_texts(room, talkers * 2)?.contains(&before).then_some(())))
                    .await?;
            }
            let last = self.stopped();
            let text = format!("talk {turn}");
            self.say(&device, room, &text).await?;
            texts.push(text);
            if last {
                break;
            }
        }
        Ok(vec![(room, texts)])
    }
}

/// Creates the room of the conversation, with everybody in it.
///
/// # Errors
/// If it can't be made.
pub async fn team_room(first: &Device, others: &[PersonId]) -> Result<RoomId> {
    Ok(first.session.create_room(RoomKind::Advocate, "Team", others).await?.room)
}

async fn until(device: &Device, callout: CalloutId, state: CalloutState) -> Result<()> {
    device
        .wait_for(&format!("callout {callout} to be {state}"), |seen| match seen {
            Seen::Notice(Notice::Callout { view }) if view.id == callout => {
                (view.state >= state && view.state != CalloutState::Unanswered).then_some(())
            }
            _ => None,
        })
        .await
}

/// One young person, one responder wanted, in this zone.
///
/// # Errors
/// If that is no zone's name.
pub fn routing(zone: &str) -> Result<Routing> {
    Ok(Routing {
        call_back: "555-0101".parse()?,
        zone: zone.parse()?,
        site: None,
        first_contact_at: firstlight_client::session::now(),
        young_people: 1,
        age_band: AgeBand::Early,
        languages: Vec::new(),
        preference: Preference::Any,
        scene_safe: true,
        emergency_needed: false,
        wanted: 1,
        training: Vec::new(),
    })
}

/// Everything that was written into a room arrived at a reader, once, in the writer's order.
///
/// # Errors
/// If it did not.
pub fn arrived(reader: &Device, room: RoomId, texts: &[String]) -> Result<()> {
    let heard = reader.texts(room)?;
    let written: HashSet<&String> = texts.iter().collect();
    let of_them: Vec<&String> = heard.iter().filter(|text| written.contains(text)).collect();
    if of_them.len() == texts.len() && of_them.iter().zip(texts).all(|(heard, written)| *heard == written) {
        return Ok(());
    }
    Err(fail(format!("{} heard in {room}: {of_them:?}; written was: {texts:?}", reader.who)))
}

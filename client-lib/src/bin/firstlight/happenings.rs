//! Events and log lines, for people and as one JSON object each.

use super::{
    callout::summarise,
    files,
    output::{Page, When, clean},
    words,
};
use firstlight_client::{
    engine::Event,
    session::{Happening, Session},
    storage::{Line, LineBody, Unreadable},
};
use firstlight_protocol::{
    api::{InboxItem, Notice, ReadinessLevel},
    attachment::safe_name,
    cert::DeviceIdentity,
    mls::{CalloutDetails, Content},
};
use serde_json::{Value, json};

/// How much somebody has to look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// By the way.
    Quiet,
    /// News.
    Plain,
    /// Somebody has to act.
    Loud,
}

/// One thing that happened, in both forms.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    /// The word for what it is: `page`, `message`, `callout`, ...
    pub(crate) event: &'static str,
    /// Further words by which a script may wait for it: a callout's states.
    pub(crate) also: Vec<String>,
    /// For programs; an object.
    pub(crate) json: Value,
    /// For people; empty where there is nothing to say.
    pub(crate) text: String,
    /// How loud.
    pub(crate) weight: Weight,
}

impl Told {
    fn new(event: &'static str, mut json: Value, text: impl Into<String>, weight: Weight) -> Self {
        json["event"] = json!(event);
        Self { event, also: Vec::new(), json, text: text.into(), weight }
    }

    /// Whether a script that waits for `word` has what it waits for.
    pub(crate) fn is(&self, word: &str) -> bool {
        self.event == word || self.also.iter().any(|also| also == word)
    }
}

/// What a watching device saw. `None`: said elsewhere already.
pub(crate) async fn happening(session: &Session, when: &When, happening: &Happening) -> Option<Told> {
    Some(match happening {
        Happening::Connected { server_now } => {
            Told::new("connected", json!({ "at": when.now, "server_now": server_now }), "connected", Weight::Quiet)
        }
        Happening::Disconnected { reason, retry_in } => {
            let text = format!("NOT CONNECTED: {} Trying again by itself.", clean(reason));
            let json = json!({ "at": when.now, "reason": reason, "retry_in_ms": retry_in.as_millis() as u64 });
            Told::new("disconnected", json, text, Weight::Loud)
        }
        Happening::Event(event) => return self::event(session, when, event).await,
        Happening::Trouble { error } => {
            Told::new("trouble", json!({ "at": when.now, "problem": error.problem() }), error.to_string(), Weight::Loud)
        }
        Happening::RoomBuilt { callout, room, people } => {
            let json = json!({ "at": when.now, "callout": callout, "room": room, "people": people });
            let text = format!("callout {}: room built, details sent to {people} people", callout.short());
            Told::new("room_built", json, text, Weight::Plain)
        }
    })
}

/// What the engine saw. Log lines are read from the store.
pub(crate) async fn event(session: &Session, when: &When, event: &Event) -> Option<Told> {
    let at = when.now;
    Some(match event {
        Event::Line { room, seq } => {
            let line = session
                .state()
                .lines(*room, seq.saturating_sub(1), 1)
                .await
                .ok()?
                .pop()
                .filter(|line| line.seq == *seq)?;
            self::line(session, &line).await
        }
        // The same change stands in the log as a line.
        Event::MembersChanged { .. } => return None,
        Event::Sent { room, id, seq } => {
            Told::new("sent", json!({ "at": at, "room": room, "id": id, "seq": seq }), "", Weight::Quiet)
        }
        Event::Failed { room, id, problem } => {
            let text = format!("NOT SENT in {}: {problem}", room_name(session, *room).await);
            Told::new("failed", json!({ "at": at, "room": room, "id": id, "problem": problem }), text, Weight::Loud)
        }
        Event::Joined { room, context } => {
            let text = format!("joined {}: {}", room_name(session, *room).await, context.kind.who_can_read());
            let json = json!({ "at": at, "room": room, "kind": context.kind, "callout": context.callout });
            Told::new("joined", json, text, Weight::Plain)
        }
        Event::Left { room } => {
            let text = format!("no longer a member of {}", room_name(session, *room).await);
            Told::new("left", json!({ "at": at, "room": room }), text, Weight::Plain)
        }
        Event::WelcomeFailed { room, reason } => {
            let text = format!("could not join room {}: {reason}", room.short());
            Told::new("welcome_failed", json!({ "at": at, "room": room, "reason": reason }), text, Weight::Loud)
        }
        Event::OutOfSync { room, reason } => {
            let text = format!("{} is out of sync: {reason}; rejoining", room_name(session, *room).await);
            Told::new("out_of_sync", json!({ "at": at, "room": room, "reason": reason }), text, Weight::Loud)
        }
        Event::BackInSync { room } => {
            let text = format!("{} is back in sync", room_name(session, *room).await);
            Told::new("back_in_sync", json!({ "at": at, "room": room }), text, Weight::Plain)
        }
        Event::Revoked { org, devices } => {
            let text = format!("{} devices of an organisation are revoked", devices.len());
            Told::new("revoked", json!({ "at": at, "org": org, "devices": devices }), text, Weight::Plain)
        }
        Event::Notice(item) => notice(item),
    })
}

fn notice(item: &InboxItem) -> Told {
    let at = item.at;
    match &item.notice {
        Notice::Page { page, callout, attempt, purpose } => {
            let again = if *attempt > 1 { format!(" (call {attempt})") } else { String::new() };
            let short = callout.short();
            let what = words::purpose(*purpose);
            let text = format!(
                "{what}DUTY: RESPOND{again}. callout {short}: firstlight callout ack {short} / accept {short} --eta MINUTES / decline {short}"
            );
            Told::new(
                "page",
                json!({ "at": at, "page": page, "callout": callout, "attempt": attempt, "purpose": purpose }),
                text,
                Weight::Loud,
            )
        }
        Notice::StandDown { callout } => {
            let text = format!("callout {}: you are stood down, nothing more to do", callout.short());
            Told::new("stand_down", json!({ "at": at, "callout": callout }), text, Weight::Plain)
        }
        Notice::Callout { view } => {
            let mut told = Told::new("callout", json!({ "at": at, "view": view }), summarise(view), Weight::Plain);
            told.also.push(view.state.to_string());
            told
        }
        Notice::Alarm { callout, alarm } => {
            let text = format!("callout {}: {}", callout.short(), words::alarm(*alarm, |person| person.short()));
            Told::new("alarm", json!({ "at": at, "callout": callout, "alarm": alarm }), text, Weight::Loud)
        }
        Notice::Attention { about } => {
            let text = words::attention(*about, |person| person.short());
            Told::new("attention", json!({ "at": at, "about": about }), text, Weight::Loud)
        }
        Notice::Test { check, attempt } => {
            let text = "DUTY: TEST. Confirm that it reached you: firstlight readiness confirm";
            Told::new("test", json!({ "at": at, "check": check, "attempt": attempt }), text, Weight::Loud)
        }
        Notice::Readiness { person, level } => {
            let who = person.short();
            let (text, weight) = match level {
                ReadinessLevel::Red => {
                    (format!("{who} may not be reached by a page: \"firstlight readiness\""), Weight::Loud)
                }
                _ => (format!("{who} is no longer red on the readiness board"), Weight::Plain),
            };
            Told::new("readiness", json!({ "at": at, "person": person, "level": level }), text, weight)
        }
        Notice::AgencyNotice { page, view } => {
            let text = words::agency_notice(view);
            let weight = if page.is_some() { Weight::Loud } else { Weight::Plain };
            Told::new("agency_notice", json!({ "at": at, "page": page, "view": view }), text, weight)
        }
        Notice::HandOff { tier, zone, on, until, with } => {
            let zone_said = zone.as_ref().map(|zone| format!(" for {zone}")).unwrap_or_default();
            let text = match on {
                true => format!("you are ON DUTY from now: {}{zone_said}", words::tier(*tier)),
                false => format!("you are off duty: {}{zone_said}", words::tier(*tier)),
            };
            let json = json!({ "at": at, "tier": tier, "zone": zone, "on": on, "until": until, "with": with });
            Told::new("hand_off", json, text, Weight::Plain)
        }
        Notice::RequestPending {} => {
            let text = "a request waits: \"firstlight devices pending\", \"firstlight org partners\"";
            Told::new("request_pending", json!({ "at": at }), text, Weight::Plain)
        }
        // Carried out by the engine; what comes of them is told when it happens.
        Notice::Welcome { room, .. } | Notice::RoomLeft { room, .. } | Notice::RemoveFromRoom { room, .. } => {
            Told::new("room_notice", json!({ "at": at, "room": room }), "", Weight::Quiet)
        }
        Notice::Revoked { org, devices } => {
            Told::new("revoked", json!({ "at": at, "org": org, "devices": devices }), "", Weight::Quiet)
        }
        Notice::Expired {} => Told::new("expired", json!({ "at": at }), "", Weight::Quiet),
    }
}

/// One line of a room's log.
pub(crate) async fn line(session: &Session, line: &Line) -> Told {
    let room = room_name(session, line.room).await;
    let mut told = match &line.body {
        LineBody::Message(Content::Attachment(file)) => {
            let json = json!({ "content": { "attachment": {
                "attachment": file.attachment, "name": safe_name(&file.name), "size": file.size,
                "media_type": clean(&file.media_type),
            } } });
            Told::new("message", json, files::said(file, line.room, line.id), Weight::Plain)
        }
        LineBody::Message(content) => Told::new("message", json!({ "content": content }), said(content), Weight::Plain),
        LineBody::Unreadable(why) => Told::new("unreadable", json!({ "why": why }), unreadable(*why), Weight::Plain),
        LineBody::Members { added, removed } => {
            let text = [("added", added), ("removed", removed)]
                .iter()
                .filter(|(_, who)| !who.is_empty())
                .map(|(what, who)| format!("{what} {}", names(who)))
                .collect::<Vec<_>>()
                .join("; ");
            let json = json!({ "added": people(added), "removed": people(removed) });
            Told::new("members", json, text, Weight::Plain)
        }
        LineBody::Joined { context, members } => {
            let json = json!({ "context": context, "members": people(members) });
            Told::new("room_joined", json, format!("you are in, with {}", names(members)), Weight::Plain)
        }
        LineBody::Gap { after, reason } => {
            let text = "you rejoined here; what was between can't be read on this device";
            Told::new("gap", json!({ "after": after, "reason": reason }), text, Weight::Plain)
        }
    };
    for (name, value) in [
        ("room", json!(line.room)),
        ("seq", json!(line.seq)),
        ("at", json!(line.at)),
        ("id", json!(line.id)),
        ("own", json!(line.own)),
        ("sender", line.sender.as_ref().map_or(Value::Null, person)),
    ] {
        told.json[name] = value;
    }
    let who = line.sender.as_ref().map_or("somebody", |sender| sender.work_name.as_str());
    told.text = format!("{} · {}: {}", clean(&room), clean(who), told.text);
    told
}

fn said(content: &Content) -> String {
    match content {
        Content::Text { text, .. } => clean(text),
        Content::Details(details) => {
            let lines: Vec<String> =
                detail_rows(details).into_iter().map(|(label, value)| format!("{label}: {}", clean(value))).collect();
            format!("details\n{}", lines.join("\n"))
        }
        Content::Attachment(file) => format!("file \"{}\"", safe_name(&file.name)),
        Content::Profile { name } => format!("named the room \"{}\"", clean(name)),
        Content::AskToAdmit { org_kind } => {
            let kind = org_kind.plain();
            format!(
                "asks to let {kind} in: {kind} will be able to read this room from then on. It takes a second person"
            )
        }
        Content::Agree { .. } => "agrees: whoever asked may let them in".into(),
        Content::Disagree { .. } => "does not agree to letting them in".into(),
    }
}

/// The details' fields that are filled in, with their labels.
pub(crate) fn detail_rows(details: &CalloutDetails) -> Vec<(&'static str, &str)> {
    let all = [
        ("address", details.address.as_str()),
        ("arrival", details.arrival.as_str()),
        ("needs", details.needs.as_str()),
        ("kit", details.kit.as_str()),
        ("notes", details.notes.as_str()),
    ];
    all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

fn unreadable(why: Unreadable) -> &'static str {
    match why {
        Unreadable::BadBytes => "a message that can't be read: it does not decrypt or verify",
        Unreadable::UntrustedSender => "a message of a device that is not accepted; it is not shown",
        Unreadable::NewerVersion => "a message made by a newer version of the program",
        Unreadable::OwnUnknown => "a message of yours whose text is no longer on this device",
    }
}

fn names(devices: &[DeviceIdentity]) -> String {
    let mut names: Vec<String> = devices.iter().map(|d| format!("{} ({})", clean(&d.work_name), d.role)).collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

fn people(devices: &[DeviceIdentity]) -> Vec<Value> {
    devices.iter().map(person).collect()
}

/// A member, as certificates say it.
pub(crate) fn person(device: &DeviceIdentity) -> Value {
    json!({
        "person": device.person,
        "device": device.device,
        "org": device.org,
        "org_kind": device.org_kind,
        "role": device.role,
        "work_name": device.work_name,
    })
}

async fn room_name(session: &Session, room: firstlight_protocol::RoomId) -> String {
    let summary = session.state().read(|engine| engine.room(room)).await.ok().flatten();
    match summary {
        Some(summary) => match (summary.name, summary.context.callout) {
            (Some(name), _) => name,
            (None, Some(callout)) => format!("callout {}", callout.short()),
            (None, None) => format!("{} room {}", summary.context.kind, room.short()),
        },
        None => format!("room {}", room.short()),
    }
}

/// Writes one thing on a page, with its time before it; further lines stand under the first.
pub(crate) fn write(page: &mut Page, at: firstlight_protocol::Timestamp, told: &Told) {
    if told.text.is_empty() {
        return;
    }
    let clock = page.when().clock(at);
    let indent = " ".repeat(clock.chars().count());
    for (i, text) in told.text.lines().enumerate() {
        let line = format!("{}  {text}", if i == 0 { &clock } else { &indent });
        match told.weight {
            Weight::Quiet => page.note(&line),
            Weight::Plain => page.line(&line),
            Weight::Loud => page.alarm(&line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Style;
    use firstlight_protocol::{
        CalloutId, OrgId, PageId, Timestamp,
        agency::AgencyNoticeView,
        callout::{Alarm, Purpose},
    };

    #[test]
    fn a_page_says_what_to_do_and_nothing_about_anybody() {
        let page =
            Notice::Page { page: PageId([1; 16]), callout: CalloutId([2; 16]), attempt: 2, purpose: Purpose::Drill };
        let told = notice(&InboxItem { seq: 4, prev: None, at: Timestamp(9), notice: page });
        assert!(told.is("page") && !told.is("message") && told.weight == Weight::Loud);
        assert_eq!(told.json["event"], "page");
        assert_eq!(told.json["attempt"], 2);
        assert!(told.text.starts_with("DRILL: DUTY: RESPOND (call 2). callout "), "{}", told.text);
    }

    #[test]
    fn details_show_only_what_is_filled_in_and_stay_aligned() {
        let details = CalloutDetails { address: "Entrance B\x1b[2J".into(), kit: "M".into(), ..Default::default() };
        let mut told = Told::new("message", json!({}), said(&Content::Details(details)), Weight::Plain);
        told.text = format!("callout x: {}", told.text);
        let mut page = Page::new(Style::Plain, When::utc(Timestamp(0)));
        write(&mut page, Timestamp(0), &told);
        assert_eq!(
            page.into_text(),
            "00:00:00  callout x: details\n          address: Entrance B\u{fffd}[2J\n          kit: M\n"
        );
    }

    #[test]
    fn a_notice_to_another_agency_says_how_to_answer_and_is_loud_only_when_it_asks() {
        let mut view = AgencyNoticeView {
            callout: CalloutId([2; 16]),
            reference: "abc123".into(),
            agency: OrgId([3; 16]),
            zone: "north".parse().unwrap(),
            notified_at: Timestamp(0),
            acknowledged_by: None,
            acknowledged_at: None,
            called_off: false,
            drill: true,
        };
        let told = |page, view: &AgencyNoticeView| {
            let notice = Notice::AgencyNotice { page, view: view.clone() };
            super::notice(&InboxItem { seq: 1, prev: None, at: Timestamp(9), notice })
        };
        let first = told(Some(PageId([1; 16])), &view);
        assert!(first.is("agency_notice") && first.weight == Weight::Loud);
        assert!(first.text.starts_with("DRILL: ") && first.text.contains("firstlight agencies acknowledge abc123"));
        view.called_off = true;
        let off = told(None, &view);
        assert!(off.weight == Weight::Plain && off.text.contains("called off"));
    }

    #[test]
    fn an_alarm_is_loud() {
        let alarm = Notice::Alarm { callout: CalloutId([2; 16]), alarm: Alarm::Unanswered };
        let told = notice(&InboxItem { seq: 1, prev: None, at: Timestamp(9), notice: alarm });
        assert_eq!(told.weight, Weight::Loud);
        assert!(told.text.ends_with("Nobody yet: call the duty number."));
    }
}

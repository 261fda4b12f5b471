//! One night: a callout that the primary does not hear, and everything that follows.

use super::{forge, timeline::Timeline};
use firstlight_client::{
    engine::RoomState,
    session::{Session, State},
    storage::{LineBody, seal::Unlock},
    transport::TransportError,
};
use firstlight_protocol::{ErrorCode, RoomId, limits::MAX_LOG_PAGE, policy::Timers};
use firstlight_tests::process::{Cli, Result, ServerProcess, Watch, World, at_once, fail, person};
use serde_json::{Value, json};
use std::{path::Path, thread, time::Instant};
use tokio::runtime::Runtime;

/// Every step of a night, in order; the demonstration fails if one is missing.
pub(crate) const STEPS: &[&str] = &[
    "server_started",
    "host_founded",
    "partner_founded",
    "people_enrolled",
    "rota_set",
    "everybody_watches",
    "callout_opened",
    "primary_paged",
    "room_built",
    "primary_silent",
    "backup_paged",
    "backup_acknowledged",
    "backup_accepted",
    "officer_sees_accepted",
    "primary_stood_down",
    "primary_removed",
    "details_read",
    "officer_writes",
    "primary_refused_by_server",
    "primary_has_no_keys",
    "en_route",
    "advocate_room_created",
    "advocates_talk",
    "police_refused_by_client",
    "police_refused_by_own_client",
    "police_forgery_refused_by_server",
    "police_reading_refused_by_server",
    "arrived",
    "with_young_person",
    "handed_over",
    "closed",
    "reviewed",
    "audit_verified",
];

const ADDRESS: &str = "12 Example Street, flat 3";
const AFTERWARDS: &str = "She would like a warm drink";
const PRIVILEGED: &str = "Safety plan: stay with Agency A tonight";
const ANSWER: &str = "I have a place for her";

/// Everybody who stays connected.
struct Watches {
    officer: Watch,
    primary: Watch,
    backup: Watch,
    supervisor: Watch,
    caseworker: Watch,
}

/// The night under way.
struct Night<'a> {
    timeline: &'a mut Timeline,
    runtime: &'a Runtime,
    server: &'a ServerProcess,
    world: &'a World,
    watches: Watches,
    callout: String,
    room: String,
}

/// Plays it. Each step is written down when it has happened; the first that does not happen ends the night.
pub(crate) fn play(
    timeline: &mut Timeline,
    runtime: &Runtime,
    server: &ServerProcess,
    world: &World,
    timers: &Timers,
) -> Result<()> {
    let watches = Watches {
        officer: world.officer.watch()?,
        primary: world.primary.watch()?,
        backup: world.backup.watch()?,
        supervisor: world.supervisor.watch()?,
        caseworker: world.caseworker.watch()?,
    };
    for watch in [&watches.officer, &watches.primary, &watches.backup, &watches.supervisor, &watches.caseworker] {
        watch.wait_for("its connection", is("connected"))?;
    }
    timeline.done("everybody_watches", "Everybody", "five devices are connected over websockets");
    let mut night = Night { timeline, runtime, server, world, watches, callout: String::new(), room: String::new() };
    let first_page = night.call()?;
    night.escalate(first_page, timers)?;
    let kept = night.keep_a_copy()?;
    night.accept()?;
    night.shut_out_the_primary(&kept)?;
    night.on_the_way()?;
    night.talk_among_advocates()?;
    night.reach_the_end()
}

impl Night<'_> {
    /// The officer calls; the page does not wait for the room. Answers when the first page was ordered, by the server's
    /// clock.
    fn call(&mut self) -> Result<i64> {
        self.timeline.chapter("The call");
        let Self { world, watches, .. } = self;
        let tap = Instant::now();
        let (opened, (paged, (callout, ordered)), (seen, ())) = thread::scope(|scope| {
            let opening = scope.spawn(|| open(&world.officer));
            let paged = watches.primary.wait_for("the page", |event| {
                let callout = text(&event["callout"]).filter(|_| event["event"] == "page")?;
                Some((callout, event["at"].as_i64()?))
            })?;
            let seen = watches.officer.wait_for("the callout", |event| in_state(event, &paged.1.0, "paging"))?;
            let opened = opening.join().unwrap_or_else(|_| Err(fail("opening the callout panicked")))?;
            Ok::<_, firstlight_tests::process::Failed>((opened, paged, seen))
        })?;
        let built = Instant::now();
        let after = |at: Instant| at.saturating_duration_since(tap).as_millis();
        let called = format!("one young person, 12 to 14, zone north; on his screen after {} ms", after(seen));
        let rang = format!("is paged {} ms after the tap: \"Duty: respond\", and nothing about anybody", after(paged));
        self.timeline.done_in_order([
            (seen, "callout_opened", "Officer 1", &called),
            (paged, "primary_paged", "Advocate 1", &rang),
        ]);
        self.room = text(&opened["room"]).ok_or_else(|| fail(format!("the room was not built: {opened}")))?;
        if opened["left_out"] != json!([]) {
            return Err(fail(format!("somebody who may be called is not in the room: {}", opened["left_out"])));
        }
        self.callout = callout;
        let room = "the encrypted room stands, and the address is in it: the server can't read it";
        self.timeline.done_at(built, "room_built", "Officer 1", room);
        Ok(ordered)
    }

    /// The primary does not answer.
    fn escalate(&mut self, first_page: i64, timers: &Timers) -> Result<()> {
        let Self { watches, callout, .. } = self;
        let (at, ordered) = watches.backup.wait_for("her page", |event| {
            (event["event"] == "page" && event["callout"] == callout.as_str()).then(|| event["at"].as_i64()).flatten()
        })?;
        let (waited, due) = (ordered - first_page, timers.backup_after_ms.0.cast_signed());
        if waited < due {
            return Err(fail(format!("the backup was called after {waited} ms, before her time")));
        }
        let calls =
            watches.primary.so_far().iter().filter(|(when, event)| event["event"] == "page" && *when <= at).count();
        self.timeline.done_at(at, "primary_silent", "Advocate 1", &format!("sleeps through {calls} calls"));
        let detail = format!("is paged {waited} ms after the first page, {} ms after her time had come", waited - due);
        self.timeline.done_at(at, "backup_paged", "Advocate 2", &detail);
        Ok(())
    }

    /// Before she accepts: what somebody would keep who wants to go on reading in spite of being removed.
    fn keep_a_copy(&self) -> Result<tempfile::TempDir> {
        let Self { world, watches, room, .. } = self;
        watches.primary.wait_for("the room's details", |event| {
            (event["room"] == room.as_str() && is_details(event)).then_some(())
        })?;
        let copy = tempfile::tempdir()?;
        copy_state(world.primary.state(), copy.path())?;
        Ok(copy)
    }

    fn accept(&mut self) -> Result<()> {
        self.timeline.chapter("Somebody is coming");
        let Self { world, watches, callout, room, timeline, .. } = self;
        world.backup.run(&["callout", "ack", callout])?;
        timeline.done("backup_acknowledged", "Advocate 2", "\"I am awake\": calling goes on, nobody is going yet");
        let before = Instant::now();
        world.backup.run(&["callout", "accept", callout, "--eta", "35"])?;
        timeline.done_at(before, "backup_accepted", "Advocate 2", "\"I am going\", in 35 minutes");
        let (seen, name) = watches.officer.wait_for("the answer", |event| {
            in_state(event, callout, "accepted")?;
            let responder = event["view"]["responders"].as_array()?.iter().find(|r| r["state"] == "accepted")?;
            responder["eta_at"].as_i64()?;
            text(&responder["work_name"])
        })?;
        let took = seen.saturating_duration_since(before).as_millis();
        let coming = format!("sees that {name} is coming, and when, {took} ms after she began to tap");
        let (stood_down, ()) = watches.primary.wait_for("standing down", |event| {
            (event["event"] == "stand_down" && event["callout"] == callout.as_str()).then_some(())
        })?;
        let (left, ()) = watches.primary.wait_for("leaving the room", |event| {
            (event["event"] == "left" && event["room"] == room.as_str()).then_some(())
        })?;
        let stops = "is stood down: sound and alarm stop together";
        let removed = "is removed from the room by its members' devices";
        timeline.done_in_order([
            (seen, "officer_sees_accepted", "Officer 1", &coming),
            (stood_down, "primary_stood_down", "Advocate 1", stops),
            (left, "primary_removed", "Advocate 1", removed),
        ]);
        let read = world.backup.run(&["room", "read", room])?;
        let lines = read["lines"].as_array().cloned().unwrap_or_default();
        let details = lines.iter().find(|line| is_details(line)).ok_or_else(|| fail("there are no details to read"))?;
        if details["content"]["details"]["address"] != ADDRESS {
            return Err(fail(format!("the details are not what the officer wrote: {details}")));
        }
        timeline.done("details_read", "Advocate 2", &format!("reads what the officer wrote: {ADDRESS}"));
        Ok(())
    }

    /// What is said from now on is not for the primary: the server does not give it, and it would not help.
    fn shut_out_the_primary(&mut self, kept: &tempfile::TempDir) -> Result<()> {
        let Self { world, watches, room, timeline, runtime, .. } = self;
        world.officer.run(&["room", "send", room, AFTERWARDS])?;
        watches.backup.wait_for("the officer's message", |event| says(event, AFTERWARDS))?;
        timeline.done("officer_writes", "Officer 1", &format!("\"{AFTERWARDS}\"; Advocate 2 reads it"));
        let id: RoomId = room.parse()?;
        let primary = world.primary.session()?;
        let refused = runtime.block_on(primary.api().log(id, 0, MAX_LOG_PAGE));
        let code = refused_with(refused, &[ErrorCode::NotAMember, ErrorCode::NotFound])?;
        let detail = format!("asks the server for the room all the same: refused ({code})");
        timeline.done("primary_refused_by_server", "Advocate 1", &detail);
        runtime.block_on(can_not_decrypt(&world.officer, id, &world.primary, kept.path()))?;
        let shown = world.primary.run(&["room", "read", room])?;
        if shown["lines"].to_string().contains(AFTERWARDS) || shown["state"] != json!(RoomState::Left) {
            return Err(fail(format!("the primary still reads the room: {shown}")));
        }
        let detail = "given the ciphertext, even a copy of her device from before can't decrypt it: no keys";
        timeline.done("primary_has_no_keys", "Advocate 1", detail);
        Ok(())
    }

    fn on_the_way(&mut self) -> Result<()> {
        self.go_on("en-route", "en_route", "en_route", "is on the way")
    }

    /// An action of the responder's that the officer sees.
    fn go_on(&mut self, command: &str, state: &str, name: &str, what: &str) -> Result<()> {
        let Self { world, watches, callout, timeline, .. } = self;
        let before = Instant::now();
        world.backup.run(&["callout", command, callout])?;
        let (at, ()) = watches.officer.wait_for(what, |event| in_state(event, callout, state))?;
        let took = at.saturating_duration_since(before).as_millis();
        timeline.done_at(at, name, "Advocate 2", &format!("{what}; the officer sees it after {took} ms"));
        Ok(())
    }

    /// The advocates' own room, and all the ways in which police do not get into it.
    fn talk_among_advocates(&mut self) -> Result<()> {
        self.timeline.chapter("Where police can't be");
        let Self { world, watches, timeline, runtime, .. } = self;
        let create = ["room", "create", "--kind", "advocate", "--name", "Tonight"];
        let with = ["--with", &world.primary.who, "--with", &world.caseworker.who];
        let made = world.backup.run(&[&create[..], &with].concat())?;
        let room = text(&made["room"]).ok_or_else(|| fail("a room without an id"))?;
        let members = made["members"].as_array().map_or(0, Vec::len);
        let detail = format!("creates a room of {members}: two advocates and a caseworker");
        timeline.done("advocate_room_created", "Advocate 2", &detail);
        world.backup.run(&["room", "send", &room, PRIVILEGED])?;
        watches.caseworker.wait_for("the advocate's message", |event| says(event, PRIVILEGED))?;
        world.caseworker.run(&["room", "send", &room, ANSWER])?;
        watches.backup.wait_for("the caseworker's answer", |event| says(event, ANSWER))?;
        timeline.done("advocates_talk", "Caseworker 1", "and the advocates talk about the safety plan");

        let officer = person(&world.officer)?;
        let refused = world.backup.refused(&["room", "add", &room, &officer])?;
        expect_code(&refused.code, &refused.sentence)?;
        let detail = format!("tries to add the officer: refused by her own client ({})", refused.code);
        timeline.done("police_refused_by_client", "Advocate 2", &detail);
        let own = ["room", "create", "--kind", "advocate", "--name", "Mine"];
        let refused = world.officer.refused(&own)?;
        expect_code(&refused.code, &refused.sentence)?;
        let detail = format!("tries to create such a room: refused by his own client ({})", refused.code);
        timeline.done("police_refused_by_own_client", "Officer 1", &detail);

        let advocate = world.backup.session()?;
        let police = world.officer.session()?;
        let device = at_once(police.state().device())?;
        let forged = runtime.block_on(forge::advocates_room_with(&advocate, device))?;
        let code = refused_with(runtime.block_on(advocate.api().create_room(&forged)), &[ErrorCode::RoleNotAdmitted])?;
        let detail =
            format!("with a changed client, a valid MLS group with the officer in it: refused by the server ({code})");
        timeline.done("police_forgery_refused_by_server", "Advocate 2", &detail);
        let id: RoomId = room.parse()?;
        let outside = [ErrorCode::NotAMember, ErrorCode::NotFound];
        let code = refused_with(runtime.block_on(police.api().log(id, 0, MAX_LOG_PAGE)), &outside)?;
        refused_with(runtime.block_on(police.api().group_state(id)), &outside)?;
        let detail = format!("asks the server for the room's messages and keys: refused ({code})");
        timeline.done("police_reading_refused_by_server", "Officer 1", &detail);
        Ok(())
    }

    fn reach_the_end(&mut self) -> Result<()> {
        self.timeline.chapter("With her");
        self.go_on("arrived", "arrived", "arrived", "is there")?;
        self.go_on("with", "with_young_person", "with_young_person", "is with the young person")?;
        self.go_on("handover", "handed_over", "handed_over", "hands over")?;
        let Self { world, watches, callout, timeline, server, .. } = self;
        world.backup.run(&["callout", "close", callout, "--support", "accepted", "--kits", "1"])?;
        let (at, ()) = watches.officer.wait_for("the end", |event| in_state(event, callout, "closed"))?;
        timeline.done_at(at, "closed", "Advocate 2", "closes: support accepted, one kit given");
        let reviewed = world.supervisor.run(&["callout", "review", callout, "--welfare", "well"])?;
        if reviewed["state"] != "reviewed" {
            return Err(fail(format!("the callout is not reviewed: {reviewed}")));
        }
        let pages = reviewed["pages"].as_array().map_or(0, Vec::len);
        timeline.done("reviewed", "Supervisor 1", &format!("looks back on it, on {pages} pages and every receipt"));
        watches.supervisor.wait_for("the review", |event| in_state(event, callout, "reviewed"))?;
        let verdict = server.run(&["audit", "verify"])?;
        let verdict =
            verdict.first().filter(|verdict| verdict["ok"] == true).ok_or_else(|| fail("it does not verify"))?;
        let detail = format!("the audit trail is whole: {} entries, chained by hash", verdict["entries"]);
        timeline.done("audit_verified", "Operator", &detail);
        Ok(())
    }
}

fn open(officer: &Cli) -> Result<Value> {
    let routing = ["callout", "open", "--zone", "north", "--call-back", "555-0101", "--age-band", "early"];
    let scene =
        ["--language", "es", "--scene-safe", "yes", "--address", ADDRESS, "--arrival", "side door", "--kit", "M"];
    officer.run(&[&routing[..], &scene].concat())
}

/// A consistent copy of a state directory, while its owner uses it.
fn copy_state(from: &Path, to: &Path) -> Result<()> {
    for entry in std::fs::read_dir(from)? {
        let path = entry?.path();
        let Some(name) = path.file_name().filter(|_| path.extension().is_some_and(|end| end == "db")) else { continue };
        let copy = to.join(name).to_string_lossy().into_owned();
        rusqlite::Connection::open(&path)?.execute("VACUUM INTO ?1", [copy])?;
    }
    Ok(())
}

/// Gives the newest message to a copy of somebody's device that knows nothing of having been removed.
async fn can_not_decrypt(member: &Cli, room: RoomId, removed: &Cli, copy: &Path) -> Result<()> {
    let member: Session = member.session()?;
    let log = member.api().log(room, 0, MAX_LOG_PAGE).await?;
    let mut newest = log.entries.last().cloned().ok_or_else(|| fail("the room's log is empty"))?;
    let state = State::open(copy, &Unlock::key_file(&removed.state().with_extension("key"))?)?;
    let before =
        state.read(|engine| engine.room(room)).await?.ok_or_else(|| fail("the copy does not know the room"))?;
    if before.state != RoomState::Joined {
        return Err(fail("the copy was made too late"));
    }
    // As if it came next: the commit that removes her is kept from the copy.
    newest.seq = before.cursor + 1;
    state.apply(|engine, now| engine.receive_entries(std::slice::from_ref(&newest), now)).await?;
    let lines = state.lines_before(room, u64::MAX, 1).await?;
    match lines.last().map(|line| (line.seq, &line.body)) {
        Some((seq, LineBody::Unreadable(_))) if seq == newest.seq => Ok(()),
        other => Err(fail(format!("the copy made something else of the ciphertext: {other:?}"))),
    }
}

/// The code of a refusal, if it is one of these.
fn refused_with<T>(answer: std::result::Result<T, TransportError>, codes: &[ErrorCode]) -> Result<ErrorCode> {
    match answer {
        Ok(_) => Err(fail("the server did not refuse it")),
        Err(error) => match error.code().filter(|code| codes.contains(code)) {
            Some(code) => Ok(code),
            None => Err(fail(format!("the server refused it for another reason: {error}"))),
        },
    }
}

fn expect_code(code: &str, sentence: &str) -> Result<()> {
    if code == ErrorCode::RoleNotAdmitted.as_str() {
        Ok(())
    } else {
        Err(fail(format!("refused for another reason: {sentence}")))
    }
}

fn is(word: &str) -> impl Fn(&Value) -> Option<()> {
    move |event| (event["event"] == word).then_some(())
}

fn in_state(event: &Value, callout: &str, state: &str) -> Option<()> {
    let view = &event["view"];
    (event["event"] == "callout" && view["id"] == callout && view["state"] == state).then_some(())
}

fn is_details(event: &Value) -> bool {
    event["event"] == "message" && event["content"]["details"].is_object()
}

fn says(event: &Value, words: &str) -> Option<()> {
    (event["event"] == "message" && event["content"]["text"]["text"] == words).then_some(())
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

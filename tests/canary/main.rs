//! A night is played with marked texts in every field that is end-to-end encrypted, and in every passphrase. Afterwards
//! none of them is found in anything that the server or a device has written anywhere: database, write-ahead log, server
//! log, webhook bodies, audit trail, backup, sealed states. Pages say nothing at all.

mod search;

use base64::{Engine, engine::general_purpose::STANDARD};
use firstlight_protocol::policy::{Millis, Timers};
use firstlight_tests::process::{Cli, PATIENCE, Plan, Receiver, Request, Result, ServerProcess, VERIFY, World, fail};
use hmac::{Hmac, Mac};
use rand::Rng;
use search::{Mark, Written, file, files, find, none_of};
use serde_json::{Value, json};
use sha2::Sha256;
use std::{collections::BTreeSet, fs, path::Path};

const WEBHOOK_KEY: &str = "0123456789abcdef0123456789abcdef";
/// How many such messages there are.
const CODES: usize = 2;

/// The marks of one run.
struct Marks {
    run: u64,
    planted: Vec<Mark>,
}

impl Marks {
    fn new() -> Self {
        Self { run: rand::rng().random(), planted: Vec::new() }
    }

    /// A text to write into a field.
    fn plant(&mut self, planted: &'static str) -> String {
        let text = format!("zq7{planted}{:016x}", self.run.wrapping_add(self.planted.len() as u64));
        self.planted.push(Mark { planted, text });
        self.planted.last().map(Mark::content).unwrap_or_default()
    }

    /// A mark that has to be found: it stands where the server may know it.
    fn zone(&self) -> Mark {
        Mark { planted: "zone", text: format!("zone{:016x}", self.run) }
    }
}

#[test]
fn nothing_that_a_person_wrote_is_found_anywhere() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let receiver = Receiver::start()?;
    let allowed = vec![receiver.host()];
    // Everything that the server could ever say is in its log.
    let mut server = ServerProcess::start(&dir.path().join("server"), |config| {
        config.paging.webhook_allow = allowed.clone();
        config.log.filter = "trace".into();
    })?;
    let mut marks = Marks::new();
    let mut plan = Plan::with_timers(Timers {
        repeat_every_ms: Millis::seconds(60),
        backup_after_ms: Millis(300),
        supervisor_after_ms: Millis::minutes(10),
        everyone_after_ms: Millis::minutes(20),
        // The app is not connected in this story: the webhook follows at once.
        channel_stall_ms: Millis(100),
        ..Timers::default()
    })?;
    plan.passphrase = Some(marks.plant("passphrase"));
    let devices = dir.path().join("devices");
    let world = World::found(&server, &devices, &plan, |_, _, _| {})?;
    let key = dir.path().join("webhook.key");
    fs::write(&key, WEBHOOK_KEY)?;
    for advocate in [&world.primary, &world.backup] {
        receiver.reaches(&world.admin, advocate, &key)?;
    }
    play(&mut server, &world, &mut marks, &receiver)?;
    share_a_file(&server, &world, &mut marks, dir.path())?;

    let backup = dir.path().join("backup");
    fs::create_dir(&backup)?;
    server.run(&["backup", &backup.join("copy.db").to_string_lossy()])?;
    let trail = server.run(&["audit", "show", "--limit", "100000"])?;
    let pages = receiver.received();
    pages_say_nothing(&pages)?;
    let written = everything_written(&server, &devices, &backup, &trail, &pages)?;
    none_of(&marks.planted, &written)?;

    // The same search does find what is there: the zone's code, in the database and in the backup.
    let places = find(&marks.zone(), &written);
    for part in ["firstlight.db", "copy.db"] {
        if !places.iter().any(|place| place.contains(part)) {
            return Err(fail(format!("the search finds nothing in {part}, not even the zone: {places:?}")));
        }
    }
    Ok(())
}

/// Two callouts, a conversation in the advocates' own room, and a server that dies in the middle.
fn play(server: &mut ServerProcess, world: &World, marks: &mut Marks, receiver: &Receiver) -> Result<()> {
    let World { officer, primary, backup, caseworker, .. } = world;
    let (callout, details) = open(officer, marks)?;
    // Page to the primary and, since she is silent, to the backup.
    receiver.wait_for(CODES + 2, PATIENCE)?;
    backup.run(&["callout", "ack", &callout])?;
    backup.run(&["callout", "accept", &callout, "--eta", "35"])?;
    let read = backup.run(&["room", "read", &callout])?;
    if !read["lines"].to_string().contains(&details) {
        return Err(fail(format!("the responder can't read the details: {read}")));
    }
    officer.run(&["room", "send", &callout, &marks.plant("fromofficer")])?;
    server.kill9();
    server.restart()?;
    backup.run(&["room", "send", &callout, &marks.plant("fromadvocate")])?;

    let name = marks.plant("roomname");
    // A name has 64 characters at most.
    let name = name.split(' ').next().unwrap_or_default();
    let with = ["--with", &primary.who, "--with", &caseworker.who];
    let room = backup.run(&[&["room", "create", "--kind", "advocate", "--name", name][..], &with].concat())?;
    let room = room["room"].as_str().ok_or_else(|| fail("a room without an id"))?;
    backup.run(&["room", "send", room, &marks.plant("privileged")])?;
    let said = marks.plant("caseworker");
    caseworker.run(&["room", "send", room, &said])?;
    let heard = primary.run(&["room", "read", room])?;
    if !heard["lines"].to_string().contains(&said) {
        return Err(fail(format!("the advocates' room does not work: {heard}")));
    }
    for step in ["en-route", "arrived", "with", "handover"] {
        backup.run(&["callout", step, &callout])?;
    }
    backup.run(&["callout", "close", &callout, "--support", "accepted", "--kits", "1"])?;
    world.supervisor.run(&["callout", "review", &callout, "--welfare", "well"])?;
    // The stand-down of the primary was sent too.
    let stood_down =
        |requests: &[Request]| requests.iter().any(|r| String::from_utf8_lossy(&r.body).contains("stand_down"));
    let mut count = receiver.received().len();
    while !stood_down(&receiver.received()) {
        count = receiver.wait_for(count + 1, PATIENCE)?.len();
    }
    server.stop()?;
    server.restart()?;
    officer.run(&["sync"])?;
    Ok(())
}

/// A file with a marked name and marked content goes into a room, cut off once in the middle, and is saved by another.
fn share_a_file(server: &ServerProcess, world: &World, marks: &mut Marks, dir: &Path) -> Result<()> {
    let World { officer, backup, .. } = world;
    let name = marks.plant("filename");
    let name = format!("{}.txt", name.split(' ').next().unwrap_or_default());
    let content = marks.plant("filecontent").repeat(64 << 10);
    // Outside of what is searched: here it stands as the person has it.
    let (mine, saved) = (dir.join("mine"), dir.join("saved"));
    fs::create_dir(&mine)?;
    fs::create_dir(&saved)?;
    let file = mine.join(&name);
    fs::write(&file, &content)?;
    let (file, to) = (file.to_string_lossy().into_owned(), saved.to_string_lossy().into_owned());
    let lies = server.data_dir().join("attachments");
    let chunks = || -> usize {
        let attachments = fs::read_dir(&lies).into_iter().flatten().flatten();
        attachments.filter_map(|a| fs::read_dir(a.path()).ok()).map(Iterator::count).sum()
    };
    // Four are on their way at once: of five, one was taken.
    officer.cut_off(&["room", "send-file", "latest", &file], || chunks() > 4)?;
    let sent = officer.run(&["room", "send-file", "latest", &file])?;
    if sent["went_on_at"].as_u64().is_none_or(|at| at == 0 || at >= content.len() as u64) {
        return Err(fail(format!("the interrupted file did not go on: {sent}")));
    }
    let read = backup.run(&["room", "read", "latest"])?;
    if !read["lines"].to_string().contains(&name) || read.to_string().contains("\"key\"") {
        return Err(fail(format!("the file is not shown as it should be: {read}")));
    }
    for (n, message) in ["latest", &name].into_iter().enumerate() {
        let one = backup.run(&["room", "save", "latest", message, "--to", &to])?;
        let path = one["path"].as_str().ok_or_else(|| fail("a saved file without a place"))?;
        if fs::read(path)? != content.as_bytes() || fs::read_dir(&saved)?.count() != n + 1 {
            return Err(fail(format!("what was saved is not what was sent: {one}")));
        }
    }
    let second = world.primary.refused(&["room", "save", "latest", "latest", "--to", &to])?;
    if second.code == "internal" {
        return Err(fail(format!("a stood-down responder's refusal is unclear: {}", second.sentence)));
    }
    Ok(())
}

/// Opens a callout with every encrypted field marked. Gives its id, and a text that is in the details.
fn open(officer: &Cli, marks: &mut Marks) -> Result<(String, String)> {
    let address = marks.plant("address");
    let details = json!({
        "address": address,
        "arrival": marks.plant("arrival"),
        "needs": marks.plant("needs"),
        "kit": marks.plant("kit"),
        "notes": marks.plant("notes"),
    });
    let zone = marks.zone().text;
    let open = ["callout", "open", "--call-back", "555-0101", "--zone", &zone, "--details-file", "-"];
    let opened = officer.run_with_input(&open, Some(&details.to_string()))?;
    let callout = opened["callout"]["id"].as_str().ok_or_else(|| fail("a callout without an id"))?;
    if opened["room"].is_null() || opened["left_out"] != json!([]) {
        return Err(fail(format!("the callout's room is not as it should be: {opened}")));
    }
    Ok((callout.to_owned(), address))
}

/// Exactly the documented fields with the documented texts, and a signature over them.
fn pages_say_nothing(pages: &[Request]) -> Result<()> {
    let mut kinds = BTreeSet::new();
    for page in pages {
        let body: Value = serde_json::from_slice(&page.body)?;
        let fields: BTreeSet<&str> = body.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        let expected = ["attempt", "kind", "page", "redelivery", "text", "timestamp"];
        let text = match (body["kind"].as_str(), body["text"].as_str()) {
            (Some("page"), _) => "Duty: respond",
            (Some("stand_down"), _) => "Duty: stand down",
            (Some("verify"), Some(text)) if text.strip_prefix(VERIFY).is_some_and(|code| code.len() == 6) => text,
            _ => "",
        };
        let ids =
            body["page"].as_str().is_some_and(|id| id.starts_with("page_") && Some(id) == page.header("webhook-id"));
        let numbers = body["attempt"].is_u64() && body["timestamp"].is_u64() && body["redelivery"].is_boolean();
        if fields != BTreeSet::from(expected) || body["text"] != text || !ids || !numbers {
            return Err(fail(format!("a page says more or less than it should: {body}")));
        }
        signed(page)?;
        kinds.insert(body["kind"].to_string());
    }
    if kinds.len() != 3 { Err(fail("there was not a code, a page and a stand-down")) } else { Ok(()) }
}

/// Standard Webhooks 1.0.0: HMAC-SHA256 over id, time and body.
fn signed(page: &Request) -> Result<()> {
    let header = |name: &str| page.header(name).ok_or_else(|| fail(format!("a page without {name}")));
    let (id, time, signature) = (header("webhook-id")?, header("webhook-timestamp")?, header("webhook-signature")?);
    let mut mac = Hmac::<Sha256>::new_from_slice(WEBHOOK_KEY.as_bytes())?;
    mac.update(format!("{id}.{time}.").as_bytes());
    mac.update(&page.body);
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    if signature == expected { Ok(()) } else { Err(fail("a page whose signature does not verify")) }
}

/// Files of the server and of the devices, the backup, the audit trail, and what went out over webhooks.
fn everything_written(
    server: &ServerProcess,
    devices: &Path,
    backup: &Path,
    trail: &[Value],
    pages: &[Request],
) -> Result<Vec<Written>> {
    let mut written = files(server.data_dir())?;
    if !written.iter().any(|file| file.name.ends_with("-wal") && !file.bytes.is_empty()) {
        return Err(fail("there is no write-ahead log to look into"));
    }
    let log = file(&server.log())?;
    if fs::metadata(server.log())?.len() == 0 || trail.is_empty() {
        return Err(fail("the log or the audit trail is empty"));
    }
    written.push(log);
    written.extend(files(devices)?);
    written.extend(files(backup)?);
    for entry in trail {
        written.push(Written { name: "audit trail".into(), bytes: entry.to_string().into_bytes() });
    }
    for page in pages {
        written.push(Written { name: "webhook head".into(), bytes: page.head.clone().into_bytes() });
        written.push(Written { name: "webhook body".into(), bytes: page.body.clone() });
    }
    Ok(written)
}

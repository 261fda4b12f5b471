//! The same night for people without the app at hand: an officer on a telephone, and advocates who are rung.
//!
//! The provider is a stand-in that behaves like the real one; what it shows is what the telephones would have shown.

use super::timeline::Timeline;
use firstlight_protocol::Timestamp;
use firstlight_server::config::{Config, TelephonyAccount};
use firstlight_tests::{
    process::{Cli, PATIENCE, Result, ServerProcess, World, fail},
    providers::twilio::{Answering, Keys, Phone, Shown, Twilio},
};
use serde_json::Value;
use std::{path::Path, thread, time::Duration, time::Instant};
use tokio::runtime::Runtime;

/// What the chapter has to show, in order.
pub(crate) const STEPS: &[&str] = &[
    "phones_verified",
    "line_added",
    "duty_number_called",
    "primary_texted",
    "voicemail_is_no_answer",
    "backup_accepts_by_key",
    "officer_texted_eta",
    "arrived_by_sms",
    "officer_texted_arrival",
    "pages_recorded",
];

const ACCOUNT: &str = "AC00000000000000000000000000000001";
const TOKEN: &str = "the-stand-in-provider's-token";
/// The number that the account sends from and is called at.
const DUTY: &str = "+15555550100";
const OFFICER: &str = "+15555550101";
const PRIMARY: &str = "+15555550111";
const BACKUP: &str = "+15555550112";

/// The telephones, and the provider in front of them.
#[derive(Debug)]
pub(crate) struct Telephones {
    provider: Twilio,
    token: std::path::PathBuf,
}

impl Telephones {
    /// Starts the provider.
    pub(crate) fn start(dir: &Path) -> Result<Self> {
        let token = dir.join("provider.token");
        std::fs::write(&token, TOKEN)?;
        Ok(Self { provider: Twilio::start(&[(ACCOUNT, TOKEN)]), token })
    }

    /// Tells the server of it.
    pub(crate) fn configure(&self, config: &mut Config) {
        config.paging.telephony = vec![TelephonyAccount {
            name: "first".into(),
            base_url: self.provider.url(),
            account_sid: ACCOUNT.into(),
            auth_token_file: Some(self.token.clone()),
            from: DUTY.into(),
            sms: true,
            voice: true,
        }];
    }

    /// Waits until a telephone has shown something; answers when that was.
    fn see<T>(&self, number: &str, what: &str, mut found: impl FnMut(&Phone) -> Option<T>) -> Result<T> {
        let began = Instant::now();
        loop {
            let phone = self.provider.phone(number);
            if let Some(value) = found(&phone) {
                return Ok(value);
            }
            if began.elapsed() > PATIENCE {
                return Err(fail(format!("{number} never showed {what}: {phone:?}")));
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn text(&self, number: &str, words: &str) -> Result<String> {
        self.see(number, &format!("\"{words}\""), |phone| {
            phone.texts().into_iter().find(|text| text.contains(words)).map(str::to_owned)
        })
    }
}

/// Plays it, after the first night is over.
pub(crate) fn play(
    timeline: &mut Timeline,
    runtime: &Runtime,
    server: &ServerProcess,
    world: &World,
    telephones: &Telephones,
) -> Result<()> {
    timeline.chapter("By telephone");
    verify(telephones, &world.primary, PRIMARY)?;
    verify(telephones, &world.backup, BACKUP)?;
    timeline.done(
        "phones_verified",
        "Advocates",
        "their telephones are used from now on: the codes sent there came back",
    );

    let added = world.admin.run(&["lines", "add", "--agency", "Agency B", "--zone", "north", "--language", "en"])?;
    let code = added["code"].as_str().ok_or_else(|| fail("a line without a code"))?.to_owned();
    timeline.done("line_added", "Admin 1", "Agency B gets a code for the duty number, for officers without the app");

    // Nobody watches: Advocate 1 is asleep behind a voicemail box, Advocate 2 has her telephone beside her.
    telephones.provider.answering(PRIMARY, Answering::Voicemail);
    let before = telephones.provider.phone(PRIMARY).history().len();
    telephones.provider.answering(BACKUP, Answering::Person(vec![Keys::press("1"), Keys::press("25#")]));
    let webhook = |route: &str| format!("{}/v1/telephony/first/{route}", server.url());
    let (incoming_voice, incoming_sms) = (webhook("incoming-voice"), webhook("incoming-sms"));
    let calls =
        telephones.provider.call(ACCOUNT, OFFICER, DUTY, vec![Keys::press(&format!("{code}#"))], &incoming_voice);
    runtime.block_on(calls);
    let said = telephones.see(OFFICER, "a reference", |phone| {
        phone.heard().into_iter().find(|text| text.contains("reference")).map(str::to_owned)
    })?;
    timeline.done(
        "duty_number_called",
        "Officer 2",
        &format!("calls the duty number and keys the code; the voice: “{said}”"),
    );

    let page = telephones.text(PRIMARY, "Duty: respond")?;
    timeline.done("primary_texted", "Advocate 1", &format!("telephone shows: “{page}”"));
    let listened = telephones.see(PRIMARY, "a voicemail box", |phone| {
        let phone = phone.after(before);
        let over = phone.history().iter().any(|(_, shown)| *shown == Shown::HungUp);
        over.then(|| phone.heard().first().map(|text| (*text).to_owned())).flatten()
    })?;
    let callout = newest(&world.supervisor)?;
    if !matches!(callout["state"].as_str(), Some("paging" | "acknowledged" | "accepted")) {
        return Err(fail(format!("a voicemail was taken for an answer: {callout}")));
    }
    timeline.done(
        "voicemail_is_no_answer",
        "Advocate 1",
        &format!("voicemail took the call and heard “{listened}”; the paging goes on"),
    );

    telephones.see(BACKUP, "an accepted call", |phone| {
        phone.heard().iter().any(|text| text.starts_with("Noted: 25")).then_some(())
    })?;
    timeline.done("backup_accepts_by_key", "Advocate 2", "is rung, presses 1, then 25 and hash");
    let coming = telephones.text(OFFICER, "25")?;
    timeline.done("officer_texted_eta", "Officer 2", &format!("telephone shows: “{coming}”"));

    let here = telephones.provider.text(ACCOUNT, BACKUP, DUTY, "Here", &incoming_sms);
    let (_, replies) = runtime.block_on(here);
    timeline.done("arrived_by_sms", "Advocate 2", &format!("sends “Here”, and gets “{}”", replies.join(" ")));
    let arrived = telephones.text(OFFICER, "arrived")?;
    timeline.done("officer_texted_arrival", "Officer 2", &format!("telephone shows: “{arrived}”"));

    let id = callout["id"].as_str().unwrap_or_default();
    let pages = world.supervisor.run(&["callout", "pages", id])?;
    let records = pages["pages"].as_array().map_or(&[][..], Vec::as_slice);
    let voicemail = records.iter().any(|page| page["failed"] == "voicemail" || page["failed"] == "no_answer");
    let answered = records.iter().any(|page| !page["answered_at"].is_null());
    if !(voicemail && answered) {
        return Err(fail(format!("the record of the pages says too little: {pages}")));
    }
    let detail = format!("sees all {} messages of it, each try, and why one failed", records.len());
    timeline.done("pages_recorded", "Supervisor 1", &detail);
    world.supervisor.run(&["callout", "close", id, "--support", "accepted"]).map(drop)
}

/// Adds text messages and calls to somebody's telephone, with the codes that it shows and says.
fn verify(telephones: &Telephones, whom: &Cli, number: &str) -> Result<()> {
    telephones.provider.answering(number, Answering::Person(vec![Keys::Silence]));
    for way in ["sms", "voice"] {
        let seen = telephones.provider.phone(number).history().len();
        let added = whom.run(&["contacts", "add", way, number])?;
        let contact = added["contact"].as_str().ok_or_else(|| fail("a contact without an id"))?;
        let code = telephones.see(number, "a code", |phone| phone.after(seen).code(6))?;
        whom.run(&["contacts", "verify", contact, &code])?;
    }
    Ok(())
}

fn newest(supervisor: &Cli) -> Result<Value> {
    let callouts = supervisor.run(&["callout", "list"])?;
    let opened_at = |callout: &&Value| callout["opened_at"].as_i64().map(Timestamp);
    let newest = callouts["callouts"].as_array().into_iter().flatten().max_by_key(opened_at).cloned();
    newest.ok_or_else(|| fail("the supervisor sees no callout"))
}

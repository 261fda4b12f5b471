//! The voice routes: a provider asks what a call is to say, and brings the keys that were pressed. Its signature is
//! checked before anything is looked at (`Signed`).

use super::{
    answers::{Called, action_id_of},
    calls::{Call, Dialogue, Sid},
    duty::{self, Duty},
    menu::{self, Answer, DEFAULT_ETA, Menu},
    pins,
    texts::{fill, spoken},
    twiml::{Gather, Spoken, Twiml},
};
use crate::{
    Result, Shared,
    callouts::documents::read_document,
    error::Error,
    intake::{Asking, Opened, RequestId, Tried, caller_digest, try_code},
    paging::{Signed, Values, text},
};
use axum::extract::State;
use firstlight_protocol::{
    CalloutId, LineId, PageId, Problem, Secret, Timestamp,
    api::{IntakeCallout, MessageKind},
    attention::Attention,
    callout::{Action, Phone},
    policy::Policy,
};

/// The most keys that are taken at once.
const MAX_KEYS: usize = 20;
/// What a network shows instead of a hidden number ("ANONYMOUS", "RESTRICTED" and the like on a keypad).
const HIDDEN: [&str; 6] = ["+266696687", "+7378742833", "+2562533", "+8566", "+86282452253", "+464"];

/// What a call for a page says when it is picked up (a Twilio voice request), signed by its account. Not for people.
#[utoipa::path(post, path = "/v1/telephony/{account}/voice", tag = "telephony", security(()),
    params(("account" = String, Path, description = "The account"),
        ("page" = String, Query, description = "The page"), ("leg" = u32, Query, description = "Which try of it")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "TwiML", body = String, content_type = "text/xml"),
        (status = 403, body = Problem)))]
pub(super) async fn answered(State(app): State<Shared>, signed: Signed) -> Result<Twiml> {
    let (Some(sid), Ok(page)) = (sid(&signed), signed.parameter("page").parse()) else {
        return Ok(Twiml::new().hang_up());
    };
    let now = app.clock.now();
    if let Some(call) = app.store.phone_call(sid).await? {
        return Ok(asked(&app, &signed, call));
    }
    let found = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                let Some(called) = tx.called(page).await? else { return Ok(None) };
                let waits = tx.waits_for(&called).await?;
                let drill = tx.is_drill(called.callout).await?;
                let languages = tx.languages_of(called.person).await?;
                let policy = read_document::<Policy>(tx.conn).await?;
                Ok(Some((called, waits, drill, languages, policy.is_some_and(|(_, policy)| policy.voice_pin))))
            })
        })
        .await?;
    let Some((called, waits, drill, languages, needs_pin)) = found else { return message(&app, page).await };
    let texts = spoken(&languages);
    let by = signed.field("AnsweredBy");
    let (menu, next) = if by == "fax" || by.starts_with("machine") {
        menu::for_machine(texts)
    } else if !waits {
        menu::too_late(texts)
    } else if needs_pin && !pins::has_pin(&app, called.person).await? {
        menu::without_pin(texts)
    } else {
        Menu::begin(needs_pin).ask(texts, drill.then_some(&texts.page.drill))
    };
    let dialogue = Dialogue::Page { person: called.person, callout: called.callout, languages, menu };
    let call = app.store.write(move |tx| Box::pin(async move { tx.begin_call(sid, dialogue, now).await })).await?;
    Ok(match next {
        menu::Next::Say { spoken, keys } => say(&app, &signed, &call, &spoken, keys),
        _ => Twiml::new().hang_up(),
    })
}

/// What a call says that asks for no keys.
enum Saying {
    /// The code of a readiness test: who types it in has heard it. A voicemail types nothing.
    Test { code: i64 },
    /// A code that verifies a contact method, a notice.
    Message { kind: MessageKind, arg: i64 },
}

/// A call that asks nothing. Said twice, since whoever wakes up misses the first.
async fn message(app: &Shared, page: PageId) -> Result<Twiml> {
    let found = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                let (saying, person) = match tx.test_called(page).await? {
                    Some((person, code)) => (Saying::Test { code: i64::from(code) }, person),
                    None => match tx.message_of(page).await? {
                        Some((kind, person, arg)) => (Saying::Message { kind, arg }, person),
                        None => return Ok(None),
                    },
                };
                Ok(Some((saying, tx.languages_of(person).await?)))
            })
        })
        .await?;
    let Some((saying, languages)) = found else { return Ok(Twiml::new().hang_up()) };
    let texts = spoken(&languages);
    let said = match saying {
        Saying::Test { code } => fill(&texts.page.test, [("code", &spelled(code))]),
        Saying::Message { kind, arg } => {
            let said = text(kind, &languages, &Values { arg, ..Values::default() });
            said.replace(&format!("{arg:06}"), &spelled(arg))
        }
    };
    let line = Spoken { voice: &texts.voice, text: said };
    Ok(Twiml::new().pause().say(&[line.clone(), line]).hang_up())
}

/// A code digit by digit, as a voice has to say it.
fn spelled(code: i64) -> String {
    format!("{code:06}").chars().map(String::from).collect::<Vec<_>>().join(", ")
}

/// What an officer hears who calls the duty number (a Twilio voice request), signed by its account. Not for people.
#[utoipa::path(post, path = "/v1/telephony/{account}/incoming-voice", tag = "telephony", security(()),
    params(("account" = String, Path, description = "The account")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "TwiML", body = String, content_type = "text/xml"),
        (status = 403, body = Problem)))]
pub(super) async fn incoming(State(app): State<Shared>, signed: Signed) -> Result<Twiml> {
    let Some(sid) = sid(&signed) else { return Ok(Twiml::new().hang_up()) };
    let now = app.clock.now();
    if let Some(call) = app.store.phone_call(sid).await? {
        return Ok(asked(&app, &signed, call));
    }
    let caller = shown(signed.field("From"));
    if app.phone.calls.check(caller_key(caller.as_ref(), sid), now).is_err() {
        let (_, next) = Duty::begin().hear(duty::Heard::Locked { number: duty_number(&app).await? });
        return Ok(match next {
            duty::Next::Say { spoken, .. } => Twiml::new().say(&spoken).hang_up(),
            _ => Twiml::new().hang_up(),
        });
    }
    let (duty, _) = Duty::begin().ask(None);
    let dialogue = Dialogue::Duty { caller, duty };
    let call = app.store.write(move |tx| Box::pin(async move { tx.begin_call(sid, dialogue, now).await })).await?;
    Ok(asked(&app, &signed, call))
}

/// The keys that were pressed in a call, or that none was (a Twilio gather request), signed by its account. Not for people.
#[utoipa::path(post, path = "/v1/telephony/{account}/voice/digits", tag = "telephony", security(()),
    params(("account" = String, Path, description = "The account"),
        ("step" = u32, Query, description = "Which question they answer")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "TwiML", body = String, content_type = "text/xml"),
        (status = 403, body = Problem)))]
pub(super) async fn keyed(State(app): State<Shared>, signed: Signed) -> Result<Twiml> {
    let Some(sid) = sid(&signed) else { return Ok(Twiml::new().hang_up()) };
    // A call that nobody knows: its day is over, or it never was.
    let Some(call) = app.store.phone_call(sid).await? else { return Ok(Twiml::new().hang_up()) };
    let step = signed.parameter("step").parse::<u32>().ok();
    if step != Some(call.step) {
        // Late or repeated: answered already, so the question that is open now is asked.
        return Ok(asked(&app, &signed, call));
    }
    let keys: String =
        signed.field("Digits").chars().filter(|c| c.is_ascii_digit() || *c == '*').take(MAX_KEYS).collect();
    let now = app.clock.now();
    let (dialogue, spoken, wanted) = match call.dialogue {
        Dialogue::Page { person, callout, languages, menu } => {
            let request = action_id_of(sid, call.step);
            let mut heard = menu::Heard::Keys(keys);
            let texts = spoken(&languages);
            let mut menu = menu;
            let (said, wanted) = loop {
                let (after, next) = menu.hear(heard, texts);
                menu = after;
                heard = match next {
                    menu::Next::Say { spoken, keys } => break (spoken, keys),
                    menu::Next::Check(pin) => menu::Heard::Pin(pins::is_right(&app, person, pin, now).await?),
                    menu::Next::Do(answer) => {
                        let (called, request) = (Called { person, callout }, request.clone());
                        let (parts, by) = (Shared::clone(&app), signed.clone());
                        let told = app.store.write(move |tx| {
                            Box::pin(async move {
                                let telephony = parts.runner.channels().telephony();
                                tx.call_was_answered(telephony, &by.account, by.field("CallSid"), now).await?;
                                tx.answer_by_phone(&called, &request, action(answer), now).await
                            })
                        });
                        menu::Heard::Told(told.await?)
                    }
                };
            };
            (Dialogue::Page { person, callout, languages, menu }, said, wanted)
        }
        Dialogue::Duty { caller, mut duty } => {
            let mut heard = duty::Heard::Keys(keys);
            let (said, wanted) = loop {
                let (after, next) = duty.hear(heard);
                duty = after;
                heard = match next {
                    duty::Next::Say { spoken, keys } => break (spoken, keys),
                    duty::Next::Check(code) => check(&app, sid, caller.as_ref(), code, now).await?,
                    duty::Next::Open { line, call_back, another } => {
                        let number = call_back.map(|keyed| dialable(&app, &signed, keyed)).or_else(|| caller.clone());
                        open(&app, sid, line, number, another, now).await?
                    }
                };
            };
            (Dialogue::Duty { caller, duty }, said, wanted)
        }
    };
    let step = call.step;
    let call = app.store.write(move |tx| Box::pin(async move { tx.go_on(sid, step, &dialogue).await })).await?;
    Ok(say(&app, &signed, &call, &spoken, wanted))
}

fn action(answer: Answer) -> Action {
    match answer {
        Answer::Accept => Action::Accept { eta_minutes: DEFAULT_ETA },
        Answer::Decline => Action::Decline,
        Answer::Eta(eta_minutes) => Action::Eta { eta_minutes },
    }
}

/// The provider's id of the call, if it looks like one.
fn sid(signed: &Signed) -> Option<Sid> {
    let sid = signed.field("CallSid");
    let plain = (1..=64).contains(&sid.len()) && sid.bytes().all(|b| b.is_ascii_alphanumeric());
    plain.then(|| Sid::of(&signed.account, sid))
}

/// The caller's number, unless it is hidden.
pub(super) fn shown(from: &str) -> Option<Phone> {
    let number: Phone = from.parse().ok()?;
    let digits = from.strip_prefix('+')?;
    let plain = (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    (plain && !HIDDEN.contains(&from)).then_some(number)
}

/// What limits count a caller by: their number, or for a hidden one the call itself.
fn caller_key(caller: Option<&Phone>, sid: Sid) -> [u8; 32] {
    caller.map_or(sid.0, |number| caller_digest(number.as_str()))
}

/// A number as it was keyed, with the country code of the account's own number where it has none: North America's are ten
/// digits and the country's 1.
fn dialable(app: &Shared, signed: &Signed, keyed: Phone) -> Phone {
    let own = app.runner.channels().telephony().number(&signed.account).unwrap_or_default();
    let text = match keyed.as_str() {
        digits if digits.len() == 10 && own.starts_with("+1") => format!("+1{digits}"),
        digits if digits.len() > 10 => format!("+{digits}"),
        _ => return keyed,
    };
    text.parse().unwrap_or(keyed)
}

async fn check(app: &Shared, sid: Sid, caller: Option<&Phone>, code: Secret, now: Timestamp) -> Result<duty::Heard> {
    Ok(match try_code(app, code, caller_key(caller, sid), now).await? {
        Tried::Line(line) => {
            duty::Heard::Line { line: line.id, languages: line.languages, number_shown: caller.is_some() }
        }
        Tried::Wrong => duty::Heard::NoLine,
        Tried::Locked => duty::Heard::Locked { number: duty_number(app).await? },
    })
}

/// Opens the callout of a call: the call's id makes it the same one however often this comes.
async fn open(
    app: &Shared,
    sid: Sid,
    line: LineId,
    number: Option<Phone>,
    another: bool,
    now: Timestamp,
) -> Result<duty::Heard> {
    let help = duty_number(app).await?;
    let (Some(number), Some(line)) = (number, app.store.line(line).await?) else {
        return Ok(duty::Heard::Failed { number: help });
    };
    let unusable = line.id;
    let text_caller = number.as_str().starts_with('+');
    let asked = IntakeCallout { text_caller, ..IntakeCallout::new(number) };
    let (request, asking) = match another {
        true => (RequestId::of(&[b"another of the call", &sid.0]), Asking::OfficerAgain),
        false => (RequestId::of(&[b"call", &sid.0]), Asking::Officer),
    };
    let opened = app
        .store
        .write(move |tx| Box::pin(async move { tx.open_from_line(&line, request, &asked, asking, now).await }))
        .await;
    Ok(match (opened, help) {
        (Ok(Opened::New(view) | Opened::Known(view)), _) => duty::Heard::Opened { reference: reference(view.id) },
        (Ok(Opened::Recent(view)), _) => duty::Heard::Recent { reference: reference(view.id) },
        (Ok(Opened::Exhausted), Some(number)) => duty::Heard::Quota { number },
        (Ok(Opened::Exhausted), None) => duty::Heard::Failed { number: None },
        // Said, so that the caller knows; and supervisors, since a right code has to open something.
        (Err(Error::Refused(_)), number) => {
            line_is_unusable(app, unusable, now).await?;
            duty::Heard::Failed { number }
        }
        (Err(error), _) => return Err(error),
    })
}

/// A right code could not open anything: supervisors hear it.
pub(super) async fn line_is_unusable(app: &Shared, line: LineId, now: Timestamp) -> Result<()> {
    app.store
        .write(move |tx| Box::pin(async move { tx.raise_attention(Attention::LineUnusable { line }, now).await }))
        .await
}

/// What people say on the telephone to name a callout.
pub(super) fn reference(callout: CalloutId) -> String {
    callout.short()
}

/// The number that helps when nothing else does.
pub(super) async fn duty_number(app: &Shared) -> Result<Option<Phone>> {
    let mut conn = app.store.read().acquire().await?;
    Ok(read_document::<Policy>(&mut conn).await?.map(|(_, policy)| policy.duty_number.clone()))
}

/// The question that is open, again.
fn asked(app: &Shared, signed: &Signed, call: Call) -> Twiml {
    let (spoken, keys) = match &call.dialogue {
        Dialogue::Page { languages, menu, .. } => match menu.ask(spoken(languages), None).1 {
            menu::Next::Say { spoken, keys } => (spoken, keys),
            _ => return Twiml::new().hang_up(),
        },
        Dialogue::Duty { duty, .. } => match duty.clone().ask(None).1 {
            duty::Next::Say { spoken, keys } => (spoken, keys),
            _ => return Twiml::new().hang_up(),
        },
    };
    say(app, signed, &call, &spoken, keys)
}

fn say(app: &Shared, signed: &Signed, call: &Call, spoken: &[Spoken], keys: Option<Gather>) -> Twiml {
    let Some(keys) = keys else { return Twiml::new().say(spoken).hang_up() };
    let public = app.runner.channels().telephony().public_url();
    let action = format!("{public}/v1/telephony/{}/voice/digits?step={}", signed.account, call.step);
    Twiml::new().pause().gather(spoken, keys, &action).hang_up()
}

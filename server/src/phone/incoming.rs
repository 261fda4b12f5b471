//! SMS that come in: a responder's answer, an officer's code, "STOP", or noise. The provider's signature is checked first
//! (`Signed`). What is written back says nothing of any callout; to a stranger at most once an hour.

use super::{
    answers::Called,
    calls::Sid,
    menu::{DEFAULT_ETA, Told},
    sms::{Said, parse},
    texts::{Texts, fill, spoken},
    twiml::Twiml,
    voice::{duty_number, line_is_unusable, reference, shown},
};
use crate::{
    Result, Shared,
    callouts::documents::read_document,
    error::Error,
    intake::{Asking, Opened, RequestId, Tried, caller_digest, try_code},
    paging::Signed,
    proof::Shown,
    store::Tx,
};
use axum::extract::State;
use firstlight_protocol::{
    PersonId, Problem, Secret, Timestamp,
    api::IntakeCallout,
    callout::{Action, Code, FailReason, Phone},
    line::Line,
    policy::Policy,
};

/// An SMS to one of our numbers (a Twilio message request), signed by its account. Not for people.
#[utoipa::path(post, path = "/v1/telephony/{account}/incoming-sms", tag = "telephony", security(()),
    params(("account" = String, Path, description = "The account")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "TwiML", body = String, content_type = "text/xml"),
        (status = 403, body = Problem)))]
pub(super) async fn incoming(State(app): State<Shared>, signed: Signed) -> Result<Twiml> {
    let message = signed.field("MessageSid");
    let plain = (1..=64).contains(&message.len()) && message.bytes().all(|b| b.is_ascii_alphanumeric());
    let (true, Some(number)) = (plain, shown(signed.field("From"))) else { return Ok(Twiml::new()) };
    let (sid, now) = (Sid::of(&signed.account, message), app.clock.now());
    if let Some(answer) = app.store.write(move |tx| Box::pin(async move { tx.known_message(sid).await })).await? {
        return Ok(written(&answer));
    }
    let caller = caller_digest(number.as_str());
    if app.phone.messages.check(caller, now).is_err() {
        return Ok(Twiml::new());
    }
    let opt_out = Some(signed.field("OptOutType")).filter(|word| !word.is_empty());
    let reply = match parse(signed.field("Body"), opt_out) {
        Said::Stop => blocked(&app, number, now).await?,
        Said::Start => {
            app.store.write(move |tx| Box::pin(async move { tx.unblock_number(number.as_str(), now).await })).await?;
            None
        }
        Said::Code { code, young_people, place } => match try_code(&app, Secret::new(code), caller, now).await? {
            Tried::Line(line) => called_in(&app, sid, *line, number, (young_people, place), now).await?,
            Tried::Wrong => stranger(&app, caller, now),
            // Who has the right code and is turned away needs somebody to call; once an hour, as every stranger.
            Tried::Locked => match (stranger(&app, caller, now), duty_number(&app).await?) {
                (Some(_), Some(number)) => Some(fill(&spoken(&[]).sms.not_opened, [("number", number.as_str())])),
                (reply, _) => reply,
            },
        },
        said => match answered(&app, sid, number, said, now).await? {
            Some(reply) => Some(reply),
            None => stranger(&app, caller, now),
        },
    };
    let reply = reply.unwrap_or_default();
    let kept = reply.clone();
    app.store.write(move |tx| Box::pin(async move { tx.remember_message(sid, &kept, now).await })).await?;
    Ok(written(&reply))
}

fn written(answer: &str) -> Twiml {
    if answer.is_empty() { Twiml::new() } else { Twiml::new().message(answer) }
}

/// Somebody of whom nothing is known, or whose code is wrong: the two look alike.
fn stranger(app: &Shared, caller: [u8; 32], now: Timestamp) -> Option<String> {
    let due = app.phone.strangers.check(caller, now).is_ok();
    due.then(|| spoken(&[]).sms.unknown.clone())
}

/// "STOP": nothing reaches them by SMS any more, so nobody must count on it. The provider has answered them itself.
async fn blocked(app: &Shared, number: Phone, now: Timestamp) -> Result<Option<String>> {
    app.store
        .write(move |tx| {
            Box::pin(async move {
                for (person, contact) in tx.reached_by_number(number.as_str()).await? {
                    tx.contact_failed(person, contact, FailReason::BlockedSender, now).await?;
                }
                Ok(())
            })
        })
        .await?;
    Ok(None)
}

/// An officer's code: opens a callout with their number as call-back. The first time, the outbox writes to them, as of
/// everything that follows; to a repeated message the answer comes from here.
async fn called_in(
    app: &Shared,
    sid: Sid,
    line: Line,
    number: Phone,
    (young_people, place): (Option<u16>, Option<Code>),
    now: Timestamp,
) -> Result<Option<String>> {
    let (texts, unusable) = (spoken(&line.languages), line.id);
    let request = RequestId::of(&[b"message", &sid.0]);
    let opened = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                let mut asked = IntakeCallout { young_people, ..IntakeCallout::new(number) };
                if let (Some(place), Some((_, policy))) = (place, read_document::<Policy>(tx.conn).await?) {
                    // A word that is no place of ours must not keep the callout from being opened.
                    if policy.zones.contains(&place) {
                        asked.zone = Some(place);
                    } else if policy.sites.contains(&place) {
                        asked.site = Some(place);
                    }
                }
                tx.open_from_line(&line, request, &asked, Asking::Officer, now).await
            })
        })
        .await;
    let number = duty_number(app).await?.map(String::from).unwrap_or_default();
    Ok(match opened {
        Ok(Opened::New(_)) => None,
        Ok(Opened::Known(view) | Opened::Recent(view)) => {
            Some(fill(&texts.sms.opened, [("reference", &reference(view.id))]))
        }
        Ok(Opened::Exhausted) => Some(fill(&texts.sms.quota, [("number", &number)])),
        Err(Error::Refused(_)) => {
            line_is_unusable(app, unusable, now).await?;
            Some(fill(&texts.sms.not_opened, [("number", &number)]))
        }
        Err(error) => return Err(error),
    })
}

/// A responder's answer; `None` if the number is nobody's.
async fn answered(app: &Shared, sid: Sid, number: Phone, said: Said, now: Timestamp) -> Result<Option<String>> {
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let Some(person) = tx.person_of_number(number.as_str()).await? else { return Ok(None) };
                let texts = spoken(&tx.languages_of(person).await?);
                if tx.take_test_reply(person, &number, &said, now).await? {
                    return Ok(Some(texts.sms.test.clone()));
                }
                tx.take_sms(person, sid, said, texts, now).await.map(Some)
            })
        })
        .await
}

impl Tx<'_> {
    /// A yes while no callout waits for one is the answer to a readiness test, if one was sent there.
    async fn take_test_reply(&mut self, person: PersonId, number: &Phone, said: &Said, now: Timestamp) -> Result<bool> {
        let busy = self.newest_unanswered(person).await?.is_some() || !self.coming_to(person).await?.is_empty();
        let Some(check) = self.newest_check(person).await?.filter(|_| !busy && matches!(said, Said::Yes { .. })) else {
            return Ok(false);
        };
        for (_, contact) in self.reached_by_number(number.as_str()).await?.into_iter().filter(|(p, _)| *p == person) {
            // Refused where no test went there; nothing has changed then.
            if self.confirm_test(check, person, Shown::Contact(contact), None, now).await.is_ok() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn take_sms(
        &mut self,
        person: PersonId,
        sid: Sid,
        said: Said,
        texts: &'static Texts,
        now: Timestamp,
    ) -> Result<String> {
        let say = &texts.sms;
        let waiting = self.newest_unanswered(person).await?;
        let coming = self.coming_to(person).await?;
        let policy = read_document::<Policy>(self.conn).await?;
        if policy.is_some_and(|(_, policy)| policy.voice_pin) && !matches!(said, Said::Unclear) {
            // Where a keypress needs a PIN, a number that anybody can forge proves still less.
            if let (Said::Yes { .. }, Some(callout)) = (&said, waiting) {
                self.answer_by_phone(&Called { person, callout }, &sid.0, Action::Acknowledge, now).await?;
            }
            return Ok(say.pin.clone());
        }
        let (callout, action) = match (said, waiting, coming.as_slice()) {
            // "I need 45 minutes" to the one, or "I am going" to the other: nobody but they can tell.
            (Said::Yes { .. }, Some(_), [_, ..]) => return Ok(say.busy.clone()),
            (Said::Yes { minutes }, Some(callout), _) => {
                (callout, Action::Accept { eta_minutes: minutes.unwrap_or(DEFAULT_ETA) })
            }
            (Said::Yes { minutes: Some(eta_minutes) }, None, [callout]) => (*callout, Action::Eta { eta_minutes }),
            (Said::No, Some(callout), _) => (callout, Action::Decline),
            // A late "N" must not take back what was accepted since.
            (Said::No, None, [_, ..]) => return Ok(say.drop_out.clone()),
            (Said::Here, _, [callout]) => (*callout, Action::Arrived),
            (Said::Here, _, [_, _, ..]) => return Ok(say.failed.clone()),
            (Said::Yes { .. } | Said::No | Said::Here, ..) => return Ok(say.nothing.clone()),
            _ => return Ok(say.unclear.clone()),
        };
        let told = self.answer_by_phone(&Called { person, callout }, &sid.0, action.clone(), now).await?;
        let minutes = match action {
            Action::Accept { eta_minutes } | Action::Eta { eta_minutes } => eta_minutes.to_string(),
            _ => String::new(),
        };
        Ok(match told {
            Told::Accepted => {
                let said = fill(&say.accepted, [("minutes", &minutes), ("reference", &reference(callout))]);
                if self.is_drill(callout).await? { format!("{} {said}", texts.page.drill) } else { said }
            }
            Told::Eta(_) => fill(&say.eta, [("minutes", &minutes)]),
            Told::Arrived => say.arrived.clone(),
            Told::Declined => say.declined.clone(),
            Told::Filled => say.filled.clone(),
            Told::Over => say.nothing.clone(),
            Told::Failed => say.failed.clone(),
        })
    }
}

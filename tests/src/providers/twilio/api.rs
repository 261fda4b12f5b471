//! The provider's REST API.

use super::{
    Answering, Keys, Shown, State, Texting, Trouble,
    call::{self, Line},
    lock,
    report::Message,
};
use axum::{
    Json,
    extract::{Form, Path, State as Shared},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;
use std::sync::Arc;

type Fields = Vec<(String, String)>;

fn field<'a>(form: &'a Fields, name: &str) -> Option<&'a str> {
    form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

fn refused(status: u16, code: u32) -> Response {
    let status = StatusCode::from_u16(status).expect("a status");
    let more = format!("https://www.twilio.com/docs/errors/{code}");
    let body = json!({ "code": code, "message": "refused", "more_info": more, "status": status.as_u16() });
    (status, Json(body)).into_response()
}

/// What is common to all requests: the account's secret, its trouble, the fields that nothing goes without.
async fn admit(state: &State, account: &str, headers: &HeaderMap, form: &Fields) -> Result<(), Box<Response>> {
    *lock(&state.asked).entry(account.to_owned()).or_default() += 1;
    let known = lock(&state.accounts).iter().find(|known| known.sid == account).cloned();
    let expected = known.map(|known| format!("Basic {}", STANDARD.encode(format!("{}:{}", known.sid, known.token))));
    if headers.get("authorization").and_then(|value| value.to_str().ok().map(str::to_owned)) != expected {
        return Err(Box::new(refused(401, 20_003)));
    }
    let trouble = lock(&state.troubles).get(account).copied();
    match trouble {
        Some(Trouble::Refuses { status, code }) => return Err(Box::new(refused(status, code))),
        Some(Trouble::Stalls(time)) => tokio::time::sleep(time).await,
        Some(Trouble::AnswersNothing | Trouble::Loses { .. }) | None => {}
    }
    match field(form, "To").is_some_and(|to| to.starts_with('+')) && field(form, "From").is_some() {
        true => Ok(()),
        false => Err(Box::new(refused(400, 21_211))),
    }
}

/// An answer that never arrives, where that is the account's trouble.
fn answer(state: &State, account: &str, body: serde_json::Value) -> Response {
    if lock(&state.troubles).get(account) == Some(&Trouble::AnswersNothing) {
        // A panic in a handler ends its connection without a word; this says less about itself.
        let broken = axum::body::Body::from_stream(futures_util::stream::once(async {
            Err::<String, _>(std::io::Error::other("the line is cut"))
        }));
        return (StatusCode::CREATED, broken).into_response();
    }
    (StatusCode::CREATED, Json(body)).into_response()
}

/// Does what was asked to its end, even if whoever asked doesn't wait for the answer.
async fn to_its_end(done: impl Future<Output = Response> + Send + 'static) -> Response {
    tokio::spawn(done).await.expect("a request that is done")
}

/// `POST …/Messages.json`.
pub(super) async fn message(
    Shared(state): Shared<Arc<State>>,
    Path(account): Path<String>,
    headers: HeaderMap,
    Form(form): Form<Fields>,
) -> Response {
    to_its_end(take_message(state, account, headers, form)).await
}

async fn take_message(state: Arc<State>, account: String, headers: HeaderMap, form: Fields) -> Response {
    if let Err(refusal) = admit(&state, &account, &headers, &form).await {
        return *refusal;
    }
    let value = |name| field(&form, name).unwrap_or_default().to_owned();
    let (to, from, body) = (value("To"), value("From"), value("Body"));
    let trouble = lock(&state.troubles).get(&account).copied();
    let texting = match trouble {
        Some(Trouble::Loses { code }) => Texting::Undelivered { code },
        _ => lock(&state.texting).get(&to).copied().unwrap_or_default(),
    };
    if let Texting::Refused { code } = texting {
        return refused(400, code);
    }
    if body.is_empty() || body.chars().count() > 1600 {
        return refused(400, 21_617);
    }
    let sid = state.sid("SM");
    let code = match texting {
        Texting::Undelivered { code } | Texting::UndeliveredAtOnce { code } => Some(code),
        Texting::DeliveredAfterAll => Some(30_003),
        _ => None,
    };
    let about = Message { sid: sid.clone(), callback: field(&form, "StatusCallback").map(str::to_owned), code };
    if matches!(texting, Texting::UndeliveredAtOnce { .. }) {
        state.report_message(&account, &to, &from, &about, "undelivered").await;
    }
    let answered = answer(
        &state,
        &account,
        json!({ "sid": sid, "account_sid": account, "to": to, "from": from, "status": "queued", "num_segments": "1" }),
    );
    tokio::spawn(async move {
        let reports: &[&str] = match texting {
            Texting::Arrives => &["sent", "delivered"],
            Texting::Undelivered { .. } => &["sent", "undelivered"],
            Texting::ReportedTwice => &["sent", "sent", "delivered", "delivered"],
            Texting::ReportedBackwards => &["delivered", "sent", "queued"],
            Texting::DeliveredAfterAll => &["sent", "undelivered", "delivered"],
            Texting::NeverReported | Texting::Refused { .. } | Texting::UndeliveredAtOnce { .. } => &[],
        };
        if !matches!(texting, Texting::Undelivered { .. } | Texting::UndeliveredAtOnce { .. }) {
            state.show(&to, Shown::Text { from: from.clone(), body });
        }
        for report in reports {
            state.report_message(&account, &to, &from, &about, report).await;
        }
    });
    answered
}

/// `POST …/Calls.json`.
pub(super) async fn call(
    Shared(state): Shared<Arc<State>>,
    Path(account): Path<String>,
    headers: HeaderMap,
    Form(form): Form<Fields>,
) -> Response {
    to_its_end(take_call(state, account, headers, form)).await
}

async fn take_call(state: Arc<State>, account: String, headers: HeaderMap, form: Fields) -> Response {
    if let Err(refusal) = admit(&state, &account, &headers, &form).await {
        return *refusal;
    }
    let value = |name| field(&form, name).unwrap_or_default().to_owned();
    let (to, from) = (value("To"), value("From"));
    let answering = lock(&state.answering).get(&to).cloned().unwrap_or_default();
    if let Answering::Refused { code } = answering {
        return refused(400, code);
    }
    let sid = state.sid("CA");
    let answered = answer(
        &state,
        &account,
        json!({ "sid": sid, "account_sid": account, "to": to, "from": from, "status": "queued" }),
    );
    let line = Line { sid, account, from, person: to.clone(), to, inbound: false, answered_by: None };
    lock(&state.calls).insert(line.sid.clone(), false);
    tokio::spawn(async move {
        ring(&state, line.clone(), &form, answering).await;
        lock(&state.calls).remove(&line.sid);
    });
    answered
}

async fn ring(state: &State, mut line: Line, form: &Fields, answering: Answering) {
    let report = |line: Line, status: &'static str, event: &'static str, code: u32| {
        // As the real one: only the end is reported, unless more was asked for.
        let asked = form.iter().filter(|(name, _)| name == "StatusCallbackEvent").any(|(_, value)| value == event);
        let wanted = asked || event == "completed";
        let url = field(form, "StatusCallback").map(str::to_owned).filter(|_| wanted);
        async move {
            let Some(url) = url else { return };
            let code = code.to_string();
            let mut fields = line.form(status);
            if code != "0" {
                fields.push(("ErrorCode", &code));
            }
            state.post(&line.account, &url, &fields).await;
        }
    };
    report(line.clone(), "initiated", "initiated", 0).await;
    if let Answering::Fails { code } = answering {
        return report(line, "failed", "completed", code).await;
    }
    if answering == Answering::Busy {
        return report(line, "busy", "completed", 0).await;
    }
    state.show(&line.person, Shown::Rang { from: line.from.clone() });
    report(line.clone(), "ringing", "ringing", 0).await;
    if state.wants_ended(&line.sid) {
        return report(line, "canceled", "completed", 0).await;
    }
    let keys = match answering {
        Answering::Person(keys) => keys,
        Answering::Voicemail => {
            if field(form, "MachineDetection").is_some() {
                line.answered_by = Some("machine_start");
            }
            vec![Keys::Silence; 10]
        }
        _ => return report(line, "no-answer", "completed", 0).await,
    };
    state.show(&line.person, Shown::PickedUp { machine: keys.contains(&Keys::Silence) && keys.len() == 10 });
    report(line.clone(), "in-progress", "answered", 0).await;
    if let Some(url) = field(form, "Url") {
        call::talk(state, &line, url, keys).await;
    }
    report(line, "completed", "completed", 0).await;
}

/// `POST …/Calls/{sid}.json`: ends a call.
pub(super) async fn change_call(
    Shared(state): Shared<Arc<State>>,
    Path((account, call)): Path<(String, String)>,
    headers: HeaderMap,
    Form(form): Form<Fields>,
) -> Response {
    let mut whole = form;
    whole.extend([("To".into(), "+".into()), ("From".into(), "+".into())]);
    if let Err(refusal) = admit(&state, &account, &headers, &whole).await {
        return *refusal;
    }
    let sid = call.trim_end_matches(".json").to_owned();
    let ends = matches!(field(&whole, "Status"), Some("completed" | "canceled"));
    match lock(&state.calls).get_mut(&sid) {
        Some(end) if ends => *end = true,
        Some(_) => return refused(400, 21_218),
        None => return refused(400, 21_220),
    }
    Json(json!({ "sid": sid, "account_sid": account, "status": "completed" })).into_response()
}

impl State {
    pub(super) fn wants_ended(&self, call: &str) -> bool {
        lock(&self.calls).get(call).copied().unwrap_or_default()
    }
}

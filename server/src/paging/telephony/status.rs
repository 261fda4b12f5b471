//! What a provider reports of a message or call. Verified first; late, repeated and out-of-order reports are harmless.

use super::{Signed, codes};
use crate::{Result, Shared, runner::Report};
use axum::{extract::State, http::StatusCode};
use firstlight_protocol::{ErrorCode, Problem, callout::FailReason};

/// A provider's report of a message or call (a Twilio status callback), signed by its account. Not for people.
#[utoipa::path(post, path = "/v1/telephony/{account}/status", tag = "telephony", security(()),
    params(("account" = String, Path, description = "The account"),
        ("page" = String, Query, description = "The page"), ("leg" = u32, Query, description = "Which try of it")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(in crate::paging) async fn status(State(app): State<Shared>, signed: Signed) -> Result<StatusCode> {
    let page = signed.parameter("page").parse().map_err(|_| ErrorCode::NotFound)?;
    let leg = signed.parameter("leg").parse().map_err(|_| ErrorCode::NotFound)?;
    let (sid, call) = match signed.field("CallSid") {
        "" => (signed.field("MessageSid"), false),
        sid => (sid, true),
    };
    if !(1..=64).contains(&sid.len()) || !sid.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(ErrorCode::NotFound.into());
    }
    let report = if call { of_call(&signed) } else { of_message(&signed) };
    let (account, reference, now) = (signed.account.clone(), sid.to_owned(), app.clock.now());
    let detail = code(&signed).map(|code| format!("error {code}"));
    let accounts = Shared::clone(&app);
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let leg = crate::runner::LegKey { account, page, leg, reference };
                let telephony = accounts.runner.channels().telephony();
                tx.provider_reports(telephony, &leg, report, detail, now).await
            })
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn code(signed: &Signed) -> Option<u32> {
    signed.field("ErrorCode").parse().ok().filter(|code| *code != 0)
}

fn of_message(signed: &Signed) -> Report {
    match signed.field("MessageStatus") {
        "sending" | "sent" => Report::Sent,
        "delivered" | "read" => Report::Delivered,
        "undelivered" | "failed" => Report::Failed(of_number(signed)),
        // Queued and accepted say no more than the answer to our request did; a word of tomorrow says nothing.
        _ => Report::Nothing,
    }
}

/// A call that ended is no answer, whoever or whatever took it: a keypress is, and the voice menu reports that.
fn of_call(signed: &Signed) -> Report {
    if matches!(signed.field("AnsweredBy"), "fax" | "machine_start")
        || signed.field("AnsweredBy").starts_with("machine_end")
    {
        return Report::Failed(FailReason::Voicemail);
    }
    match signed.field("CallStatus") {
        "ringing" | "in-progress" => Report::Sent,
        // Canceled: we hung up, since somebody has answered by another way.
        "completed" | "no-answer" | "canceled" => Report::Failed(FailReason::NoAnswer),
        "busy" => Report::Failed(FailReason::Busy),
        "failed" => Report::Failed(of_number(signed)),
        _ => Report::Nothing,
    }
}

/// Why nothing could be delivered: the number itself, or the network.
fn of_number(signed: &Signed) -> FailReason {
    code(signed).and_then(codes::of_number).unwrap_or(FailReason::Undelivered)
}

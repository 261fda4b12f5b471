//! The ntfy channel (docs.ntfy.sh, "Publish as JSON"): a topic on a push server that an organisation can run itself.

use super::{
    Message,
    outcome::{Outcome, Sent},
    web::Web,
};
use firstlight_protocol::{Secret, api::MessageKind};
use serde::Serialize;

/// What it is called in the record of a page.
const VENDOR: &str = "ntfy";

#[derive(Serialize)]
struct Publish<'a> {
    topic: &'a str,
    message: &'a str,
    priority: u8,
}

/// Publishes once.
pub(super) async fn send(web: &Web, url: &str, token: Option<&Secret>, message: &Message<'_>) -> Sent {
    let nowhere = || Sent::new(VENDOR, Outcome::NotConfigured);
    let Some(mut url) = web.allowed().check(url) else { return nowhere() };
    let path = url.path().trim_end_matches('/').to_owned();
    let Some((root, topic)) = path.rsplit_once('/').filter(|(_, topic)| !topic.is_empty()) else { return nowhere() };
    url.set_path(if root.is_empty() { "/" } else { root });
    // 5 rings until it is looked at, through do-not-disturb where the person allows that; 3 is an ordinary message.
    let priority = if matches!(message.kind, MessageKind::Page | MessageKind::Test) { 5 } else { 3 };
    let Ok(body) = serde_json::to_vec(&Publish { topic, message: message.text, priority }) else { return nowhere() };
    let request = web.client().post(url).header("content-type", "application/json").body(body);
    let request = match token {
        Some(token) => request.bearer_auth(token.reveal()),
        None => request,
    };
    Sent::of_http(VENDOR, &request.send().await)
}

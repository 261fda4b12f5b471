//! Requests to us: signed as Twilio signs them.
//!
//! `X-Twilio-Signature` is base64(HMAC-SHA1(token, URL + each field's name and value, sorted by name)).

use super::State;
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use sha1::Sha1;

pub(super) fn sign(token: &str, url: &str, form: &[(&str, &str)]) -> String {
    let mut sorted = form.to_vec();
    sorted.sort_unstable();
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).expect("a key of any length");
    mac.update(url.as_bytes());
    for (name, value) in sorted {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

impl State {
    /// A signed request; the answer's status (0: there was none) and body.
    pub(super) async fn post(&self, account: &str, url: &str, form: &[(&str, &str)]) -> (u16, String) {
        self.post_signed(&self.token(account), url, form).await
    }

    pub(super) async fn post_signed(&self, token: &str, url: &str, form: &[(&str, &str)]) -> (u16, String) {
        let signature = sign(token, url, form);
        let sent = self.client.post(url).header("x-twilio-signature", signature).form(form).send().await;
        match sent {
            Ok(answer) => (answer.status().as_u16(), answer.text().await.unwrap_or_default()),
            Err(_) => (0, String::new()),
        }
    }

    /// Reports a message's state, if anybody asked for reports.
    pub(super) async fn report_message(&self, account: &str, to: &str, from: &str, about: &Message, state: &str) {
        let Some(url) = &about.callback else { return };
        let code = about.code.map(|code| code.to_string()).unwrap_or_default();
        let mut form = vec![
            ("MessageSid", about.sid.as_str()),
            ("SmsSid", about.sid.as_str()),
            ("AccountSid", account),
            ("From", from),
            ("To", to),
            ("MessageStatus", state),
            ("SmsStatus", state),
        ];
        if matches!(state, "undelivered" | "failed") {
            form.push(("ErrorCode", code.as_str()));
        }
        self.post(account, url, &form).await;
    }
}

/// A message that is reported on.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) sid: String,
    pub(super) callback: Option<String>,
    pub(super) code: Option<u32>,
}

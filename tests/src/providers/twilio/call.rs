//! Calls: the TwiML that they are told to play, and the keys that people press.

use super::{
    Keys, Shown, State,
    twiml::{Verb, verbs},
};
use std::collections::VecDeque;

/// No call asks more often than this; one that does would go on for ever.
const MOST_DOCUMENTS: usize = 40;

/// One call.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) sid: String,
    pub(super) account: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) inbound: bool,
    /// Whose telephone the history belongs to.
    pub(super) person: String,
    pub(super) answered_by: Option<&'static str>,
}

impl Line {
    /// The fields that every request about the call has.
    pub(super) fn form<'a>(&'a self, status: &'a str) -> Vec<(&'a str, &'a str)> {
        let direction = if self.inbound { "inbound" } else { "outbound-api" };
        let mut form = vec![
            ("CallSid", self.sid.as_str()),
            ("AccountSid", self.account.as_str()),
            ("From", self.from.as_str()),
            ("To", self.to.as_str()),
            ("CallStatus", status),
            ("Direction", direction),
            ("ApiVersion", "2010-04-01"),
        ];
        form.extend(self.answered_by.map(|by| ("AnsweredBy", by)));
        form
    }
}

/// Whether the talk goes on.
enum Then {
    Next(String, Option<String>),
    Over,
}

/// Fetches what the call says from `url`, and goes on as the documents and the person say, until either hangs up.
pub(super) async fn talk(state: &State, line: &Line, url: &str, keys: Vec<Keys>) {
    let mut keys: VecDeque<Keys> = keys.into();
    let (mut url, mut digits) = (url.to_owned(), None::<String>);
    for _ in 0..MOST_DOCUMENTS {
        if state.wants_ended(&line.sid) {
            break;
        }
        let mut form = line.form(if line.inbound { "ringing" } else { "in-progress" });
        form.extend(digits.as_deref().map(|digits| ("Digits", digits)));
        let (_, document) = state.post(&line.account, &url, &form).await;
        match play(state, line, verbs(&document), &mut keys, &url) {
            Then::Next(next, pressed) => (url, digits) = (next, pressed),
            Then::Over => break,
        }
    }
    state.show(&line.person, Shown::HungUp);
}

fn play(state: &State, line: &Line, verbs: Vec<Verb>, keys: &mut VecDeque<Keys>, url: &str) -> Then {
    for verb in verbs {
        match verb {
            Verb::Say { language, text } => state.show(&line.person, Shown::Heard { language, text }),
            Verb::Pause | Verb::Message(_) => {}
            Verb::Hangup => return Then::Over,
            Verb::Redirect(next) => return Then::Next(absolute(url, &next), None),
            Verb::Gather { action, on_empty, digits, finish, inside } => {
                play(state, line, inside, &mut VecDeque::new(), url);
                let action = absolute(url, action.as_deref().unwrap_or(url));
                match keys.pop_front() {
                    Some(Keys::Press(pressed)) => {
                        state.show(&line.person, Shown::Pressed(pressed.clone()));
                        let taken = gathered(&pressed, digits, &finish);
                        if !taken.is_empty() || on_empty {
                            return Then::Next(action, Some(taken));
                        }
                    }
                    Some(Keys::Silence) if on_empty => return Then::Next(action, Some(String::new())),
                    Some(Keys::Silence) => {}
                    Some(Keys::HangUp) | None => return Then::Over,
                }
            }
        }
    }
    Then::Over
}

/// What a Gather makes of the keys: up to the finishing key, and no more than it wants.
fn gathered(pressed: &str, digits: Option<usize>, finish: &str) -> String {
    let until: String = pressed.chars().take_while(|key| !finish.contains(*key)).collect();
    until.chars().take(digits.unwrap_or(usize::MAX)).collect()
}

/// TwiML may say addresses relative to its own.
fn absolute(base: &str, address: &str) -> String {
    let base = reqwest::Url::parse(base).expect("an address");
    base.join(address).expect("an address").to_string()
}

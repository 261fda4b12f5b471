//! TwiML: what a telephone provider is told to say and to listen for. Every text and every attribute is escaped here, and
//! nowhere else is XML written.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use std::fmt::Write;

/// A document in the making.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Twiml(String);

/// Text and the voice that reads it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spoken {
    pub(super) voice: &'static str,
    pub(super) text: String,
}

/// What keys to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gather {
    /// At most so many; the answer comes as soon as there are.
    pub(super) digits: u8,
    /// Whether the hash key ends the input.
    pub(super) hash_ends: bool,
    /// Seconds of silence that end it.
    pub(super) timeout: u8,
}

impl Twiml {
    /// An empty answer: nothing happens, nothing is written back.
    pub(super) fn new() -> Self {
        Self(String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>"))
    }

    /// Reads something out.
    pub(super) fn say(mut self, spoken: &[Spoken]) -> Self {
        spoken.iter().for_each(|line| self.say_one(line));
        self
    }

    /// Reads something out and waits for keys; what was keyed, or that nothing was, goes to `action`.
    pub(super) fn gather(mut self, spoken: &[Spoken], keys: Gather, action: &str) -> Self {
        let hash = if keys.hash_ends { "#" } else { "" };
        let Gather { digits, timeout, .. } = keys;
        let _ = write!(
            self.0,
            "<Gather input=\"dtmf\" method=\"POST\" actionOnEmptyResult=\"true\" numDigits=\"{digits}\" \
             timeout=\"{timeout}\" finishOnKey=\"{hash}\" action=\"{}\">",
            escaped(action)
        );
        spoken.iter().for_each(|line| self.say_one(line));
        self.0.push_str("</Gather>");
        self
    }

    /// Waits a moment.
    pub(super) fn pause(mut self) -> Self {
        self.0.push_str("<Pause length=\"1\"/>");
        self
    }

    /// Ends the call.
    pub(super) fn hang_up(mut self) -> Self {
        self.0.push_str("<Hangup/>");
        self
    }

    /// Writes an SMS back to whoever sent one.
    pub(super) fn message(mut self, text: &str) -> Self {
        let _ = write!(self.0, "<Message>{}</Message>", escaped(text));
        self
    }

    /// The whole document.
    pub(super) fn finish(self) -> String {
        self.0 + "</Response>"
    }

    fn say_one(&mut self, Spoken { voice, text }: &Spoken) {
        let _ = write!(self.0, "<Say language=\"{}\">{}</Say>", escaped(voice), escaped(text));
    }
}

impl IntoResponse for Twiml {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "text/xml; charset=utf-8")], self.finish()).into_response()
    }
}

/// Escapes for element content and for attributes in double quotes, and drops what XML 1.0 can't hold (§2.2).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\t' | '\n' | '\r' => out.push(' '),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEYS: Gather = Gather { digits: 1, hash_ends: false, timeout: 6 };

    #[test]
    fn a_question_and_its_answers_address() {
        let spoken = [Spoken { voice: "en-US", text: "A < B & \"C\"".into() }];
        let text = Twiml::new().gather(&spoken, KEYS, "https://example.org/x?a=1&b=2").hang_up().finish();
        assert_eq!(
            text,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Gather input=\"dtmf\" method=\"POST\" \
             actionOnEmptyResult=\"true\" numDigits=\"1\" timeout=\"6\" finishOnKey=\"\" \
             action=\"https://example.org/x?a=1&amp;b=2\"><Say language=\"en-US\">A &lt; B &amp; &quot;C&quot;</Say>\
             </Gather><Hangup/></Response>"
        );
        assert_eq!(Twiml::new().finish(), "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response></Response>");
    }

    proptest! {
        #[test]
        fn no_text_breaks_out_of_its_element(text in any::<String>()) {
            let written = Twiml::new().message(&text).finish();
            prop_assert_eq!(written.matches('<').count(), 5);
            prop_assert_eq!(written.matches('>').count(), 5);
            prop_assert!(!written.chars().any(|c| c < ' '));
        }
    }
}

//! What an officer hears who calls the duty number, and what their keys mean. Sans-IO, as `menu` is.

use super::{
    texts::{Texts, all, fill, spelled, spoken},
    twiml::{Gather, Spoken},
};
use firstlight_protocol::{
    LineId, Secret,
    callout::{Language, Phone},
    line::CODE_DIGITS,
};
use serde::{Deserialize, Serialize};

/// How often a question is asked before the call ends.
const ASKED: u8 = 3;
/// How many codes may be tried in one call.
const CODE_TRIES: u8 = 3;
const CODE: Gather = Gather { digits: *CODE_DIGITS.end(), hash_ends: true, timeout: 8 };
const ONE: Gather = Gather { digits: 1, hash_ends: false, timeout: 8 };
/// "This is about somebody else."
const ANOTHER: &str = "2";
const NUMBER: Gather = Gather { digits: 15, hash_ends: true, timeout: 8 };
/// Fewer digits than this are no number that somebody can be called back on from another network.
const SHORTEST_NUMBER: usize = 7;

/// How far a call is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Duty {
    /// Waits for the agency's code.
    Code { wrong: u8, silent: u8 },
    /// Knows the line, and waits for a number to call back on.
    Number { line: LineId, languages: Vec<Language>, silent: u8 },
    /// Knows what to open, and opens it.
    Opening { line: LineId, languages: Vec<Language>, call_back: Option<Phone> },
    /// Something was opened from this number a moment ago: is it about somebody else?
    Same { line: LineId, languages: Vec<Language>, call_back: Option<Phone>, reference: String },
    /// Said all there is to say.
    Over { languages: Vec<Language> },
}

/// What is heard on the line, or from the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    /// Keys, without the hash that ended them; empty after silence.
    Keys(String),
    /// The code is this line's; whether the caller's number is shown.
    Line { line: LineId, languages: Vec<Language>, number_shown: bool },
    /// No line has this code.
    NoLine,
    /// No more codes are taken from this caller now; the number that helps, if there is one.
    Locked { number: Option<Phone> },
    /// The callout is open.
    Opened { reference: String },
    /// One was opened from this number a moment ago.
    Recent { reference: String },
    /// The line may open no more today; the number that helps.
    Quota { number: Phone },
    /// It could not be opened; the number that helps, if there is one.
    Failed { number: Option<Phone> },
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// Say this, and wait for these keys or hang up.
    Say { spoken: Vec<Spoken>, keys: Option<Gather> },
    /// Look whose code this is.
    Check(Secret),
    /// Open a callout for this line; without `call_back`: call back on the caller's own number. `another`: it is about
    /// somebody else than the one a moment ago.
    Open { line: LineId, call_back: Option<Phone>, another: bool },
}

impl Duty {
    /// An officer has called.
    pub(super) fn begin() -> Self {
        Self::Code { wrong: 0, silent: 0 }
    }

    /// Takes what was heard.
    pub(super) fn hear(self, heard: Heard) -> (Self, Next) {
        match (self, heard) {
            (code @ Self::Code { .. }, Heard::Keys(keys)) if !keys.is_empty() => (code, Next::Check(Secret::new(keys))),
            (Self::Code { silent, .. }, Heard::Keys(_)) if silent + 1 >= ASKED => over(Vec::new(), |t| &t.page.goodbye),
            (Self::Code { wrong, silent }, Heard::Keys(_)) => Self::Code { wrong, silent: silent + 1 }.ask(None),
            (Self::Code { .. }, Heard::Line { line, number_shown: true, languages }) => {
                open(line, languages, None, false)
            }
            (Self::Code { .. }, Heard::Line { line, languages, .. }) => {
                Self::Number { line, languages, silent: 0 }.ask(None)
            }
            (Self::Code { wrong, .. }, Heard::NoLine) if wrong + 1 < CODE_TRIES => {
                Self::Code { wrong: wrong + 1, silent: 0 }.ask(Some(|t| &t.duty.wrong_code))
            }
            (Self::Code { .. }, Heard::Locked { number: Some(number) }) => {
                let texts = spoken(&[]);
                end(Vec::new(), texts, fill(&texts.duty.locked, [("number", &spelled(number.as_str()))]))
            }
            (Self::Code { .. }, Heard::NoLine | Heard::Locked { .. }) => over(Vec::new(), |t| &t.duty.wrong_code),
            (Self::Number { line, languages, silent }, Heard::Keys(keys)) => {
                let number = (keys.len() >= SHORTEST_NUMBER).then(|| keys.parse::<Phone>().ok()).flatten();
                match number {
                    Some(number) => open(line, languages, Some(number), false),
                    None if silent + 1 >= ASKED => over(languages, |t| &t.page.goodbye),
                    None => Self::Number { line, languages, silent: silent + 1 }.ask(None),
                }
            }
            (Self::Opening { line, languages, call_back }, Heard::Recent { reference }) => {
                Self::Same { line, languages, call_back, reference }.ask(None)
            }
            (Self::Same { line, languages, call_back, .. }, Heard::Keys(keys)) if keys == ANOTHER => {
                open(line, languages, call_back, true)
            }
            (Self::Same { languages, .. }, Heard::Keys(_)) => over(languages, |t| &t.page.goodbye),
            (Self::Opening { languages, .. }, Heard::Opened { reference }) => {
                let texts = spoken(&languages);
                let text = fill(&texts.duty.opened, [("reference", &spelled(&reference))]);
                end(languages, texts, text)
            }
            (Self::Opening { languages, .. }, Heard::Quota { number }) => {
                let texts = spoken(&languages);
                let text = fill(&texts.duty.quota, [("number", &spelled(number.as_str()))]);
                end(languages, texts, text)
            }
            (Self::Opening { languages, .. }, Heard::Failed { number: Some(number) }) => {
                let texts = spoken(&languages);
                let text = fill(&texts.duty.failed, [("number", &spelled(number.as_str()))]);
                end(languages, texts, text)
            }
            (Self::Opening { languages, .. } | Self::Over { languages }, _) => over(languages, |t| &t.page.goodbye),
            // An answer to a question that this state has not asked.
            (state, _) => state.ask(None),
        }
    }

    /// What is asked in this state: when the call comes in, and again when a request is repeated.
    pub(super) fn ask(self, before: Option<fn(&'static Texts) -> &'static String>) -> (Self, Next) {
        type Text = fn(&'static Texts) -> &'static String;
        if let Self::Same { languages, reference, .. } = &self {
            let texts = spoken(languages);
            let text = fill(&texts.duty.same, [("reference", &spelled(reference))]);
            let spoken = vec![Spoken { voice: &texts.voice, text }];
            return (self, Next::Say { spoken, keys: Some(ONE) });
        }
        let (texts, text, keys): (Vec<_>, Text, _) = match &self {
            // Nobody knows yet which language the caller speaks.
            Self::Code { .. } => (all().collect(), |t| &t.duty.code, CODE),
            Self::Number { languages, .. } => (vec![spoken(languages)], |t| &t.duty.call_back, NUMBER),
            Self::Opening { languages, .. } | Self::Same { languages, .. } | Self::Over { languages } => {
                return over(languages.clone(), |t| &t.page.goodbye);
            }
        };
        let lines = texts.into_iter().flat_map(|t| {
            let lines = before.map(|before| before(t)).into_iter().chain([text(t)]);
            lines.map(|text| Spoken { voice: &t.voice, text: text.clone() })
        });
        let spoken = lines.collect();
        (self, Next::Say { spoken, keys: Some(keys) })
    }
}

fn open(line: LineId, languages: Vec<Language>, call_back: Option<Phone>, another: bool) -> (Duty, Next) {
    let next = Next::Open { line, call_back: call_back.clone(), another };
    (Duty::Opening { line, languages, call_back }, next)
}

fn over(languages: Vec<Language>, text: fn(&'static Texts) -> &'static String) -> (Duty, Next) {
    let texts = spoken(&languages);
    end(languages, texts, text(texts).clone())
}

fn end(languages: Vec<Language>, texts: &'static Texts, text: String) -> (Duty, Next) {
    let spoken = vec![Spoken { voice: &texts.voice, text }];
    (Duty::Over { languages }, Next::Say { spoken, keys: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(keys: &str) -> Heard {
        Heard::Keys(keys.into())
    }

    fn line(number_shown: bool) -> Heard {
        let languages = vec!["es".parse().unwrap()];
        Heard::Line { line: LineId([1; 16]), languages, number_shown }
    }

    fn said(next: &Next) -> String {
        let Next::Say { spoken, .. } = next else { panic!("{next:?}") };
        spoken.iter().map(|s| format!("{}: {}", s.voice, s.text)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_code_opens_at_once_where_the_number_is_shown() {
        let (duty, greeting) = Duty::begin().ask(None);
        assert!(said(&greeting).contains("en-US: Duty line") && said(&greeting).contains("es-MX: Línea"));
        let (duty, next) = duty.hear(keys("40718265"));
        assert_eq!(next, Next::Check(Secret::new("40718265")));
        let (duty, next) = duty.hear(line(true));
        assert_eq!(next, Next::Open { line: LineId([1; 16]), call_back: None, another: false });
        let (duty, next) = duty.hear(Heard::Opened { reference: "a7z".into() });
        assert!(said(&next).starts_with("es-MX:") && said(&next).contains("Alfa, 7, Zulu"), "the line's language");
        let (_, next) = duty.hear(keys("40718265"));
        assert!(matches!(next, Next::Say { keys: None, .. }), "it opens no second one");
    }

    #[test]
    fn whoever_hides_their_number_keys_one_in() {
        let (duty, next) = Duty::begin().hear(line(false));
        assert!(matches!(next, Next::Say { keys: Some(NUMBER), .. }));
        let (duty, next) = duty.hear(keys("123"));
        assert!(matches!(next, Next::Say { keys: Some(NUMBER), .. }), "too short");
        let (_, next) = duty.hear(keys("5555550100"));
        let call_back = "5555550100".parse().ok();
        assert_eq!(next, Next::Open { line: LineId([1; 16]), call_back, another: false });
    }

    #[test]
    fn three_wrong_codes_or_a_lock_end_the_call() {
        let mut duty = Duty::begin();
        for _ in 0..2 {
            let (after, next) = duty.hear(Heard::NoLine);
            assert!(said(&next).contains("not known") && matches!(next, Next::Say { keys: Some(CODE), .. }));
            duty = after;
        }
        let (duty, next) = duty.hear(Heard::NoLine);
        assert!(matches!((duty, next), (Duty::Over { .. }, Next::Say { keys: None, .. })));
        let locked = Duty::begin().hear(Heard::Locked { number: "555-0100".parse().ok() }).1;
        assert!(
            said(&locked).contains("5, 5, 5") && matches!(locked, Next::Say { keys: None, .. }),
            "whom to call instead"
        );
    }

    #[test]
    fn a_second_call_is_asked_whether_it_is_about_somebody_else() {
        let asked = || {
            let (duty, _) = Duty::begin().hear(line(true));
            duty.hear(Heard::Recent { reference: "a7z".into() })
        };
        let (duty, next) = asked();
        assert!(said(&next).contains("Alfa, 7, Zulu") && matches!(next, Next::Say { keys: Some(ONE), .. }));
        let (_, next) = duty.hear(keys("2"));
        assert_eq!(next, Next::Open { line: LineId([1; 16]), call_back: None, another: true });
        for same in ["", "1"] {
            assert!(matches!(asked().0.hear(keys(same)), (Duty::Over { .. }, Next::Say { keys: None, .. })));
        }
    }

    #[test]
    fn silence_ends_the_call() {
        let mut duty = Duty::begin();
        for _ in 0..ASKED {
            duty = duty.hear(keys("")).0;
        }
        assert!(matches!(duty, Duty::Over { .. }));
    }
}

//! What a responder hears who is called, and what their keys mean. Sans-IO: a state and what was heard go in; a state and
//! what to do next come out. Acceptance happens at the key 1; what is keyed after it changes the ETA alone, so that
//! somebody who hangs up after 1 is on their way all the same. Nothing but a key is an answer.

use super::{
    texts::{Page, Texts, fill},
    twiml::{Gather, Spoken},
};
use firstlight_protocol::{Secret, api::PIN_DIGITS, callout::MAX_ETA_MINUTES};
use serde::{Deserialize, Serialize};

/// The ETA of somebody who doesn't key one in.
pub(super) const DEFAULT_ETA: u16 = 30;
/// How often a question is asked before the call ends; a voicemail hears it as often.
const ASKED: u8 = 3;
/// How many PINs may be tried in one call.
const PIN_TRIES: u8 = 3;
const ONE_KEY: Gather = Gather { digits: 1, hash_ends: false, timeout: 6 };
const MINUTES: Gather = Gather { digits: 4, hash_ends: true, timeout: 8 };
const PIN: Gather = Gather { digits: *PIN_DIGITS.end() as u8, hash_ends: true, timeout: 8 };

/// How far a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Menu {
    /// Waits for the PIN.
    Pin { wrong: u8, silent: u8 },
    /// Waits for 1 or 2.
    Ask { silent: u8 },
    /// Accepted; waits for the minutes.
    Eta { silent: u8 },
    /// Said all there is to say.
    Over,
}

/// What is heard on the line, or from the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    /// Keys, without the hash that ended them; empty after silence.
    Keys(String),
    /// Whether the PIN was right.
    Pin(bool),
    /// What became of the answer.
    Told(Told),
}

/// What became of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Accepted,
    Declined,
    Eta(u16),
    /// Never said in a call: an arrival comes by SMS.
    Arrived,
    /// Enough others were faster.
    Filled,
    /// The callout has ended, or the person has answered otherwise.
    Over,
    /// It could not be taken.
    Failed,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// Say this, and wait for these keys or hang up.
    Say { spoken: Vec<Spoken>, keys: Option<Gather> },
    /// Look whether this is the person's PIN, and say so with [`Heard::Pin`].
    Check(Secret),
    /// Carry this out, and say with [`Heard::Told`] what became of it.
    Do(Answer),
}

/// What a key stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Accept,
    Decline,
    Eta(u16),
}

impl Menu {
    /// Somebody, or something, has picked up.
    pub(super) fn begin(needs_pin: bool) -> Self {
        if needs_pin { Self::Pin { wrong: 0, silent: 0 } } else { Self::Ask { silent: 0 } }
    }

    /// Whether there is nothing more to say.
    #[cfg(test)]
    pub(super) fn is_over(self) -> bool {
        self == Self::Over
    }

    /// Takes what was heard.
    pub(super) fn hear(self, heard: Heard, texts: &'static Texts) -> (Self, Next) {
        let say = &texts.page;
        match (self, heard) {
            (Self::Pin { silent, .. }, Heard::Keys(keys)) if keys.is_empty() && silent + 1 >= ASKED => {
                over(texts, &say.goodbye)
            }
            (Self::Pin { wrong, silent }, Heard::Keys(keys)) if keys.is_empty() => {
                Self::Pin { wrong, silent: silent + 1 }.ask(texts, None)
            }
            (pin @ Self::Pin { .. }, Heard::Keys(keys)) => (pin, Next::Check(Secret::new(keys))),
            (Self::Pin { .. }, Heard::Pin(true)) => Self::Ask { silent: 0 }.ask(texts, None),
            (Self::Pin { wrong, .. }, Heard::Pin(false)) if wrong + 1 >= PIN_TRIES => over(texts, &say.no_pin),
            (Self::Pin { wrong, .. }, Heard::Pin(false)) => {
                Self::Pin { wrong: wrong + 1, silent: 0 }.ask(texts, Some(&say.wrong_pin))
            }
            (ask @ Self::Ask { .. }, Heard::Keys(keys)) if keys == "1" => (ask, Next::Do(Answer::Accept)),
            (ask @ Self::Ask { .. }, Heard::Keys(keys)) if keys == "2" => (ask, Next::Do(Answer::Decline)),
            (Self::Ask { silent }, Heard::Keys(_)) if silent + 1 >= ASKED => over(texts, &say.goodbye),
            (Self::Ask { silent }, Heard::Keys(keys)) => {
                let wrong = (!keys.is_empty()).then_some(&say.wrong_key);
                Self::Ask { silent: silent + 1 }.ask(texts, wrong)
            }
            (Self::Eta { silent }, Heard::Keys(keys)) => match keys.parse::<u16>() {
                // Twilio sends nothing for the hash alone, as for silence: both leave the ETA as it is.
                _ if keys.is_empty() => over(texts, &minutes(&say.eta, DEFAULT_ETA)),
                Ok(minutes) if minutes <= MAX_ETA_MINUTES => (self, Next::Do(Answer::Eta(minutes))),
                _ if silent + 1 >= ASKED => over(texts, &minutes(&say.eta, DEFAULT_ETA)),
                _ => Self::Eta { silent: silent + 1 }.ask(texts, Some(&say.wrong_key)),
            },
            (Self::Over, _) => over(texts, &say.goodbye),
            (_, Heard::Told(Told::Accepted)) => Self::Eta { silent: 0 }.ask(texts, None),
            (_, Heard::Told(told)) => over(texts, &told.text(say)),
            // A PIN that nobody asked for.
            (state, Heard::Pin(_)) => state.ask(texts, None),
        }
    }

    /// What is asked in this state: first when the call is picked up, and again when a request is repeated.
    pub(super) fn ask(self, texts: &'static Texts, before: Option<&String>) -> (Self, Next) {
        let say = &texts.page;
        let (lines, keys) = match self {
            Self::Pin { .. } => (vec![say.greeting.clone(), say.pin.clone()], PIN),
            Self::Ask { .. } => (vec![say.greeting.clone(), say.ask.clone()], ONE_KEY),
            Self::Eta { .. } => (vec![minutes(&say.accepted, DEFAULT_ETA)], MINUTES),
            Self::Over => return over(texts, &say.goodbye),
        };
        let spoken = before.cloned().into_iter().chain(lines).map(|text| Spoken { voice: &texts.voice, text });
        (self, Next::Say { spoken: spoken.collect(), keys: Some(keys) })
    }
}

/// Ends the call: with the greeting alone where a machine has picked up, since whoever hears it later can't answer.
pub(super) fn for_machine(texts: &'static Texts) -> (Menu, Next) {
    over(texts, &texts.page.greeting)
}

/// Ends the call of somebody who needs a PIN to answer and has none.
pub(super) fn without_pin(texts: &'static Texts) -> (Menu, Next) {
    over(texts, &format!("{} {}", texts.page.greeting, texts.page.no_pin))
}

/// Ends the call because its page needs no answer any more.
pub(super) fn too_late(texts: &'static Texts) -> (Menu, Next) {
    over(texts, &texts.page.over)
}

fn over(texts: &'static Texts, text: &str) -> (Menu, Next) {
    (Menu::Over, Next::Say { spoken: vec![Spoken { voice: &texts.voice, text: text.to_owned() }], keys: None })
}

fn minutes(text: &str, minutes: u16) -> String {
    fill(text, [("minutes", &minutes.to_string())])
}

impl Told {
    fn text(self, say: &Page) -> String {
        match self {
            Self::Accepted => minutes(&say.accepted, DEFAULT_ETA),
            Self::Eta(eta) => minutes(&say.eta, eta),
            Self::Declined => say.declined.clone(),
            Self::Arrived => say.goodbye.clone(),
            Self::Filled => say.filled.clone(),
            Self::Over => say.over.clone(),
            Self::Failed => say.failed.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::texts::spoken, *};
    use proptest::prelude::*;

    fn keys(keys: &str) -> Heard {
        Heard::Keys(keys.into())
    }

    fn hear(menu: Menu, heard: Heard) -> (Menu, Next) {
        menu.hear(heard, spoken(&[]))
    }

    fn said(next: &Next) -> String {
        let Next::Say { spoken, .. } = next else { panic!("{next:?}") };
        spoken.iter().map(|s| s.text.clone()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn one_accepts_and_hanging_up_after_it_changes_nothing() {
        let menu = Menu::begin(false);
        assert!(said(&menu.ask(spoken(&[]), None).1).starts_with("Duty: respond. Press 1 to accept"));
        let (menu, next) = hear(menu, keys("1"));
        assert_eq!(next, Next::Do(Answer::Accept), "before anything else is asked");
        let (menu, next) = hear(menu, Heard::Told(Told::Accepted));
        assert!(matches!(next, Next::Say { keys: Some(MINUTES), .. }));
        let (menu, next) = hear(menu, keys("45"));
        assert_eq!(next, Next::Do(Answer::Eta(45)));
        assert!(hear(menu, Heard::Told(Told::Eta(45))).0.is_over());
        let (over, next) = hear(menu, keys(""));
        assert!(over.is_over() && said(&next).contains("30"), "hash alone, or silence");
    }

    #[test]
    fn two_declines() {
        let (menu, next) = hear(Menu::begin(false), keys("2"));
        assert_eq!(next, Next::Do(Answer::Decline));
        assert!(hear(menu, Heard::Told(Told::Declined)).0.is_over());
    }

    #[test]
    fn silence_is_no_answer_however_often_it_is_asked() {
        let mut menu = Menu::begin(false);
        for _ in 0..2 {
            let (next, said) = hear(menu, keys(""));
            assert!(matches!(said, Next::Say { keys: Some(_), .. }));
            menu = next;
        }
        let (menu, next) = hear(menu, keys(""));
        assert!(menu.is_over() && matches!(next, Next::Say { keys: None, .. }));
        assert!(matches!(hear(menu, keys("1")).1, Next::Say { keys: None, .. }), "a late key after the end");
    }

    #[test]
    fn three_wrong_pins_end_the_call_and_no_key_gets_past_one() {
        let (mut menu, mut tries) = (Menu::begin(true), 0);
        loop {
            let (checking, next) = hear(menu, keys("1"));
            assert_eq!(next, Next::Check(Secret::new("1")));
            let (after, next) = hear(checking, Heard::Pin(false));
            tries += 1;
            menu = after;
            if menu.is_over() {
                assert!(said(&next).contains("cannot take your answer"));
                break;
            }
        }
        assert_eq!(tries, PIN_TRIES);
        let (menu, next) = hear(Menu::begin(true), Heard::Pin(true));
        assert_eq!(menu, Menu::Ask { silent: 0 });
        assert!(said(&next).contains("Press 1"));
    }

    #[test]
    fn whoever_comes_too_late_hears_it() {
        let (menu, next) = hear(Menu::Ask { silent: 0 }, Heard::Told(Told::Filled));
        assert!(menu.is_over() && said(&next).contains("not needed"));
        assert!(too_late(spoken(&[])).0.is_over());
        assert_eq!(said(&for_machine(spoken(&[])).1), "Duty: respond.");
    }

    proptest! {
        /// Only the key 1, after a PIN that was right, ever accepts; and every call ends.
        #[test]
        fn only_a_key_accepts(needs_pin in any::<bool>(), calls in prop::collection::vec("[0-9*#]{0,4}", 0..40), right in any::<bool>()) {
            let mut menu = Menu::begin(needs_pin);
            let mut proved = !needs_pin;
            for pressed in calls {
                let asked = matches!(menu, Menu::Ask { .. });
                let (after, mut next) = hear(menu, keys(&pressed));
                menu = after;
                if let Next::Check(_) = next {
                    (menu, next) = hear(menu, Heard::Pin(right));
                    proved |= right;
                }
                if let Next::Do(answer) = next {
                    prop_assert!(proved);
                    if answer == Answer::Accept {
                        prop_assert!(asked && pressed == "1");
                    }
                    let told = match answer {
                        Answer::Accept => Told::Accepted,
                        Answer::Decline => Told::Declined,
                        Answer::Eta(minutes) => Told::Eta(minutes),
                    };
                    menu = hear(menu, Heard::Told(told)).0;
                }
            }
            for _ in 0..=ASKED {
                menu = hear(menu, keys("")).0;
            }
            prop_assert!(menu.is_over());
        }
    }
}

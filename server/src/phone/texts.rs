//! What the telephone says and writes, per language, kept as data in `texts/`. A language is complete or it doesn't load.

use firstlight_protocol::callout::Language;
use serde::Deserialize;
use std::{collections::BTreeMap, sync::LazyLock};

/// Every language that there is, the first for whoever speaks none of them.
const FILES: [(&str, &str); 2] = [("en", include_str!("texts/en.toml")), ("es", include_str!("texts/es.toml"))];

static ALL: LazyLock<Vec<(&str, Texts)>> =
    LazyLock::new(|| FILES.iter().map(|(code, file)| (*code, toml::from_str(file).unwrap_or_default())).collect());

/// One language.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Texts {
    /// The voice that reads it out, as TwiML names it.
    pub(super) voice: String,
    pub(super) page: Page,
    pub(super) duty: Duty,
    pub(super) sms: Sms,
}

/// Said to a responder who is called.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    pub(super) greeting: String,
    pub(super) ask: String,
    pub(super) pin: String,
    pub(super) wrong_pin: String,
    pub(super) no_pin: String,
    pub(super) wrong_key: String,
    pub(super) accepted: String,
    pub(super) eta: String,
    pub(super) declined: String,
    pub(super) filled: String,
    pub(super) over: String,
    pub(super) failed: String,
    pub(super) goodbye: String,
    pub(super) drill: String,
    pub(super) test: String,
}

/// Said to an officer who calls the duty number.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Duty {
    pub(super) code: String,
    pub(super) wrong_code: String,
    pub(super) locked: String,
    pub(super) call_back: String,
    pub(super) opened: String,
    pub(super) same: String,
    pub(super) quota: String,
    pub(super) failed: String,
}

/// Written in answer to an SMS.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sms {
    pub(super) accepted: String,
    pub(super) eta: String,
    pub(super) declined: String,
    pub(super) arrived: String,
    pub(super) filled: String,
    pub(super) nothing: String,
    pub(super) busy: String,
    pub(super) pin: String,
    pub(super) test: String,
    pub(super) drop_out: String,
    pub(super) unclear: String,
    pub(super) failed: String,
    pub(super) unknown: String,
    pub(super) opened: String,
    pub(super) quota: String,
    pub(super) not_opened: String,
}

/// Every language's texts, for a greeting to somebody of whom nothing is known.
pub(super) fn all() -> impl Iterator<Item = &'static Texts> {
    ALL.iter().map(|(_, texts)| texts)
}

/// The first of somebody's languages that there is, or English.
pub(super) fn spoken(languages: &[Language]) -> &'static Texts {
    static NONE: LazyLock<Texts> = LazyLock::new(Texts::default);
    let known = languages.iter().find_map(|l| ALL.iter().find(|(code, _)| *code == l.primary()));
    known.or(ALL.first()).map_or(&NONE, |(_, texts)| texts)
}

/// Fills in `{name}`. Values are numbers and references of our own, never anything that a person wrote.
pub(super) fn fill<const N: usize>(text: &str, values: [(&str, &str); N]) -> String {
    let values = BTreeMap::from(values);
    values.into_iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

/// A reference as it is said, so that it is heard right on a bad line: the words of the ICAO alphabet, the same in every
/// language.
pub(super) fn spelled(reference: &str) -> String {
    const WORDS: [&str; 26] = [
        "Alfa", "Bravo", "Charlie", "Delta", "Echo", "Foxtrot", "Golf", "Hotel", "India", "Juliett", "Kilo", "Lima",
        "Mike", "November", "Oscar", "Papa", "Quebec", "Romeo", "Sierra", "Tango", "Uniform", "Victor", "Whiskey",
        "X-ray", "Yankee", "Zulu",
    ];
    let word = |c: char| match c.to_ascii_lowercase() {
        letter @ 'a'..='z' => WORDS[(letter as usize) - ('a' as usize)].to_owned(),
        other => other.to_string(),
    };
    reference.chars().map(word).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every text of a language with its name.
    fn named(file: &str) -> BTreeMap<String, String> {
        let table: BTreeMap<String, toml::Value> = toml::from_str(file).unwrap();
        let mut texts = BTreeMap::new();
        for (name, value) in table {
            match value {
                toml::Value::Table(group) => {
                    texts.extend(group.into_iter().map(|(k, v)| (format!("{name}.{k}"), v.as_str().unwrap().into())));
                }
                value => drop(texts.insert(name, value.as_str().unwrap().into())),
            }
        }
        texts
    }

    fn blanks(text: &str) -> Vec<&str> {
        let mut found: Vec<_> = text.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn every_language_is_complete_and_has_the_same_blanks() {
        let english = named(FILES[0].1);
        for (code, file) in FILES {
            toml::from_str::<Texts>(file).unwrap_or_else(|e| panic!("{code}: {e}"));
            let texts = named(file);
            for (name, text) in &texts {
                assert!(!text.trim().is_empty(), "{code} {name}");
                assert_eq!(blanks(text), blanks(&english[name]), "{code} {name}");
            }
        }
    }

    /// GSM 03.38 without extension, or UCS-2: whichever, an answer is one SMS for one charge.
    #[test]
    fn an_sms_is_one_segment_even_with_accents() {
        for (code, file) in FILES {
            for (name, text) in named(file).into_iter().filter(|(name, _)| name.starts_with("sms.")) {
                let filled = fill(&text, [("minutes", "1440"), ("reference", "abc123"), ("number", "+15555550100")]);
                assert!(filled.chars().count() <= 160, "{code} {name}: {}", filled.chars().count());
            }
        }
    }

    #[test]
    fn the_persons_first_known_language_is_spoken() {
        let languages = |codes: &[&str]| codes.iter().map(|c| c.parse().unwrap()).collect::<Vec<Language>>();
        assert_eq!(spoken(&languages(&["fil", "es-MX", "en"])).voice, "es-MX");
        assert_eq!(spoken(&languages(&["fil"])).voice, "en-US");
        assert_eq!(spoken(&[]).voice, "en-US");
        assert_eq!(all().count(), FILES.len());
    }

    #[test]
    fn a_reference_is_spelled() {
        assert_eq!(spelled("a7z"), "Alfa, 7, Zulu");
        assert_eq!(fill("{reference}!", [("reference", "x")]), "x!");
    }
}

//! What messages say: a text for each kind in each language, kept as data in `messages/`.
//!
//! Another language is one more file there and one more line in [`LANGUAGES`]; the tests hold it to the keys of the first.

use firstlight_protocol::{api::MessageKind, callout::Language};
use std::{collections::BTreeMap, sync::LazyLock};

/// The languages, the one that everybody else gets first.
const LANGUAGES: [(&str, &str); 2] =
    [("en", include_str!("messages/en.toml")), ("es", include_str!("messages/es.toml"))];

type Texts = BTreeMap<String, String>;

static TEXTS: LazyLock<Vec<(&str, Texts)>> = LazyLock::new(|| {
    LANGUAGES.iter().map(|(language, file)| (*language, toml::from_str(file).unwrap_or_default())).collect()
});

/// What is filled into a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values {
    /// A code of six digits, minutes, or a local time as minutes since midnight, by kind.
    pub arg: i64,
    /// A callout's short reference.
    pub reference: String,
    /// The duty number.
    pub number: String,
}

/// The text of a message in the first of the languages that there is, otherwise in English.
pub fn text(kind: MessageKind, languages: &[Language], values: &Values) -> String {
    let spoken = languages.iter().find_map(|wanted| TEXTS.iter().find(|(known, _)| *known == wanted.primary()));
    let texts = spoken.or(TEXTS.first()).map(|(_, texts)| texts);
    let text = texts.and_then(|texts| texts.get(kind.as_str())).map_or("Duty", String::as_str);
    text.replace("{code}", &format!("{:06}", values.arg))
        .replace("{minutes}", &values.arg.to_string())
        .replace("{time}", &format!("{:02}:{:02}", values.arg.div_euclid(60) % 24, values.arg.rem_euclid(60)))
        .replace("{reference}", &values.reference)
        .replace("{number}", &values.number)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// GSM 03.38, the alphabet of a text message of 160 characters; those of the second line count twice.
    const GSM: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿\
                       abcdefghijklmnopqrstuvwxyzäöñüà";
    const GSM_TWICE: &str = "\u{c}^{}\\[~]|€";

    fn fits_one_sms(text: &str) -> bool {
        let gsm = |c: char| match (GSM.contains(c), GSM_TWICE.contains(c)) {
            (true, _) => Some(1),
            (_, true) => Some(2),
            _ => None,
        };
        match text.chars().map(gsm).sum::<Option<usize>>() {
            Some(septets) => septets <= 160,
            None => text.encode_utf16().count() <= 70,
        }
    }

    fn placeholders(text: &str) -> Vec<&str> {
        let mut found: Vec<_> = ["{code}", "{minutes}", "{time}", "{reference}", "{number}"]
            .into_iter()
            .filter(|p| text.contains(p))
            .collect();
        found.sort_unstable();
        found
    }

    fn longest() -> Values {
        Values { arg: 999_999, reference: "xxxxxx".into(), number: "+1 213 555 0100 000".into() }
    }

    #[test]
    fn every_language_has_every_text_with_the_same_values_in_it() {
        for ((language, texts), (_, file)) in TEXTS.iter().zip(LANGUAGES) {
            toml::from_str::<Texts>(file).unwrap();
            assert_eq!(texts.len(), MessageKind::ALL.len(), "{language}");
            for kind in MessageKind::ALL {
                let (text, first) = (&texts[kind.as_str()], &TEXTS[0].1[kind.as_str()]);
                assert_eq!(placeholders(text), placeholders(first), "{language} {kind}");
                let braces = placeholders(text).iter().fold(text.clone(), |rest, p| rest.replace(p, ""));
                assert!(!braces.contains(['{', '}']), "{language} {kind}: an unknown value");
            }
        }
    }

    #[test]
    fn every_text_fits_into_one_sms() {
        for (language, _) in LANGUAGES {
            for kind in MessageKind::ALL {
                let text = text(*kind, &[language.parse().unwrap()], &longest());
                assert!(fits_one_sms(&text), "{language} {kind}: {text}");
            }
        }
        assert!(fits_one_sms(&"a".repeat(160)) && !fits_one_sms(&"a".repeat(161)) && !fits_one_sms(&"ó".repeat(71)));
    }

    #[test]
    fn the_first_language_that_there_is_is_used() {
        let say = |languages: &[&str]| {
            let languages: Vec<Language> = languages.iter().map(|l| l.parse().unwrap()).collect();
            text(MessageKind::Page, &languages, &Values::default())
        };
        assert_eq!(say(&["es-MX", "en"]), "Guardia: responda");
        assert_eq!(say(&["th", "es"]), "Guardia: responda");
        for none in [&[][..], &["th"]] {
            assert_eq!(say(none), "Duty: respond", "all that a lock screen may say");
        }
        let code = text(MessageKind::Verify, &[], &Values { arg: 42, ..Values::default() });
        assert!(code.ends_with("000042"));
        let hand_off = text(MessageKind::HandOff, &[], &Values { arg: 20 * 60 + 5, ..Values::default() });
        assert!(hand_off.ends_with("20:05"));
    }
}

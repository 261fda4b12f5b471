//! What somebody's SMS means. Pure, and careful: what is not clearly one of the documented answers is [`Said::Unclear`],
//! because a wrong "yes" leaves an officer waiting for nobody.

use firstlight_protocol::{
    callout::{Code, MAX_ETA_MINUTES, MAX_YOUNG_PEOPLE},
    line::CODE_DIGITS,
};

/// The most characters that are looked at: no answer is longer.
const LONGEST: usize = 160;

/// What an SMS says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// "Y 30": I am going, and need so many minutes.
    Yes { minutes: Option<u16> },
    /// "N": I can't go.
    No,
    /// "HERE": I have arrived.
    Here,
    /// "STOP": the provider blocks us from now on.
    Stop,
    /// "START": the provider lets us through again.
    Start,
    /// An agency's code, with what an officer may add to it.
    Code { code: String, young_people: Option<u16>, place: Option<Code> },
    /// Anything else.
    Unclear,
}

/// The words that providers take for "never write to me again" (Twilio's defaults for English, French and Spanish). The
/// provider has blocked us by the time that one arrives here.
const STOP: [&str; 17] = [
    "stop",
    "stopall",
    "unsubscribe",
    "cancel",
    "end",
    "quit",
    "revoke",
    "optout",
    "arret",
    "arrete",
    "arreter",
    "desabonner",
    "alto",
    "parar",
    "pare",
    "baja",
    "cancelar",
];
const START: [&str; 4] = ["start", "unstop", "reanudar", "comenzar"];
const YES: [&str; 9] = ["y", "yes", "yep", "s", "si", "oui", "ok", "accept", "acepto"];
const NO: [&str; 4] = ["n", "no", "non", "nope"];
const HERE: [&str; 5] = ["here", "arrived", "aqui", "llegue", "ici"];
/// May stand around the number of minutes.
const MINUTES: [&str; 9] = ["m", "min", "mins", "minute", "minutes", "minuto", "minutos", "in", "en"];

/// Reads a body. `opt_out` is the provider's own word for it (`OptOutType`), which counts before ours.
pub(super) fn parse(body: &str, opt_out: Option<&str>) -> Said {
    match opt_out.map(str::to_ascii_uppercase).as_deref() {
        Some("STOP") => return Said::Stop,
        Some("START") => return Said::Start,
        _ => {}
    }
    let words = words(body);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => Said::Unclear,
        [word] if STOP.contains(word) => Said::Stop,
        [word] if START.contains(word) => Said::Start,
        ["opt", "out"] | ["stop", "all"] => Said::Stop,
        [word] if NO.contains(word) => Said::No,
        [word] if HERE.contains(word) => Said::Here,
        [word, rest @ ..] if YES.contains(word) => yes(rest),
        [first, rest @ ..] => code(first, rest),
    }
}

fn yes(rest: &[&str]) -> Said {
    let numbers: Vec<&&str> = rest.iter().filter(|word| !MINUTES.contains(word)).collect();
    match numbers.as_slice() {
        [] if rest.is_empty() => Said::Yes { minutes: None },
        [number] => match number.parse() {
            Ok(minutes) if minutes <= MAX_ETA_MINUTES => Said::Yes { minutes: Some(minutes) },
            _ => Said::Unclear,
        },
        _ => Said::Unclear,
    }
}

fn code(first: &str, rest: &[&str]) -> Said {
    let digits = u8::try_from(first.len()).is_ok_and(|n| CODE_DIGITS.contains(&n));
    if !digits || !is_number(first) {
        return Said::Unclear;
    }
    let (mut young_people, mut place) = (None, None);
    for word in rest {
        let number = word.parse::<u16>().ok().filter(|n| (1..=MAX_YOUNG_PEOPLE).contains(n) && is_number(word));
        match (number, word.parse::<Code>()) {
            (Some(number), _) if young_people.is_none() => young_people = Some(number),
            (None, Ok(code)) if place.is_none() && !is_number(word) => place = Some(code),
            // A code that is right opens a callout, whatever stands behind it: the details can be asked for by telephone.
            _ => {}
        }
    }
    Said::Code { code: first.to_owned(), young_people, place }
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|b| b.is_ascii_digit())
}

/// The body's words in lower case without accents: letters, digits and the hyphens inside of them. "Y30" is two words, as
/// it is meant; everything else (points, emoji, joiners) separates.
fn words(body: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut open = false;
    for c in body.chars().take(LONGEST).flat_map(plain) {
        if !c.is_ascii_alphanumeric() && c != '-' {
            open = false;
            continue;
        }
        match words.last_mut() {
            Some(word) if open && !ends_before(word, c) => word.push(c),
            _ if c == '-' => continue,
            _ => words.push(c.to_string()),
        }
        open = true;
    }
    words.iter_mut().for_each(|word| word.truncate(word.trim_end_matches('-').len()));
    words
}

/// Whether a word is complete although no blank follows: "y30", "y-30", "30min".
fn ends_before(word: &str, next: char) -> bool {
    match next {
        'a'..='z' => is_number(word) && word.len() < 5,
        _ => YES.contains(&word),
    }
}

/// A character as an answer means it: ASCII in lower case, digits of any script as digits, accents taken off. What has no
/// meaning in an answer separates; what has no width is nothing at all.
fn plain(c: char) -> Option<char> {
    if let Some(digit) = digit(c) {
        return char::from_digit(digit, 10);
    }
    Some(match c {
        // Fullwidth forms lie 0xFEE0 above ASCII.
        '\u{ff21}'..='\u{ff3a}' | '\u{ff41}'..='\u{ff5a}' | '\u{ff0d}' => {
            char::from_u32(c as u32 - 0xfee0).unwrap_or(' ').to_ascii_lowercase()
        }
        'á' | 'à' | 'â' | 'ä' | 'Á' | 'À' | 'Â' | 'Ä' => 'a',
        'é' | 'è' | 'ê' | 'ë' | 'É' | 'È' | 'Ê' | 'Ë' => 'e',
        'í' | 'ì' | 'î' | 'ï' | 'Í' | 'Ì' | 'Î' | 'Ï' => 'i',
        'ó' | 'ò' | 'ô' | 'ö' | 'Ó' | 'Ò' | 'Ô' | 'Ö' => 'o',
        'ú' | 'ù' | 'û' | 'ü' | 'Ú' | 'Ù' | 'Û' | 'Ü' => 'u',
        'ñ' | 'Ñ' => 'n',
        // Hyphens of all kinds.
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        // Combining accents, joiners, variation selectors, marks of direction.
        '\u{300}'..='\u{36f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ad}' => return None,
        c if c.is_ascii() => c.to_ascii_lowercase(),
        _ => ' ',
    })
}

/// The value of a decimal digit of a script that somebody's keyboard may be set to (Unicode, general category Nd).
fn digit(c: char) -> Option<u32> {
    const ZEROES: [u32; 16] = [
        0x30, 0x660, 0x6f0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50, 0x1040, 0x17e0,
        0xff10,
    ];
    ZEROES.iter().find_map(|zero| (c as u32).checked_sub(*zero).filter(|value| *value < 10))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(body: &str) -> Said {
        parse(body, None)
    }

    fn yes(minutes: impl Into<Option<u16>>) -> Said {
        Said::Yes { minutes: minutes.into() }
    }

    #[test]
    fn the_documented_answers_and_how_people_write_them() {
        for text in
            ["Y 30", "y30", "Yes 30", "YES, 30 min.", "si 30", "Sí 30 minutos", "SÍ30", "Y  30\n", "y ３０", "y ٣٠"]
        {
            assert_eq!(read(text), yes(30), "{text}");
        }
        for text in ["👍 Y 30 🚗💨", "Ｙ ３０", "Y\u{fe0f} 30", "ok 30m", "yes in 30", "Y-30", "Y: 30!", "y 030"]
        {
            assert_eq!(read(text), yes(30), "{text}");
        }
        for text in ["Y", "yes", "Si!", "sí", "SI\u{301}", " y ", "ok 👍"] {
            assert_eq!(read(text), yes(None), "{text}");
        }
        for text in ["N", "no", "No.", "NO 😞", "n\u{200b}"] {
            assert_eq!(read(text), Said::No, "{text}");
        }
        for text in ["HERE", "here!", "Aquí", "AQUI", "llegué", "arrived 📍"] {
            assert_eq!(read(text), Said::Here, "{text}");
        }
        for text in ["STOP", "stop.", "Arrêt", "ARRET", "StopAll", "Stop all", "unsubscribe", "Baja", "END", "opt out"]
        {
            assert_eq!(read(text), Said::Stop, "{text}");
        }
        assert_eq!(read("Start"), Said::Start);
        assert_eq!(parse("anything", Some("STOP")), Said::Stop);
        assert_eq!(parse("stop", Some("HELP")), Said::Stop);
    }

    #[test]
    fn what_is_not_clearly_an_answer_is_none() {
        let unclear = [
            "",
            "👍",
            "30",
            "Y 30 40",
            "Y N",
            "yes but no",
            "Y 1441",
            "Y 1:30",
            "Y 1h",
            "Y thirty",
            "Y 99999999",
            "N 30",
            "no problem",
            "here soon",
            "yesterday",
            "nothing",
            "not here",
            "please stop",
            "why",
            "call me",
            "Y -5 minus",
        ];
        for text in unclear {
            assert_eq!(read(text), Said::Unclear, "{text}");
        }
    }

    #[test]
    fn an_officer_sends_the_code_and_may_add_to_it() {
        let code = |code: &str, young_people: Option<u16>, place: Option<&str>| Said::Code {
            code: code.into(),
            young_people,
            place: place.map(|p| p.parse().unwrap()),
        };
        assert_eq!(read("40718265"), code("40718265", None, None));
        assert_eq!(read("407182 2"), code("407182", Some(2), None));
        assert_eq!(read("40718265 2 Station-1"), code("40718265", Some(2), Some("station-1")));
        assert_eq!(read("40718265 hospital"), code("40718265", None, Some("hospital")));
        assert_eq!(read("٤٠٧١٨٢٦٥"), code("40718265", None, None));
        assert_eq!(read("40718265 9999 two words here"), code("40718265", None, Some("two")));
        for text in ["40718", "407182651", "4071-8265", "x407182", "code 40718265"] {
            assert_eq!(read(text), Said::Unclear, "{text}");
        }
    }

    proptest! {
        /// Whatever arrives: no panic, and no yes without a word for it in front.
        #[test]
        fn noise_is_never_an_answer(body in any::<String>()) {
            if let Said::Yes { .. } = read(&body) {
                let first = words(&body).remove(0);
                prop_assert!(YES.contains(&first.as_str()));
            }
        }

        #[test]
        fn dressing_changes_nothing(
            minutes in 0..=MAX_ETA_MINUTES,
            word in prop::sample::select(YES.to_vec()),
            upper in any::<bool>(),
            before in "[ .,!\u{1f44d}\u{200b}]{0,4}",
            between in "[ ,:]{0,3}",
            after in "[ .!\u{1f697}\u{fe0f}]{0,4}",
        ) {
            let word = if upper { word.to_uppercase() } else { word.to_owned() };
            let body = format!("{before}{word}{between}{minutes}{after}");
            prop_assert_eq!(read(&body), yes(minutes));
        }

        #[test]
        fn a_code_stays_itself(code in "[0-9]{6,8}", count in 1..=MAX_YOUNG_PEOPLE, after in "[ .!]{0,4}") {
            let said = read(&format!("{code} {count}{after}"));
            prop_assert_eq!(said, Said::Code { code, young_people: Some(count), place: None });
        }
    }
}

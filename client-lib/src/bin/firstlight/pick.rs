//! Ids on the command line: whole, by the end that a screen shows, or by a person's work name.

use super::failure::Failure;
use std::fmt::Display;

/// The fewest characters of an abbreviated id.
const SHORTEST: usize = 3;

/// Finds the one candidate whose id is `text` or ends in it.
///
/// Abbreviations come from screens, so case does not matter; one that fits two candidates is refused, never guessed.
pub(crate) fn pick<T: Display + Copy + PartialEq>(
    what: &str,
    text: &str,
    candidates: impl IntoIterator<Item = T>,
) -> Result<T, Failure> {
    let wanted = text.trim().to_ascii_lowercase();
    if wanted.len() < SHORTEST {
        return Err(Failure::Usage(format!(
            "\"{wanted}\" is too short for the id of a {what}: give at least {SHORTEST} characters."
        )));
    }
    let mut found: Vec<T> = Vec::new();
    for candidate in candidates {
        let id = candidate.to_string();
        if id == wanted {
            return Ok(candidate);
        }
        if id.ends_with(&wanted) && !found.contains(&candidate) {
            found.push(candidate);
        }
    }
    match found[..] {
        [one] => Ok(one),
        [] => {
            Err(Failure::missing(format!("There is no {what} whose id ends in \"{wanted}\", or you may not see it.")))
        }
        _ => Err(Failure::Usage(format!(
            "\"{wanted}\" fits {} of them: give more characters of the {what}'s id.",
            found.len()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use firstlight_protocol::CalloutId;

    #[test]
    fn whole_ids_ends_and_nothing_else() {
        let (a, b) = (CalloutId([1; 16]), CalloutId([2; 16]));
        let all = [a, b];
        assert_eq!(pick("callout", &a.to_string(), all).unwrap(), a);
        assert_eq!(pick("callout", &b.short(), all).unwrap(), b);
        assert_eq!(pick("callout", &b.short().to_uppercase(), [b, b]).unwrap(), b);
        assert_eq!(pick("callout", "zzzzzz", all).unwrap_err().exit_code(), 1);
        assert_eq!(pick("callout", "4", all).unwrap_err().exit_code(), 2);
        let twins = [
            CalloutId([7; 16]),
            CalloutId({
                let mut x = [7; 16];
                x[0] = 1;
                x
            }),
        ];
        assert_eq!(pick("callout", &twins[0].short(), twins).unwrap_err().exit_code(), 2);
    }
}

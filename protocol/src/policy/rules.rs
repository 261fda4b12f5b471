//! When each way to reach a person is used during their turn.

use super::Millis;
use crate::{ContactId, ErrorCode, Problem};
use serde::{Deserialize, Serialize};

/// The most rules of one person.
pub const MAX_RULES: usize = 16;
/// The longest a rule may wait.
const MAX_WAIT: Millis = Millis::minutes(60);

/// "SMS after one minute": one line of a person's own list.
///
/// Rule `k` is used `after_ms` after the person's turn began. After the last one the list begins again, the policy's
/// `repeat_every_ms` later, until the person answers or their turn ends. Somebody without rules is called every
/// `repeat_every_ms` by the next of their channels. A channel that fails passes to the next rule's at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NotificationRule {
    /// One of the person's contact methods; absent: the app.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub contact: Option<ContactId>,
    /// So long after the turn began, at most an hour; 0 for the first rule, and never less than for the rule before.
    pub after_ms: Millis,
}

impl NotificationRule {
    /// Checks a person's list; `methods` are the contact methods that they have.
    ///
    /// # Errors
    /// `invalid_value`, naming the rule by its place in the list, from 1.
    pub fn validate_all(rules: &[Self], methods: &[ContactId]) -> Result<(), Problem> {
        let refuse = |detail: String| Err(Problem::with(ErrorCode::InvalidValue, detail));
        if rules.len() > MAX_RULES {
            return refuse(format!("rules: at most {MAX_RULES}."));
        }
        for (i, rule) in rules.iter().enumerate() {
            let earliest = rules[..i].last().map_or(Millis(0), |before| before.after_ms);
            let place = i + 1;
            match () {
                () if i == 0 && rule.after_ms != Millis(0) => {
                    return refuse("rule 1: after_ms is 0, since a page waits for nothing.".into());
                }
                () if rule.after_ms < earliest || rule.after_ms > MAX_WAIT => {
                    return refuse(format!("rule {place}: after_ms is not less than before, and at most an hour."));
                }
                () if rule.contact.is_some_and(|contact| !methods.contains(&contact)) => {
                    return refuse(format!("rule {place}: contact is one of the person's contact methods."));
                }
                () => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_begins_at_once_rises_and_names_what_is_there() {
        let rule = |contact: Option<u8>, s| NotificationRule {
            contact: contact.map(|n| ContactId([n; 16])),
            after_ms: Millis::seconds(s),
        };
        let methods = [ContactId([1; 16])];
        let check = |rules: &[NotificationRule]| NotificationRule::validate_all(rules, &methods);
        assert_eq!(check(&[]), Ok(()));
        assert_eq!(check(&[rule(None, 0), rule(Some(1), 0), rule(None, 60)]), Ok(()));
        for (bad, named) in [
            (vec![rule(None, 1)], "rule 1"),
            (vec![rule(None, 0), rule(None, 60), rule(Some(1), 59)], "rule 3"),
            (vec![rule(None, 0), rule(None, 3601)], "rule 2"),
            (vec![rule(Some(2), 0)], "rule 1"),
            (vec![rule(None, 0); MAX_RULES + 1], "rules"),
        ] {
            assert!(check(&bad).unwrap_err().detail.unwrap().starts_with(named), "{named}");
        }
    }
}

//! Who may change what in a profile.
//!
//! The person themself: languages, as whom they present, zones, and bars. Admins and supervisors of their organisation:
//! languages, training, zones, and bars; never as whom somebody presents, which is opt-in and the person's own to say.
//! A bar is lifted by the side that set it. What somebody has said about a conflict of interest of their own, nobody else
//! takes back for them; and nobody lifts from themself what others have set, supervisor or not.

use super::store::Kept;
use firstlight_protocol::{ErrorCode, Problem, profile::Profile};

/// What the caller is to the person whose profile it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    /// It is their own.
    pub(super) own: bool,
    /// They are an admin or a supervisor of the person's organisation.
    pub(super) keeps: bool,
}

/// Checks a change, and answers with the names of the fields that it changes.
///
/// # Errors
/// `forbidden`, naming the field.
pub(super) fn permit(by: Standing, before: &Kept, after: &Profile) -> Result<Vec<&'static str>, Problem> {
    let refuse = |detail: &str| Err(Problem::with(ErrorCode::Forbidden, detail));
    let old = &before.profile;
    if old.presents != after.presents && !by.own {
        return refuse("presents: only the person says this, if they wish to.");
    }
    if old.training != after.training && !by.keeps {
        return refuse("training: supervisors and admins keep this.");
    }
    for bar in old.bars.iter().filter(|bar| !after.bars.contains(bar)) {
        match before.own_bars.contains(bar) {
            true if !by.own => return refuse("bars: one that the person has set stays until they lift it."),
            false if by.own => return refuse("bars: one that a supervisor or an admin has set is lifted by another."),
            _ => {}
        }
    }
    let changes = [
        ("languages", old.languages != after.languages),
        ("presents", old.presents != after.presents),
        ("training", old.training != after.training),
        ("zones", old.zones != after.zones),
        ("bars", old.bars != after.bars),
    ];
    Ok(changes.into_iter().filter_map(|(field, changed)| changed.then_some(field)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use firstlight_protocol::{callout::Preference, profile::Bar};

    const OWN: Standing = Standing { own: true, keeps: false };
    const KEEPER: Standing = Standing { own: false, keeps: true };
    const OWN_KEEPER: Standing = Standing { own: true, keeps: true };

    fn bar(zone: &str) -> Bar {
        Bar::Zone { code: zone.parse().unwrap() }
    }

    fn before() -> Kept {
        let profile = Profile { bars: vec![bar("by-self"), bar("by-other")], ..Profile::default() };
        Kept { version: 1, profile, own_bars: vec![bar("by-self")] }
    }

    #[test]
    fn each_side_changes_what_is_its_own() {
        let same = before().profile;
        assert_eq!(permit(KEEPER, &before(), &same).unwrap(), Vec::<&str>::new());
        let presents = Profile { presents: Preference::Woman, ..same.clone() };
        assert_eq!(permit(OWN, &before(), &presents).unwrap(), ["presents"]);
        assert!(permit(KEEPER, &before(), &presents).is_err());
        let training = Profile { training: vec!["care".parse().unwrap()], ..same.clone() };
        assert_eq!(permit(KEEPER, &before(), &training).unwrap(), ["training"]);
        assert!(permit(OWN, &before(), &training).is_err());
        let (languages, zones) = (vec!["es".parse().unwrap()], vec!["north".parse().unwrap()]);
        let both = Profile { languages, zones, ..same };
        for by in [OWN, KEEPER] {
            assert_eq!(permit(by, &before(), &both).unwrap(), ["languages", "zones"]);
        }
    }

    #[test]
    fn a_bar_is_lifted_by_the_side_that_set_it() {
        let with = |bars: &[&str]| Profile { bars: bars.iter().map(|zone| bar(zone)).collect(), ..Profile::default() };
        for by in [OWN, KEEPER, OWN_KEEPER] {
            assert_eq!(permit(by, &before(), &with(&["by-self", "by-other", "new"])).unwrap(), ["bars"]);
        }
        let (without_own, without_other) = (with(&["by-other"]), with(&["by-self"]));
        assert!(permit(OWN, &before(), &without_own).is_ok());
        assert!(permit(KEEPER, &before(), &without_own).is_err());
        assert!(permit(KEEPER, &before(), &without_other).is_ok());
        for by in [OWN, OWN_KEEPER] {
            assert!(permit(by, &before(), &without_other).is_err());
        }
    }
}

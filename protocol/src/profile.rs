//! What dispatch knows about a person besides how to reach them: what they can do, and where they must not go.

use crate::{
    ErrorCode, OrgId, PersonId, Problem,
    callout::{Code, Language, Preference},
};
use serde::{Deserialize, Serialize};

/// The most languages of one person.
pub const MAX_LANGUAGES: usize = 32;
/// The most training codes of one person.
pub const MAX_TRAINING: usize = 32;
/// The most zones that one person serves by name.
pub const MAX_ZONES: usize = 100;
/// The most bars of one person.
pub const MAX_BARS: usize = 100;

/// One person's profile. Everything in it is optional; an empty one is somebody who can be called anywhere.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    /// Languages they work in; at most [`MAX_LANGUAGES`].
    pub languages: Vec<Language>,
    /// As whom they present, for young people who would rather talk to a woman or a man. `any`: not said, and nobody has
    /// to say. Only the person themself sets it.
    pub presents: Preference,
    /// Training they have had, as the organisation's own codes; at most [`MAX_TRAINING`].
    pub training: Vec<Code>,
    /// Zones they serve; empty: all. At most [`MAX_ZONES`].
    pub zones: Vec<Code>,
    /// Conflicts of interest: they are never called to a callout that one of these fits. At most [`MAX_BARS`].
    pub bars: Vec<Bar>,
}

/// What a person is barred from. No reason stands beside it: that would be content.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Bar {
    /// Callouts that this agency opened.
    Agency {
        /// The agency.
        org: OrgId,
    },
    /// Callouts to this registered site.
    Site {
        /// The site's code.
        code: Code,
    },
    /// Callouts in this zone.
    Zone {
        /// The zone's code.
        code: Code,
    },
    /// Callouts that this person opened.
    Person {
        /// Who.
        person: PersonId,
    },
}

impl Bar {
    /// Whether it keeps its holder from a callout that `opener` of `agency` opened for this place.
    pub fn fits(&self, agency: OrgId, opener: PersonId, zone: &Code, site: Option<&Code>) -> bool {
        match self {
            Self::Agency { org } => *org == agency,
            Self::Site { code } => site == Some(code),
            Self::Zone { code } => code == zone,
            Self::Person { person } => *person == opener,
        }
    }
}

impl Profile {
    /// Checks every bound that the types don't already keep.
    ///
    /// # Errors
    /// `invalid_value`, naming the field.
    pub fn validate(&self) -> Result<(), Problem> {
        let lists = [
            ("languages", MAX_LANGUAGES, self.languages.len(), repeats(&self.languages)),
            ("training", MAX_TRAINING, self.training.len(), repeats(&self.training)),
            ("zones", MAX_ZONES, self.zones.len(), repeats(&self.zones)),
            ("bars", MAX_BARS, self.bars.len(), repeats(&self.bars)),
        ];
        for (field, most, length, repeats) in lists {
            if length > most || repeats {
                let detail = format!("{field}: at most {most}, each once.");
                return Err(Problem::with(ErrorCode::InvalidValue, detail));
            }
        }
        Ok(())
    }
}

/// Whether something stands twice in a list; not looked for in one that is too long anyway.
fn repeats<T: PartialEq>(list: &[T]) -> bool {
    list.len() <= 100 && list.iter().enumerate().any(|(i, item)| list[..i].contains(item))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{from_cbor, to_cbor};

    fn code(text: &str) -> Code {
        text.parse().unwrap()
    }

    fn full() -> Profile {
        Profile {
            languages: vec!["es".parse().unwrap()],
            presents: Preference::Woman,
            training: vec![code("forensic-interview")],
            zones: vec![code("north")],
            bars: vec![
                Bar::Agency { org: OrgId([200; 16]) },
                Bar::Site { code: code("station-4") },
                Bar::Zone { code: code("south") },
                Bar::Person { person: PersonId([1; 16]) },
            ],
        }
    }

    #[test]
    fn the_same_in_json_and_cbor_and_empty_by_default() {
        let profile = full();
        assert_eq!(from_cbor::<Profile>(&to_cbor(&profile)).unwrap(), profile);
        let json = serde_json::to_string(&profile).unwrap();
        assert_eq!(serde_json::from_str::<Profile>(&json).unwrap(), profile);
        assert_eq!(serde_json::from_str::<Profile>("{}").unwrap(), Profile::default());
        assert_eq!(Profile::default().presents, Preference::Any);
    }

    #[test]
    fn lists_are_bounded_and_say_nothing_twice() {
        assert_eq!(full().validate(), Ok(()));
        let many = |n: usize| (0..n).map(|i| code(&format!("c{i}"))).collect::<Vec<_>>();
        let cases = [
            ("training", Profile { training: many(MAX_TRAINING + 1), ..full() }),
            ("zones", Profile { zones: many(MAX_ZONES + 1), ..full() }),
            ("zones", Profile { zones: vec![code("a"), code("a")], ..full() }),
            ("languages", Profile { languages: vec!["es".parse().unwrap(); 2], ..full() }),
            ("bars", Profile { bars: vec![Bar::Zone { code: code("a") }; 2], ..full() }),
        ];
        for (field, case) in cases {
            assert!(case.validate().unwrap_err().detail.unwrap().starts_with(field));
        }
    }

    #[test]
    fn each_bar_fits_what_it_names_alone() {
        let (agency, opener) = (OrgId([1; 16]), PersonId([2; 16]));
        let (zone, site, other) = (code("north"), code("station-4"), code("other"));
        let fits = |bar: Bar| bar.fits(agency, opener, &zone, Some(&site));
        assert!(fits(Bar::Agency { org: agency }) && !fits(Bar::Agency { org: OrgId([9; 16]) }));
        assert!(fits(Bar::Site { code: site.clone() }) && !fits(Bar::Site { code: other.clone() }));
        assert!(fits(Bar::Zone { code: zone.clone() }) && !fits(Bar::Zone { code: other }));
        assert!(fits(Bar::Person { person: opener }) && !fits(Bar::Person { person: PersonId([9; 16]) }));
        assert!(!Bar::Site { code: site }.fits(agency, opener, &zone, None));
    }
}

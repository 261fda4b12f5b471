//! Organisations, roles and kinds of room, and the rule that ties them together (DOMAIN.md, "Who uses it").
//!
//! The rule is enforced twice: by clients from the certificates in the MLS tree, and by the server from the same
//! certificates. Neither trusts the other to have done it.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

macro_rules! text_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// Every value, in the order of the documents.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word used on the wire, in certificates and on the command line.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;
            fn from_str(s: &str) -> Result<Self, UnknownWord> {
                Self::ALL.iter().copied().find(|v| v.as_str() == s).ok_or(UnknownWord { kind: stringify!($name) })
            }
        }
    };
}

pub(crate) use text_enum;

/// A word that is not one of the known values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {kind}")]
pub struct UnknownWord {
    /// The type that was expected.
    pub kind: &'static str,
}

text_enum!(
    /// What an organisation is; it fixes which roles its certificates may carry.
    OrgKind {
        /// The victim-services organisation that hosts the server.
        VictimServices = "victim_services",
        /// Police and other law enforcement.
        LawEnforcement = "law_enforcement",
        /// Child welfare services.
        ChildWelfare = "child_welfare",
        /// Probation.
        Probation = "probation",
        /// A prosecutor's office.
        Prosecution = "prosecution",
        /// Health care and aftercare providers.
        Care = "care",
    }
);

text_enum!(
    /// What a device's certificate says its holder may do.
    Role {
        /// Police officer: opens callouts, sees their status.
        PoliceOfficer = "police_officer",
        /// Watch commander: the station's callouts and the "unanswered" alarm.
        WatchCommander = "watch_commander",
        /// Agent in the field, possibly under cover.
        Agent = "agent",
        /// Victim advocate: answers callouts.
        Advocate = "advocate",
        /// On-call supervisor: sees every page and receipt, keeps the rota.
        Supervisor = "supervisor",
        /// Caseworker.
        Caseworker = "caseworker",
        /// Child welfare worker.
        ChildWelfareWorker = "child_welfare_worker",
        /// Probation officer.
        ProbationOfficer = "probation_officer",
        /// Prosecutor.
        Prosecutor = "prosecutor",
        /// Interpreter.
        Interpreter = "interpreter",
        /// Care staff: kits and counts.
        CareStaff = "care_staff",
        /// Organisation admin: accounts, rota, policy; no content.
        Admin = "admin",
    }
);

text_enum!(
    /// What a room is for; the kind fixes which roles may be members, for the whole life of the room.
    RoomKind {
        /// One callout: the officer, responders, supervisor.
        Callout = "callout",
        /// Privileged: advocates and those who may share their privilege. No law enforcement, ever.
        Advocate = "advocate",
        /// The team around one case.
        CaseTeam = "case_team",
        /// Joint operation with law enforcement.
        Operation = "operation",
        /// One organisation's own room.
        Agency = "agency",
    }
);

impl OrgKind {
    /// Whether an organisation of this kind may give out certificates with `role`.
    pub fn may_grant(self, role: Role) -> bool {
        use Role::*;
        match self {
            Self::VictimServices => {
                matches!(role, Agent | Advocate | Supervisor | Caseworker | Interpreter | CareStaff | Admin)
            }
            Self::LawEnforcement => matches!(role, PoliceOfficer | WatchCommander | Agent | Admin),
            Self::ChildWelfare => matches!(role, ChildWelfareWorker | Caseworker | Admin),
            Self::Probation => matches!(role, ProbationOfficer | Admin),
            Self::Prosecution => matches!(role, Prosecutor | Admin),
            Self::Care => matches!(role, CareStaff | Caseworker | Admin),
        }
    }

    /// The words for people, in the middle of a sentence.
    pub fn plain(self) -> &'static str {
        match self {
            Self::VictimServices => "victim services",
            Self::LawEnforcement => "law enforcement",
            Self::ChildWelfare => "child welfare",
            Self::Probation => "probation",
            Self::Prosecution => "the prosecution",
            Self::Care => "care providers",
        }
    }
}

impl Role {
    /// Whether a member with this role may be the second person who lets another class of organisation into a room.
    pub fn decides_about_readers(self) -> bool {
        !matches!(self, Self::Interpreter | Self::CareStaff)
    }
}

impl RoomKind {
    /// Whether a device whose certificate says `role`, from an organisation of kind `org`, may be a member.
    ///
    /// An admin is never a member except of their own agency's room: accounts and content stay apart (DOMAIN.md).
    pub fn admits(self, org: OrgKind, role: Role) -> bool {
        use Role::*;
        let law_enforcement = org == OrgKind::LawEnforcement;
        match self {
            Self::Callout => {
                matches!(role, PoliceOfficer | WatchCommander | Advocate | Supervisor | Interpreter)
            }
            Self::Advocate => !law_enforcement && matches!(role, Advocate | Supervisor | Caseworker | Interpreter),
            Self::CaseTeam => {
                matches!(
                    role,
                    Advocate | Supervisor | Caseworker | ChildWelfareWorker | ProbationOfficer | Prosecutor | CareStaff
                ) && !law_enforcement
            }
            Self::Operation => matches!(role, PoliceOfficer | WatchCommander | Agent | Advocate | Supervisor),
            Self::Agency => true,
        }
    }

    /// Whether another class of organisation comes into a room of this kind only if two people want it.
    ///
    /// A callout's room holds police and responders from its first moment: the press that opened it and the organisation's
    /// dispatch policy say who is in it, and at night nobody is awake to be the second person. In every other kind that
    /// admits several organisations, letting one in is a disclosure that a person decides on.
    pub fn takes_two(self) -> bool {
        matches!(self, Self::Advocate | Self::CaseTeam | Self::Operation)
    }

    /// Whether organisations of this kind could ever have a member in such a room.
    pub fn admits_org(self, org: OrgKind) -> bool {
        Role::ALL.iter().any(|role| org.may_grant(*role) && self.admits(org, *role))
    }

    /// Whether all members must belong to one organisation.
    pub fn single_org(self) -> bool {
        self == Self::Agency
    }

    /// A plain sentence that says who can read the room, for banners and errors.
    pub fn who_can_read(self) -> &'static str {
        match self {
            Self::Callout => "the officer, the responders and the supervisor; police can read this room",
            Self::Advocate => "advocates, caseworkers and their supervisor; police can never join this room",
            Self::CaseTeam => "the case team without law enforcement",
            Self::Operation => "the joint operation; police can read this room",
            Self::Agency => "members of one organisation",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_law_enforcement_role_enters_an_advocate_or_case_room() {
        for role in Role::ALL {
            for kind in [RoomKind::Advocate, RoomKind::CaseTeam] {
                assert!(!kind.admits(OrgKind::LawEnforcement, *role), "{kind} admits {role} of law enforcement");
            }
            if OrgKind::LawEnforcement.may_grant(*role) && *role != Role::Admin {
                for org in OrgKind::ALL {
                    assert!(!RoomKind::Advocate.admits(*org, *role), "advocate room admits {role} of {org}");
                }
            }
        }
    }

    #[test]
    fn a_kind_that_admits_several_organisations_takes_two_people_unless_it_is_a_callout() {
        for kind in RoomKind::ALL {
            let several = !kind.single_org() && OrgKind::ALL.iter().filter(|org| kind.admits_org(**org)).count() > 1;
            assert_eq!(kind.takes_two(), several && *kind != RoomKind::Callout, "{kind}");
        }
    }

    #[test]
    fn words_are_the_serde_words() {
        for role in Role::ALL {
            assert_eq!(serde_json::to_string(role).unwrap(), format!("\"{role}\""));
            assert_eq!(role.as_str().parse::<Role>().unwrap(), *role);
        }
    }
}

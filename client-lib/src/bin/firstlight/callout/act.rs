//! What people do with a callout, one command each.

use super::{Which, find, show};
use crate::{context::Context, failure::Failure, output::Answer, people::find_people, values::word};
use clap::Subcommand;
use firstlight_client::session::Session;
use firstlight_protocol::callout::{Action, CancelReason, OutcomeReason, Support, Welfare};

/// Actions on a callout.
#[derive(Debug, Subcommand)]
pub(crate) enum Act {
    /// "I am awake." Not the same as accepting
    Ack(Which),
    /// "I am going"
    Accept {
        #[command(flatten)]
        which: Which,
        /// Minutes until you are there
        #[arg(long, value_name = "MINUTES")]
        eta: u16,
    },
    /// "I can't go", without a reason
    Decline(Which),
    /// A new ETA
    Eta {
        #[command(flatten)]
        which: Which,
        /// Minutes until you are there
        #[arg(long, value_name = "MINUTES")]
        eta: u16,
    },
    /// On the way
    EnRoute(Which),
    /// There
    Arrived(Which),
    /// With the young person
    With(Which),
    /// Handed over to whoever follows
    Handover(Which),
    /// Done
    Close {
        #[command(flatten)]
        which: Which,
        /// Reason codes; repeat for each
        #[arg(long = "reason", value_parser = word(OutcomeReason::ALL))]
        reasons: Vec<OutcomeReason>,
        /// accepted, declined_for_now or not_offered
        #[arg(long, default_value = "not_offered", value_parser = word(Support::ALL))]
        support: Support,
        /// Kits given
        #[arg(long, default_value_t = 0)]
        kits: u16,
    },
    /// Look back on a closed callout (supervisor)
    Review {
        #[command(flatten)]
        which: Which,
        /// Further reason codes; repeat for each
        #[arg(long = "reason", value_parser = word(OutcomeReason::ALL))]
        reasons: Vec<OutcomeReason>,
        /// How the responders are: well, follow_up or not_asked
        #[arg(long, default_value = "not_asked", value_parser = word(Welfare::ALL))]
        welfare: Welfare,
    },
    /// Call off
    Cancel {
        #[command(flatten)]
        which: Which,
        /// mistake, not_needed, drill or left_before_arrival
        #[arg(long, default_value = "not_needed", value_parser = word(CancelReason::ALL))]
        reason: CancelReason,
    },
    /// The young person left before support arrived
    Left(Which),
    /// This callout is a duplicate of another, which goes on
    Merge {
        #[command(flatten)]
        which: Which,
        /// The callout that goes on: its id, or its end
        #[arg(long, value_name = "CALLOUT")]
        into: String,
    },
    /// Bar somebody with a conflict of interest from this callout (supervisor)
    Bar {
        #[command(flatten)]
        which: Which,
        /// Who: work name, or id, or its end
        #[arg(long, value_name = "PERSON")]
        person: String,
    },
    /// Ask for more responders
    CallMore {
        #[command(flatten)]
        which: Which,
        /// How many are wanted in all
        #[arg(long, value_name = "N")]
        wanted: u8,
        /// People to call at once: work name, or id, or its end; repeat for each
        #[arg(long = "person", value_name = "PERSON")]
        people: Vec<String>,
    },
}

impl Act {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context, session: &Session) -> Result<Answer, Failure> {
        let (which, action) = self.action(session).await?;
        action.validate()?;
        let callout = which.find(session).await?;
        let view = session.act(callout, action).await?;
        Ok(show::show(context, &view))
    }

    async fn action(self, session: &Session) -> Result<(Which, Action), Failure> {
        Ok(match self {
            Self::Ack(which) => (which, Action::Acknowledge),
            Self::Accept { which, eta } => (which, Action::Accept { eta_minutes: eta }),
            Self::Decline(which) => (which, Action::Decline),
            Self::Eta { which, eta } => (which, Action::Eta { eta_minutes: eta }),
            Self::EnRoute(which) => (which, Action::EnRoute),
            Self::Arrived(which) => (which, Action::Arrived),
            Self::With(which) => (which, Action::WithYoungPerson),
            Self::Handover(which) => (which, Action::HandOver),
            Self::Close { which, reasons, support, kits } => {
                (which, Action::Close { reasons, support, kits_given: kits })
            }
            Self::Review { which, reasons, welfare } => (which, Action::Review { reasons, welfare }),
            Self::Cancel { which, reason } => (which, Action::Cancel { reason }),
            Self::Left(which) => (which, Action::Cancel { reason: CancelReason::LeftBeforeArrival }),
            Self::Merge { which, into } => (which, Action::Merge { into: find(session, &into).await? }),
            Self::Bar { which, person } => {
                let person = find_people(session, std::slice::from_ref(&person)).await?;
                let person =
                    person.first().copied().ok_or_else(|| Failure::missing("There is nobody of that name."))?;
                (which, Action::Bar { person })
            }
            Self::CallMore { which, wanted, people } => {
                (which, Action::CallMore { wanted, people: find_people(session, &people).await? })
            }
        })
    }
}

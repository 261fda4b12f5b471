//! Layers, holidays, overrides, absences and swaps, one at a time.

use super::edit::change;
use crate::{
    context::Context,
    failure::Failure,
    output::Answer,
    people::{find_people, find_person},
    policy::read_document,
    values::{local_date, local_time, word},
};
use clap::{Args, Subcommand};
use firstlight_client::session::{Session, random};
use firstlight_protocol::{
    PersonId,
    api::{AnswerSwap, OfferSwap, RotaChanged, SwapAnswer},
    callout::{Code, Tier},
    rota::{Absence, Cycle, Holiday, Layer, OnHolidays, Override, SwapState, Turn, Unit, Weekday, Window},
};
use jiff::civil;
use std::path::PathBuf;

const TIERS: &[Tier] = &[Tier::Primary, Tier::Backup, Tier::Supervisor];

/// Commands about layers.
#[derive(Debug, Subcommand)]
pub(super) enum LayerCommand {
    /// Add people who take turns; of one tier, the last layer that applies counts
    Add(Box<AddLayer>),
    /// Remove a layer
    Remove {
        /// Its name
        id: Code,
    },
}

/// A new layer.
#[derive(Debug, Args)]
pub(super) struct AddLayer {
    /// Its name: a code such as "nights"
    #[arg(long)]
    id: Code,
    /// primary, backup or supervisor
    #[arg(long, value_parser = word(TIERS))]
    tier: Tier,
    /// Who takes turns, in order: work name, or id, or its end
    #[arg(long = "person", required = true)]
    people: Vec<String>,
    /// How many of them at once
    #[arg(long, default_value_t = 1)]
    at_once: u16,
    /// The first hand-over, as local time of the rota: 2026-03-02T09:00
    #[arg(long, value_parser = local_time)]
    starts: civil::DateTime,
    /// When the layer ends
    #[arg(long, value_parser = local_time)]
    ends: Option<civil::DateTime>,
    /// What turns are counted in: hours, days or weeks
    #[arg(long, default_value = "weeks", value_parser = word(Unit::ALL))]
    unit: Unit,
    /// How many; several for a cycle: --every 2 --every 2 --every 3
    #[arg(long, default_values_t = [1])]
    every: Vec<u16>,
    /// Only these hours, on these days: 22:00-06:00, mon,tue,wed:22:00-06:00
    #[arg(long, value_parser = window)]
    only: Vec<Window>,
    /// On holidays: as_usual, off or only
    #[arg(long, default_value = "as_usual", value_parser = word(OnHolidays::ALL))]
    on_holidays: OnHolidays,
    /// Only for callouts of this zone
    #[arg(long)]
    zone: Option<Code>,
    /// Time zone of a new rota [default: this machine's]
    #[arg(long, value_name = "TZ")]
    tz: Option<String>,
}

/// `22:00-06:00`, or with days before it: `sat,sun:00:00-00:00`.
fn window(text: &str) -> Result<Window, String> {
    let wrong = || "hours such as 22:00-06:00, or with days sat,sun:08:00-20:00".to_owned();
    let (days, hours) = match text.split_once(':') {
        Some((days, hours)) if days.starts_with(|c: char| c.is_ascii_alphabetic()) => (Some(days), hours),
        _ => (None, text),
    };
    let (from, until) = hours.split_once('-').ok_or_else(wrong)?;
    let weekdays = days.map_or(Ok(Vec::new()), |days| days.split(',').map(|day| day.parse::<Weekday>()).collect());
    Ok(Window {
        weekdays: weekdays.map_err(|_| wrong())?,
        from: from.parse().map_err(|_| wrong())?,
        until: until.parse().map_err(|_| wrong())?,
    })
}

impl LayerCommand {
    pub(super) async fn run(self, context: &Context, session: &Session) -> Result<Answer, Failure> {
        match self {
            Self::Add(add) => {
                let layer = Layer {
                    people: find_people(session, &add.people).await?,
                    id: add.id,
                    tier: add.tier,
                    zone: add.zone,
                    at_once: add.at_once,
                    starts: add.starts,
                    ends: add.ends,
                    cycle: Cycle { unit: add.unit, lengths: add.every },
                    only: add.only,
                    on_holidays: add.on_holidays,
                };
                change(context, session, add.tz, |rota| rota.layers.push(layer.clone())).await
            }
            Self::Remove { id } => {
                let known = session.api().rota().await?;
                if !known.rota.layers.iter().any(|layer| layer.id == id) {
                    return Err(Failure::missing(format!("No layer has the name {id}.")));
                }
                change(context, session, None, |rota| rota.layers.retain(|layer| layer.id != id)).await
            }
        }
    }
}

/// Commands about holidays.
#[derive(Debug, Subcommand)]
pub(super) enum HolidayCommand {
    /// Add a holiday
    Add {
        /// The date: 2026-12-25
        #[arg(value_parser = local_date)]
        date: civil::Date,
        /// What you call it: a code
        code: Code,
    },
    /// Remove a holiday
    Remove {
        /// The date
        #[arg(value_parser = local_date)]
        date: civil::Date,
    },
}

impl HolidayCommand {
    pub(super) async fn run(self, context: &Context, session: &Session) -> Result<Answer, Failure> {
        match self {
            Self::Add { date, code } => {
                let holiday = Holiday { date, code };
                change(context, session, None, |rota| {
                    rota.holidays.retain(|known| known.date != date);
                    rota.holidays.push(holiday.clone());
                    rota.holidays.sort();
                })
                .await
            }
            Self::Remove { date } => {
                change(context, session, None, |rota| rota.holidays.retain(|known| known.date != date)).await
            }
        }
    }
}

/// Commands about overrides.
#[derive(Debug, Subcommand)]
pub(super) enum OverrideCommand {
    /// Put somebody on duty for a while
    Add {
        /// Who: work name, or id, or its end
        person: String,
        /// primary, backup or supervisor
        #[arg(long, default_value = "primary", value_parser = word(TIERS))]
        tier: Tier,
        /// In place of whom [default: in addition]
        #[arg(long)]
        replaces: Option<String>,
        /// First moment, as local time of the rota
        #[arg(long, value_parser = local_time)]
        from: civil::DateTime,
        /// First moment after it
        #[arg(long, value_parser = local_time)]
        until: civil::DateTime,
        /// Only for callouts of this zone
        #[arg(long)]
        zone: Option<Code>,
    },
    /// Take one back
    Remove {
        /// Its name
        id: Code,
    },
}

impl OverrideCommand {
    pub(super) async fn run(self, context: &Context, session: &Session) -> Result<Answer, Failure> {
        match self {
            Self::Add { person, tier, replaces, from, until, zone } => {
                let person = find_person(session, &person).await?.person;
                let replaces = match replaces {
                    Some(text) => Some(find_person(session, &text).await?.person),
                    None => None,
                };
                let id = fresh("over")?;
                let body = Override { id: id.clone(), tier, zone, person, replaces, from, until };
                done(context, &id, &session.api().add_override(&body).await?)
            }
            Self::Remove { id } => done(context, &id, &session.api().remove_override(&id).await?),
        }
    }
}

/// Commands about absences.
#[derive(Debug, Subcommand)]
pub(super) enum AbsenceCommand {
    /// Say that somebody is away
    Add {
        /// Who [default: you]
        #[arg(long)]
        person: Option<String>,
        /// First moment, as local time of the rota
        #[arg(long, value_parser = local_time)]
        from: civil::DateTime,
        /// First moment after it
        #[arg(long, value_parser = local_time)]
        until: civil::DateTime,
    },
    /// Take one back
    Remove {
        /// Its name
        id: Code,
    },
    /// Take absences from a calendar file (.ics)
    Import {
        /// The file ("-": standard input)
        file: PathBuf,
        /// Whose they are [default: yours]
        #[arg(long)]
        person: Option<String>,
    },
}

impl AbsenceCommand {
    pub(super) async fn run(self, context: &Context, session: &Session) -> Result<Answer, Failure> {
        match self {
            Self::Add { person, from, until } => {
                let person = or_me(session, person).await?;
                let id = fresh("away")?;
                let body = Absence { id: id.clone(), person, from, until };
                done(context, &id, &session.api().add_absence(&body).await?)
            }
            Self::Remove { id } => done(context, &id, &session.api().remove_absence(&id).await?),
            Self::Import { file, person } => {
                let person = match person {
                    Some(text) => Some(find_person(session, &text).await?.person),
                    None => None,
                };
                let imported = session.api().import_absences(person, read_document(&file)?).await?;
                let mut page = context.page();
                page.line(&format!("{} absences are in the rota, {} were cancelled.", imported.kept, imported.removed));
                Ok(Answer::new(&imported, page))
            }
        }
    }
}

/// Commands about swaps.
#[derive(Debug, Subcommand)]
pub(super) enum SwapCommand {
    /// Swaps, and where they stand
    List,
    /// Offer a turn to somebody
    Offer {
        /// The shift's or layer's name
        #[arg(long)]
        of: Code,
        /// The beginning of the turn, as local time of the rota
        #[arg(long, value_parser = local_time)]
        begins: civil::DateTime,
        /// To whom
        #[arg(long)]
        to: String,
        /// Whose turn it is [default: yours]
        #[arg(long)]
        person: Option<String>,
        /// A turn of theirs in return: the shift's or layer's name
        #[arg(long, requires = "return_begins")]
        return_of: Option<Code>,
        /// Its beginning
        #[arg(long, requires = "return_of", value_parser = local_time)]
        return_begins: Option<civil::DateTime>,
    },
    /// Accept a swap that was offered to you
    Accept {
        /// Its name
        id: Code,
    },
    /// Decline a swap that was offered to you
    Decline {
        /// Its name
        id: Code,
    },
    /// Withdraw a swap that you offered
    Withdraw {
        /// Its name
        id: Code,
    },
}

impl SwapCommand {
    pub(super) async fn run(self, context: &Context, session: &Session) -> Result<Answer, Failure> {
        let (id, answer) = match self {
            Self::List => return list(context, session).await,
            Self::Offer { of, begins, to, person, return_of, return_begins } => {
                let to = find_person(session, &to).await?.person;
                let person = match person {
                    Some(text) => Some(find_person(session, &text).await?.person),
                    None => None,
                };
                let in_return = return_of.zip(return_begins).map(|(of, begins)| Turn { of, begins });
                let id = fresh("swap")?;
                let body = OfferSwap { id: id.clone(), person, to, turn: Turn { of, begins }, in_return };
                return done(context, &id, &session.api().offer_swap(&body).await?);
            }
            Self::Accept { id } => (id, SwapAnswer::Accept),
            Self::Decline { id } => (id, SwapAnswer::Decline),
            Self::Withdraw { id } => (id, SwapAnswer::Withdraw),
        };
        done(context, &id, &session.api().answer_swap(&id, &AnswerSwap { answer }).await?)
    }
}

async fn list(context: &Context, session: &Session) -> Result<Answer, Failure> {
    let rota = session.api().rota().await?.rota;
    let people = session.api().people().await?;
    let name =
        |id: PersonId| people.iter().find(|p| p.person == id).map_or_else(|| id.short(), |p| p.work_name.clone());
    let mut page = context.page();
    let now = rota.local(page.when().now)?;
    let rows: Vec<Vec<String>> = rota
        .swaps
        .iter()
        .map(|swap| {
            let turn = |turn: &Turn| format!("{} {}", turn.of, turn.begins.strftime("%a %Y-%m-%d %H:%M"));
            vec![
                swap.id.to_string(),
                name(swap.person),
                name(swap.to),
                turn(&swap.turn),
                swap.in_return.as_ref().map(turn).unwrap_or_default(),
                rota.swap_state(&swap.id, now).unwrap_or(SwapState::Lapsed).to_string(),
            ]
        })
        .collect();
    page.table(&["SWAP", "FROM", "TO", "TURN", "IN RETURN", "STATE"], &rows, "no swaps");
    Ok(Answer::new(&rota.swaps, page))
}

async fn or_me(session: &Session, person: Option<String>) -> Result<PersonId, Failure> {
    match person {
        Some(text) => Ok(find_person(session, &text).await?.person),
        None => Ok(session.api().me().await?.person),
    }
}

/// A name that nothing has yet.
fn fresh(what: &str) -> Result<Code, Failure> {
    let random: [u8; 6] = random()?;
    let hex: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{what}-{hex}").parse().map_err(|_| Failure::Usage("No name could be made.".into()))
}

fn done(context: &Context, id: &Code, changed: &RotaChanged) -> Result<Answer, Failure> {
    let mut page = context.page();
    page.line(&format!("{id}: done, the rota is at version {}.", changed.version));
    Ok(Answer::new(&serde_json::json!({ "id": id, "version": changed.version }), page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_with_and_without_days() {
        let night = window("22:00-06:00").unwrap();
        assert!(night.weekdays.is_empty() && night.from.hour() == 22 && night.until.hour() == 6);
        assert_eq!(window("sat,sun:08:00-20:00").unwrap().weekdays, [Weekday::Sat, Weekday::Sun]);
        for wrong in ["", "22:00", "someday:08:00-20:00", "25:00-26:00"] {
            assert!(window(wrong).is_err(), "{wrong}");
        }
    }
}

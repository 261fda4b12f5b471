//! The rota: shown, replaced whole, or changed shift by shift.

use crate::{
    context::Context,
    failure::Failure,
    output::{Answer, Page},
    people::find_person,
    values::{local_date, local_time, word},
    words,
};
use clap::{Args, Subcommand};
use firstlight_client::{session::Session, transport::TransportError};
use firstlight_protocol::{
    ErrorCode, PersonId,
    api::RotaDocument,
    callout::{Code, Tier},
    rota::{Repeat, Rota, Shift},
};
use jiff::{civil, tz::TimeZone};
use std::{collections::BTreeMap, path::Path};

/// How often a change is made again on top of somebody else's.
const ATTEMPTS: usize = 4;

/// Commands about one shift.
#[derive(Debug, Subcommand)]
pub(crate) enum ShiftCommand {
    /// Add a shift
    Add(Box<AddShift>),
    /// Remove a shift by its code
    Remove {
        /// The code
        id: Code,
    },
}

/// A new shift.
#[derive(Debug, Args)]
pub(crate) struct AddShift {
    /// primary, backup or supervisor
    #[arg(long, value_parser = word(&[Tier::Primary, Tier::Backup, Tier::Supervisor]))]
    tier: Tier,
    /// Who: work name, or id, or its end
    #[arg(long)]
    person: String,
    /// First moment, as local time of the rota: 2026-03-08T22:00
    #[arg(long, value_parser = local_time)]
    from: civil::DateTime,
    /// First moment after it, as local time
    #[arg(long, value_parser = local_time)]
    until: civil::DateTime,
    /// once, daily or weekly
    #[arg(long, default_value = "once", value_parser = word(Repeat::ALL))]
    repeat: Repeat,
    /// Last date on which it may begin
    #[arg(long, value_parser = local_date)]
    repeat_until: Option<civil::Date>,
    /// Only for callouts of this zone
    #[arg(long)]
    zone: Option<Code>,
    /// A code to find the shift by
    #[arg(long)]
    id: Option<Code>,
    /// Time zone of a new rota [default: this machine's]
    #[arg(long, value_name = "TZ")]
    tz: Option<String>,
}

/// The rota as one document.
pub(super) async fn show_rota(context: &Context, session: &Session) -> Result<Answer, Failure> {
    show(context, session, &session.api().rota().await?).await
}

/// Replaces the rota with a document.
pub(super) async fn set_rota(context: &Context, session: &Session, file: &Path) -> Result<Answer, Failure> {
    let text = crate::policy::read_document(file)?;
    let rota: Rota = serde_json::from_str(&text)
        .map_err(|e| Failure::Usage(format!("The rota is not of the documented shape: {e}.")))?;
    change(context, session, None, |current| *current = rota.clone()).await
}

impl ShiftCommand {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context, session: &Session) -> Result<Answer, Failure> {
        match self {
            Self::Add(add) => {
                let person = find_person(session, &add.person).await?.person;
                let shift = Shift {
                    id: add.id,
                    tier: add.tier,
                    person,
                    zone: add.zone,
                    from: add.from,
                    until: add.until,
                    repeat: add.repeat,
                    repeat_until: add.repeat_until,
                };
                change(context, session, add.tz, |rota| rota.shifts.push(shift.clone())).await
            }
            Self::Remove { id } => {
                let known = session.api().rota().await?;
                if !known.rota.shifts.iter().any(|shift| shift.id.as_ref() == Some(&id)) {
                    return Err(Failure::missing(format!("No shift has the code {id}.")));
                }
                change(context, session, None, |rota| rota.shifts.retain(|shift| shift.id.as_ref() != Some(&id))).await
            }
        }
    }
}

/// Changes the newest rota; if somebody else was faster, changes theirs.
pub(super) async fn change(
    context: &Context,
    session: &Session,
    tz: Option<String>,
    edit: impl Fn(&mut Rota),
) -> Result<Answer, Failure> {
    let mut attempt = 1;
    loop {
        let mut document = match session.api().rota().await {
            Ok(document) => document,
            Err(e) if e.code() == Some(ErrorCode::NotFound) => RotaDocument { version: 0, rota: empty(tz.as_deref())? },
            Err(e) => return Err(e.into()),
        };
        edit(&mut document.rota);
        document.rota.validate()?;
        match session.api().put_rota(&document).await {
            Ok(stored) => return show(context, session, &stored).await,
            Err(TransportError::Refused(p)) if p.code == ErrorCode::Conflict && attempt < ATTEMPTS => attempt += 1,
            Err(e) => return Err(e.into()),
        }
    }
}

fn empty(tz: Option<&str>) -> Result<Rota, Failure> {
    let here = TimeZone::system();
    let tz = tz.or_else(|| here.iana_name()).ok_or_else(|| {
        Failure::Usage("This machine does not say its time zone: give --tz, such as America/Los_Angeles.".into())
    })?;
    Ok(Rota::new(tz))
}

async fn show(context: &Context, session: &Session, document: &RotaDocument) -> Result<Answer, Failure> {
    let people = session.api().people().await?;
    let names: BTreeMap<PersonId, String> = people.into_iter().map(|p| (p.person, p.work_name)).collect();
    let mut page = context.page();
    page.title(&format!("Rota, version {} ({})", document.version, document.rota.tz));
    let rows: Vec<Vec<String>> = document
        .rota
        .shifts
        .iter()
        .map(|shift| {
            let name = names.get(&shift.person).cloned().unwrap_or_else(|| shift.person.short());
            let until = shift.repeat_until.map(|date| format!(" until {date}")).unwrap_or_default();
            vec![
                words::tier(shift.tier).into(),
                name,
                shift.from.strftime("%a %Y-%m-%d %H:%M").to_string(),
                shift.until.strftime("%a %Y-%m-%d %H:%M").to_string(),
                format!("{}{until}", shift.repeat),
                shift.zone.as_ref().map_or("all zones", |zone| zone.as_str()).into(),
                shift.id.as_ref().map_or("", |id| id.as_str()).into(),
            ]
        })
        .collect();
    page.table(&["TIER", "NAME", "FROM", "UNTIL", "REPEATS", "ZONE", "CODE"], &rows, "no shifts");
    layers(&mut page, &document.rota, &names);
    if document.rota.shifts.is_empty() && document.rota.layers.is_empty() {
        page.note("  nobody is on duty: everyone qualified is called at once");
    }
    Ok(Answer::new(document, page))
}

fn layers(page: &mut Page, rota: &Rota, names: &BTreeMap<PersonId, String>) {
    if rota.layers.is_empty() {
        return;
    }
    let name = |person: &PersonId| names.get(person).cloned().unwrap_or_else(|| person.short());
    let rows: Vec<Vec<String>> = rota
        .layers
        .iter()
        .map(|layer| {
            let lengths: Vec<String> = layer.cycle.lengths.iter().map(ToString::to_string).collect();
            let people: Vec<String> = layer.people.iter().map(name).collect();
            vec![
                layer.id.to_string(),
                words::tier(layer.tier).into(),
                format!("{} {}", lengths.join(", "), layer.cycle.unit),
                layer.starts.strftime("%a %Y-%m-%d %H:%M").to_string(),
                layer.zone.as_ref().map_or("all zones", |zone| zone.as_str()).into(),
                people.join(", "),
            ]
        })
        .collect();
    page.title("Layers; of one tier, the last that applies counts");
    page.table(&["LAYER", "TIER", "TURNS", "FIRST", "ZONE", "PEOPLE"], &rows, "");
}

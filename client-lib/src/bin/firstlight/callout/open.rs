//! Opening a callout: at most six decisions, no typing needed, and the page is out before anything else happens.

use super::show;
use crate::{
    context::Context,
    failure::Failure,
    output::{Answer, Page},
    values::{moment, word, yes_no},
};
use clap::Args;
use firstlight_client::session::{Opening, RoomBuilt, Session, now};
use firstlight_protocol::{
    CalloutId, ErrorCode, Problem, Timestamp,
    callout::{AgeBand, CalloutView, Code, Language, Phone, Preference, Purpose, Routing},
    mls::CalloutDetails,
};
use serde_json::{Value, json};
use std::path::PathBuf;

/// What stands beside every free text.
pub(crate) const FREE_TEXT: &str =
    "Free text: no names, no criminal-justice data. The server can't read it, and can't take it out.";

/// Opening.
#[derive(Debug, Args)]
pub(crate) struct Open {
    /// Zone code
    #[arg(long, value_name = "CODE")]
    zone: Code,
    /// Registered site: a station, a hospital
    #[arg(long, value_name = "CODE")]
    site: Option<Code>,
    /// How many young people
    #[arg(long, value_name = "N", default_value_t = 1)]
    young_people: u16,
    /// unknown, under12, early (12 to 14), late (15 to 17), adult or mixed
    #[arg(long, default_value = "unknown", value_parser = word(AgeBand::ALL))]
    age_band: AgeBand,
    /// Languages such as es or zh-Hant, best first; repeat for each
    #[arg(long = "language", value_name = "CODE")]
    languages: Vec<Language>,
    /// How many responders
    #[arg(long, value_name = "N", default_value_t = 1)]
    wanted: u8,
    /// Whom they would rather talk to: any, woman or man
    #[arg(long, default_value = "any", value_parser = word(Preference::ALL))]
    prefer: Preference,
    /// Training that a responder should have had; repeat for each
    #[arg(long = "training", value_name = "CODE")]
    training: Vec<Code>,
    /// A drill: people are called as ever, and see that it is one
    #[arg(long)]
    drill: bool,
    /// Is the scene safe for a responder? yes or no [default: no, not confirmed]
    #[arg(long, value_name = "YES/NO", default_value = "no", hide_default_value = true, value_parser = yes_no, action = clap::ArgAction::Set)]
    scene_safe: bool,
    /// Are emergency services needed? yes or no
    #[arg(long, value_name = "YES/NO", default_value = "no", value_parser = yes_no, action = clap::ArgAction::Set)]
    emergency: bool,
    /// The number to call you back on
    #[arg(long, value_name = "PHONE")]
    call_back: Phone,
    /// When you first met the young person, such as 2026-03-08T01:10:00Z [default: now]
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    first_contact: Option<Timestamp>,
    /// Exact address (end-to-end encrypted, like all that follows)
    #[arg(long, default_value = "", hide_default_value = true)]
    address: String,
    /// Entrance, parking, staging point
    #[arg(long, default_value = "", hide_default_value = true)]
    arrival: String,
    /// Injuries and needs
    #[arg(long, default_value = "", hide_default_value = true)]
    needs: String,
    /// Kit size
    #[arg(long, default_value = "", hide_default_value = true)]
    kit: String,
    /// Anything else: no names, no criminal-justice data
    #[arg(long, default_value = "", hide_default_value = true)]
    notes: String,
    /// The five fields above as a JSON file ("-": standard input), so that they stay out of the shell's history
    #[arg(long, value_name = "FILE", conflicts_with_all = ["address", "arrival", "needs", "kit", "notes"])]
    details_file: Option<PathBuf>,
    /// Don't build the room: the page alone
    #[arg(long)]
    no_room: bool,
}

impl Open {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context, session: &Session) -> Result<Answer, Failure> {
        let details = self.details()?;
        if !details.notes.is_empty() {
            context.out.aside(FREE_TEXT);
        }
        let routing = self.routing();
        let purpose = if self.drill { Purpose::Drill } else { Purpose::Real };
        routing.validate(now())?;
        let opened = session.open_callout(routing, purpose, details).await;
        let (view, opening) = match opened {
            Ok(opened) => opened,
            Err(e) => {
                not_sent(context, session, &e.to_string()).await;
                return Err(e.into());
            }
        };
        if self.no_room {
            session.forget_opening(&opening).await?;
            return Ok(answer(context, &view, None));
        }
        context.out.aside("The page is out. Building the encrypted room ...");
        let built = session.build_callout_room(&opening).await;
        // By now somebody may have answered.
        let view = session.api().callout(opening.open.id).await.unwrap_or(view);
        Ok(answer(context, &view, Some(built.map_err(|e| e.problem()))))
    }

    fn details(&self) -> Result<CalloutDetails, Failure> {
        if let Some(file) = &self.details_file {
            let text = crate::policy::read_document(file)?;
            return serde_json::from_str(&text).map_err(|_| {
                Failure::Usage(
                    "The details are not of the documented shape: address, arrival, needs, kit, notes.".into(),
                )
            });
        }
        let Self { address, arrival, needs, kit, notes, .. } = self;
        Ok(CalloutDetails {
            address: address.clone(),
            arrival: arrival.clone(),
            needs: needs.clone(),
            kit: kit.clone(),
            notes: notes.clone(),
        })
    }

    fn routing(&self) -> Routing {
        Routing {
            call_back: self.call_back.clone(),
            zone: self.zone.clone(),
            site: self.site.clone(),
            first_contact_at: self.first_contact.unwrap_or_else(now),
            young_people: self.young_people,
            age_band: self.age_band,
            languages: self.languages.clone(),
            preference: self.prefer,
            scene_safe: self.scene_safe,
            emergency_needed: self.emergency,
            wanted: self.wanted,
            training: self.training.clone(),
        }
    }
}

/// DOMAIN.md, "At night": a loud "NOT SENT: call this number".
async fn not_sent(context: &Context, session: &Session, reason: &str) {
    let call = match session.state().duty_number().await {
        Some(number) => format!("call the duty number {number}"),
        None => "call the duty number of the responders' organisation".into(),
    };
    context
        .out
        .loud(&format!("NOT SENT: {call}. The same command again, or \"firstlight watch\", sends it within 15 minutes, once. ({reason})"));
}

/// The callout, and what became of its room.
fn answer(context: &Context, view: &CalloutView, room: Option<Result<RoomBuilt, Problem>>) -> Answer {
    let mut page = context.page();
    show::describe(&mut page, view);
    let mut json = json!({ "callout": view });
    let mut partly = None;
    match room {
        None => page.note("No room was asked for: nobody gets details beyond the routing fields."),
        Some(Ok(built)) => {
            describe_room(&mut page, &built);
            json["room"] = json!(built.room);
            json["left_out"] = json!(built.left_out);
        }
        Some(Err(problem)) => {
            let sentence = format!(
                "The callout is paging; its room could not be built: {} Details not sent.",
                ended(&problem.title)
            );
            json["room"] = Value::Null;
            json["problem"] = json!(problem);
            page.note("\"firstlight callout build-room\" tries again; \"firstlight watch\" does so by itself.");
            partly = Some(Failure::Partly(Problem { title: sentence, ..problem }));
        }
    }
    let mut answer = Answer::new(&json, page);
    answer.partly = partly;
    answer
}

fn ended(sentence: &str) -> String {
    let trimmed = sentence.trim_end_matches('.');
    format!("{trimmed}.")
}

fn describe_room(page: &mut Page, built: &RoomBuilt) {
    page.title("Encrypted room");
    page.row("room", &built.room.to_string());
    page.row("members", &format!("{} people who may be called, and you", built.people.len()));
    for left in &built.left_out {
        page.row("left out", &format!("{}: {}", left.work_name, left.problem));
    }
}

/// Builds the room of an earlier callout.
pub(crate) async fn build_room(context: &Context, session: &Session, callout: CalloutId) -> Result<Answer, Failure> {
    let opening: Opening = session.unbuilt(callout).await?.ok_or_else(|| {
        Failure::local(ErrorCode::WrongState, "That callout was not opened on this device, or its room stands already.")
    })?;
    let built = session.finish_opening(opening).await?;
    let mut page = context.page();
    describe_room(&mut page, &built);
    Ok(Answer::new(&json!({ "callout": callout, "room": built.room, "left_out": built.left_out }), page))
}

//! Drills: scheduled ones, and what came of them. One that begins now is `callout open --drill`.

use super::{
    context::Context,
    failure::Failure,
    output::{Answer, Page, took},
    pick::pick,
    values::{millis, moment},
    words,
};
use clap::{Args, Subcommand};
use firstlight_client::session::{Session, now, random};
use firstlight_protocol::{
    CalloutId, Timestamp,
    api::{DrillList, DrillMoment, DrillPerson, DrillReport, DrillState, DrillTiming, DrillView, ScheduleDrill},
    callout::{AgeBand, Code, Language, Phone, Preference, Routing},
    policy::Millis,
};

/// Commands about drills.
#[derive(Debug, Subcommand)]
pub(crate) enum Drill {
    /// Schedule a drill: people are called as ever, and see that it is one
    Schedule(Box<Schedule>),
    /// List drills
    List,
    /// Take a drill back before it begins
    Cancel {
        /// The drill's id, or its end
        drill: String,
    },
    /// Show what came of a drill
    Report {
        /// The drill's id, or its end
        drill: String,
    },
}

/// What is scheduled.
#[derive(Debug, Args)]
pub(crate) struct Schedule {
    /// When it begins, such as 2026-03-08T22:00:00Z
    #[arg(long, value_parser = moment)]
    at: Timestamp,
    /// Zone code
    #[arg(long, value_name = "CODE")]
    zone: Code,
    /// Registered site
    #[arg(long, value_name = "CODE")]
    site: Option<Code>,
    /// How many responders
    #[arg(long, value_name = "N", default_value_t = 1)]
    wanted: u8,
    /// Languages, best first; repeat for each
    #[arg(long = "language", value_name = "CODE")]
    languages: Vec<Language>,
    /// The number to call back
    #[arg(long, value_name = "PHONE")]
    call_back: Phone,
    /// It ends by itself after this
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = millis)]
    ends_after: Millis,
}

impl Drill {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let session = context.session().await?;
        match self {
            Self::Schedule(schedule) => {
                let drill = session.api().schedule_drill(&schedule.request()?).await?;
                let mut page = context.page();
                page.title(&format!("Drill {}", drill.id.short()));
                page.time("begins", drill.at);
                page.time("ends", drill.ends_at);
                Ok(Answer::new(&drill, page))
            }
            Self::List => {
                let drills = session.api().drills().await?;
                let mut page = context.page();
                page.title("Drills");
                let rows: Vec<_> = drills.iter().map(|drill| row(&page, drill)).collect();
                page.table(&["DRILL", "BEGINS", "STATE"], &rows, "none");
                Ok(Answer::new(&DrillList { drills }, page))
            }
            Self::Cancel { drill } => {
                let drill = find(&session, &drill).await?;
                session.api().cancel_drill(drill).await?;
                let mut page = context.page();
                page.line(&format!("Drill {} is cancelled; nobody is called.", drill.short()));
                Ok(Answer::new(&serde_json::json!({ "id": drill, "state": DrillState::Cancelled }), page))
            }
            Self::Report { drill } => {
                let drill = find(&session, &drill).await?;
                let report = session.api().drill_report(drill).await?;
                let mut page = context.page();
                describe(&mut page, &report);
                Ok(Answer::new(&report, page))
            }
        }
    }
}

impl Schedule {
    fn request(&self) -> Result<ScheduleDrill, Failure> {
        let routing = Routing {
            call_back: self.call_back.clone(),
            zone: self.zone.clone(),
            site: self.site.clone(),
            first_contact_at: now(),
            young_people: 1,
            age_band: AgeBand::Unknown,
            languages: self.languages.clone(),
            preference: Preference::Any,
            scene_safe: true,
            emergency_needed: false,
            wanted: self.wanted,
            training: Vec::new(),
        };
        Ok(ScheduleDrill { id: CalloutId(random()?), at: self.at, ends_after_ms: self.ends_after, routing })
    }
}

async fn find(session: &Session, text: &str) -> Result<CalloutId, Failure> {
    let drills = session.api().drills().await?;
    pick("drill", text, drills.iter().map(|drill| drill.id))
}

fn row(page: &Page, drill: &DrillView) -> Vec<String> {
    let state = match &drill.problem {
        Some(problem) => format!("{}: {problem}", drill.state),
        None => drill.state.to_string(),
    };
    vec![drill.id.short(), page.when().both(drill.at), state]
}

fn describe(page: &mut Page, report: &DrillReport) {
    page.title(&format!("DRILL {}: {}", report.drill.id.short(), report.drill.state));
    page.time("began", report.drill.at);
    if let Some(problem) = &report.drill.problem {
        page.alarm(&format!("  {problem}"));
    }
    if report.state.is_none() {
        page.note("  It has not begun.");
        return;
    }
    for timing in &report.timings {
        let text = told(timing);
        page.dressed_row(word(timing.what), &text, |style, text| match timing.kept {
            true => style.good(text),
            false => style.alarm(text),
        });
    }
    page.title("Who was called");
    let rows: Vec<_> = report.people.iter().map(|person| called(page, person)).collect();
    page.table(&["NAME", "TIER", "CALLS", "FIRST CALL", "ANSWERED"], &rows, "nobody");
}

fn told(timing: &DrillTiming) -> String {
    let wanted = took(timing.wanted_ms.0.into());
    match (timing.after_ms, timing.kept) {
        (Some(after), true) => format!("after {} (wanted: {wanted})", took(after.0.into())),
        (Some(after), false) => format!("TOO LATE: after {} (wanted: {wanted})", took(after.0.into())),
        (None, true) => "not needed any more".into(),
        (None, false) => format!("NEVER (wanted: {wanted})"),
    }
}

fn word(moment: DrillMoment) -> &'static str {
    match moment {
        DrillMoment::FirstPage => "first page",
        DrillMoment::Backup => "backup",
        DrillMoment::Supervisor => "supervisor",
        DrillMoment::Everyone => "everyone",
        DrillMoment::Acknowledged => "somebody awake",
        DrillMoment::Accepted => "somebody going",
    }
}

fn called(page: &Page, person: &DrillPerson) -> Vec<String> {
    let mut ways: Vec<_> = person.calls.iter().map(|call| call.channel.word().replace('_', " ")).collect();
    ways.dedup();
    vec![
        person.work_name.clone().unwrap_or_else(|| person.person.short()),
        person.tier.map(words::tier).unwrap_or_default().into(),
        format!("{} ({})", person.calls.len(), ways.join(", ")),
        person.calls.first().map(|call| page.when().clock(call.at)).unwrap_or_default(),
        person.answered_after_ms.map_or("NO ANSWER".into(), |ms| format!("after {}", took(ms.0.into()))),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_that_was_not_kept_is_said_in_words() {
        let timing = |after: Option<u64>, kept| {
            told(&DrillTiming {
                what: DrillMoment::Backup,
                after_ms: after.map(Millis),
                wanted_ms: Millis(180_000),
                kept,
            })
        };
        assert_eq!(timing(Some(180_100), true), "after 3 min (wanted: 3 min)");
        assert_eq!(timing(Some(240_000), false), "TOO LATE: after 4 min (wanted: 3 min)");
        assert_eq!(timing(None, true), "not needed any more");
        assert_eq!(timing(None, false), "NEVER (wanted: 3 min)");
    }
}

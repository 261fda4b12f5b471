//! Whether pages would reach people: the board, tests, and confirming them.

use super::{
    context::Context,
    failure::Failure,
    output::{Answer, Page},
    people::find_person,
    words,
};
use clap::{Args, Subcommand};
use firstlight_client::session::{Session, random};
use firstlight_protocol::{
    CheckId, ErrorCode,
    api::{ConfirmTest, PersonReadiness, ReadinessLevel, SendTest},
    policy::Channel,
};

/// The board, unless something else is asked for.
#[derive(Debug, Args)]
pub(crate) struct Readiness {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show everybody on duty now or next, and what is missing
    Board,
    /// Show who cannot be paged, on duty or not, and why
    Unreachable,
    /// Show where you stand yourself
    Me,
    /// Send a test by every way, to yourself or to somebody else
    Test {
        /// Work name, or id, or its end; supervisors only [default: yourself]
        person: Option<String>,
    },
    /// Confirm that a test reached you: in the app, or with the six digits that came by another way
    Confirm {
        /// The six digits
        code: Option<String>,
    },
}

impl Readiness {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let session = context.session().await?;
        let api = session.api();
        match self.command.unwrap_or(Command::Board) {
            Command::Board => {
                let board = api.readiness().await?;
                let mut page = context.page();
                page.title(&format!("Ready at {}", page.when().clock(board.at)));
                list(&mut page, &board.people, "Nobody is on duty now or next.");
                Ok(Answer::new(&board, page))
            }
            Command::Unreachable => {
                let found = api.unreachable().await?;
                let mut page = context.page();
                let (never, other): (Vec<_>, Vec<_>) = found.people.iter().cloned().partition(|p| p.unreachable);
                page.title("No page reaches them");
                list(&mut page, &never, "Everybody can be paged in some way.");
                page.title("Something is missing");
                list(&mut page, &other, "Nothing.");
                Ok(Answer::new(&found, page))
            }
            Command::Me => Ok(answer(context, "Your readiness", &api.own_readiness().await?)),
            Command::Test { person } => test(context, &session, person).await,
            Command::Confirm { code } => {
                let check = api.own_readiness().await?.check.ok_or_else(|| {
                    Failure::local(ErrorCode::WrongState, "No test was sent to you yet: \"firstlight readiness test\".")
                })?;
                let judged = api.confirm_test(check, &ConfirmTest { code }).await?;
                Ok(answer(context, "Confirmed", &judged))
            }
        }
    }
}

async fn test(context: &Context, session: &Session, person: Option<String>) -> Result<Answer, Failure> {
    let person = match person {
        Some(name) => Some(find_person(session, &name).await?.person),
        None => None,
    };
    let judged = session.api().send_test(&SendTest { check: CheckId(random()?), person }).await?;
    Ok(answer(context, "Test sent", &judged))
}

fn answer(context: &Context, title: &str, judged: &PersonReadiness) -> Answer {
    let mut page = context.page();
    page.title(title);
    describe(&mut page, judged);
    for way in &judged.ways {
        let proven = match way.proven_at {
            Some(at) => format!("proven {}", page.when().away(at)),
            None => "never proven".into(),
        };
        page.row(name(way.channel), &proven);
    }
    Answer::new(judged, page)
}

fn list(page: &mut Page, people: &[PersonReadiness], empty: &str) {
    if people.is_empty() {
        page.note(&format!("  {empty}"));
    }
    for judged in people {
        describe(page, judged);
    }
}

/// One person: the level in words and colour, their duty, and below it what is missing.
fn describe(page: &mut Page, judged: &PersonReadiness) {
    let who = judged.work_name.clone().unwrap_or_else(|| judged.person.short());
    let tiers: Vec<_> = judged.tiers.iter().map(|tier| words::tier(*tier)).collect();
    let when = match (judged.on_duty, judged.duty_from, judged.duty_until) {
        (true, _, Some(until)) => format!("on duty until {}", page.when().clock(until)),
        (true, _, None) => "on duty".into(),
        (false, Some(from), _) => format!("on duty from {}", page.when().both(from)),
        (false, None, _) => String::new(),
    };
    let parts = [who, tiers.join(" and "), when];
    let line = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    page.dressed_row(level(judged.level), &line, |style, text| match judged.level {
        ReadinessLevel::Green => style.good(text),
        ReadinessLevel::Amber => style.waiting(text),
        ReadinessLevel::Red => style.alarm(text),
    });
    for gap in &judged.gaps {
        page.row("", &gap.text);
    }
}

fn level(level: ReadinessLevel) -> &'static str {
    match level {
        ReadinessLevel::Green => "ready",
        ReadinessLevel::Amber => "not yet proven",
        ReadinessLevel::Red => "RED",
    }
}

fn name(channel: Channel) -> &'static str {
    match channel {
        Channel::InApp => "the app",
        Channel::Webhook { .. } => "webhook",
        Channel::Push { .. } => "push",
        Channel::Sms { .. } => "texts",
        Channel::Voice { .. } => "calls",
        Channel::Email { .. } => "e-mail",
        Channel::Ntfy { .. } => "ntfy",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{Style, When};
    use firstlight_protocol::{
        PersonId, Timestamp,
        api::{Gap, GapKind},
        callout::Tier,
    };

    #[test]
    fn a_red_slot_names_what_is_missing() {
        let judged = PersonReadiness {
            person: PersonId([1; 16]),
            work_name: Some("Advocate 1".into()),
            level: ReadinessLevel::Red,
            unreachable: false,
            tiers: vec![Tier::Primary, Tier::Backup],
            on_duty: false,
            duty_from: Some(Timestamp(6 * 3_600_000)),
            duty_until: None,
            check: None,
            ways: vec![],
            gaps: vec![Gap::way(GapKind::NotConfirmed, Channel::InApp, None)],
        };
        let mut page = Page::new(Style::Plain, When::utc(Timestamp(0)));
        describe(&mut page, &judged);
        assert_eq!(
            page.into_text(),
            "  RED             Advocate 1, primary and backup, on duty from 06:00:00 (in 6 h)\n                  \
             The app: the test was not confirmed.\n"
        );
    }
}

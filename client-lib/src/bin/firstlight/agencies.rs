//! Other agencies: whom the policy notifies, and the notices themselves.

use super::{
    context::Context,
    failure::Failure,
    output::{Answer, took},
    pick::pick,
    values::{millis, word},
    words,
};
use clap::{Args, Subcommand};
use firstlight_client::session::Session;
use firstlight_protocol::{
    ErrorCode, OrgId, OrgKind, PersonId,
    agency::{AgencyNotice, AgencyNoticeView},
    api::{OrgStatus, OrgView, PolicyDocument},
    callout::{AgeBand, Code},
    policy::{Millis, Policy},
};
use serde_json::json;

/// Commands about other agencies.
#[derive(Debug, Subcommand)]
pub(crate) enum Agencies {
    /// List the notices to your agency; for the host's supervisors, those to all agencies
    List,
    /// Say for your agency that it knows: nobody there is reminded any more
    Acknowledge {
        /// The notice's reference, or the callout's id, or its end
        notice: String,
    },
    /// Show which agencies the policy notifies, and when
    Rules,
    /// Have an agency notified of callouts; replaces its rules
    Notify(Box<Notify>),
    /// Notify an agency no longer
    Forget {
        /// Name, or id, or its end
        agency: String,
    },
}

/// A rule.
#[derive(Debug, Args)]
pub(crate) struct Notify {
    /// Name, or id, or its end
    agency: String,
    /// Only for callouts in this zone; repeat for each
    #[arg(long = "zone", value_name = "CODE")]
    zones: Vec<Code>,
    /// Only for this age band; repeat for each
    #[arg(long = "age-band", value_name = "BAND", value_parser = word(AgeBand::ALL))]
    age_bands: Vec<AgeBand>,
    /// Who there hears first, in this order, by the whole id; repeat for each. Without it everybody there
    #[arg(long = "person", value_name = "ID")]
    people: Vec<PersonId>,
    /// Remind again after this time
    #[arg(long, value_name = "TIME", value_parser = millis)]
    remind_every: Option<Millis>,
    /// Everybody there hears after this time
    #[arg(long, value_name = "TIME", value_parser = millis)]
    escalate_after: Option<Millis>,
    /// Your supervisors hear after this time that the agency is silent
    #[arg(long, value_name = "TIME", value_parser = millis)]
    alarm_after: Option<Millis>,
    /// Notify it of drills as well, marked as one
    #[arg(long)]
    drills: bool,
}

impl Agencies {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let session = context.session().await?;
        match self {
            Self::List => list(context, &session).await,
            Self::Acknowledge { notice } => acknowledge(context, &session, &notice).await,
            Self::Rules => {
                let document = session.api().policy().await?;
                Ok(rules(context, &session.api().organisations().await?, &document))
            }
            Self::Notify(notify) => {
                let agency = notify.agency.clone();
                change(context, &session, &agency, |org| Some(notify.rule(org))).await
            }
            Self::Forget { agency } => change(context, &session, &agency, |_| None).await,
        }
    }
}

impl Notify {
    fn rule(self, agency: OrgId) -> AgencyNotice {
        let usual = AgencyNotice::new(agency);
        AgencyNotice {
            zones: self.zones,
            age_bands: self.age_bands,
            people: self.people,
            remind_every_ms: self.remind_every.unwrap_or(usual.remind_every_ms),
            escalate_after_ms: self.escalate_after.unwrap_or(usual.escalate_after_ms),
            give_up_alarm_after_ms: self.alarm_after.unwrap_or(usual.give_up_alarm_after_ms),
            drills: self.drills,
            ..usual
        }
    }
}

async fn list(context: &Context, session: &Session) -> Result<Answer, Failure> {
    let notices = session.api().agency_notices().await?;
    let mut page = context.page();
    page.title("Notices to other agencies");
    for notice in &notices {
        show(&mut page, notice);
    }
    if notices.is_empty() {
        page.line("  none");
    }
    Ok(Answer::new(&json!({ "notices": notices }), page))
}

async fn acknowledge(context: &Context, session: &Session, text: &str) -> Result<Answer, Failure> {
    let callout = match text.trim().parse() {
        Ok(callout) => callout,
        Err(_) => {
            let notices = session.api().agency_notices().await?;
            pick("notice", text, notices.iter().map(|notice| notice.callout))?
        }
    };
    let notice = session.api().acknowledge_notice(callout).await?;
    let mut page = context.page();
    page.title("Acknowledged");
    show(&mut page, &notice);
    Ok(Answer::new(&notice, page))
}

fn show(page: &mut super::output::Page, notice: &AgencyNoticeView) {
    page.line(&format!("  {}", words::agency_notice(notice)));
    page.time("notified", notice.notified_at);
    if let Some(at) = notice.acknowledged_at {
        page.time("acknowledged", at);
    }
}

/// Replaces all of an agency's rules by one, or by none.
async fn change(
    context: &Context,
    session: &Session,
    agency: &str,
    rule: impl FnOnce(OrgId) -> Option<AgencyNotice>,
) -> Result<Answer, Failure> {
    let views = session.api().organisations().await?;
    let org = find(&views, agency)?;
    let PolicyDocument { version, policy } = session.api().policy().await?;
    let policy = replace(policy, org, rule(org));
    policy.validate()?;
    let document = session.api().put_policy(&PolicyDocument { version, policy }).await?;
    Ok(rules(context, &views, &document))
}

fn replace(mut policy: Policy, org: OrgId, rule: Option<AgencyNotice>) -> Policy {
    policy.agency_notices.retain(|old| old.agency != org);
    policy.agency_notices.extend(rule);
    policy
}

/// A partner in child welfare or probation, by name, id or the end of an id.
fn find(views: &[OrgView], text: &str) -> Result<OrgId, Failure> {
    let fits = |view: &&OrgView| {
        view.status == OrgStatus::Partner && matches!(view.kind, OrgKind::ChildWelfare | OrgKind::Probation)
    };
    let wanted = text.trim().to_lowercase();
    let mut named = views.iter().filter(fits).filter(|view| view.name.to_lowercase() == wanted);
    match (named.next(), named.next()) {
        (Some(one), None) => Ok(one.org),
        (Some(_), Some(_)) => {
            Err(Failure::local(ErrorCode::InvalidValue, "Two partners have that name: give the end of an id."))
        }
        _ => pick("partner in child welfare or probation", text, views.iter().filter(fits).map(|view| view.org)),
    }
}

fn rules(context: &Context, views: &[OrgView], document: &PolicyDocument) -> Answer {
    let rules = &document.policy.agency_notices;
    let mut page = context.page();
    page.title("Other agencies that are notified of a callout");
    for rule in rules {
        let name = views.iter().find(|v| v.org == rule.agency).map_or("(unknown)", |v| v.name.as_str());
        page.line(&format!("  {name} ({})", rule.agency.short()));
        let or_all = |items: Vec<String>| if items.is_empty() { "all".to_owned() } else { items.join(", ") };
        page.row("zones", &or_all(rule.zones.iter().map(ToString::to_string).collect()));
        page.row("age bands", &or_all(rule.age_bands.iter().map(ToString::to_string).collect()));
        page.row("first", &or_all(rule.people.iter().map(PersonId::short).collect()));
        let time = |ms: Millis| took(u128::from(ms.0));
        page.row("reminded", &format!("every {}", time(rule.remind_every_ms)));
        page.row("everybody", &format!("after {}", time(rule.escalate_after_ms)));
        page.row("alarm", &format!("after {}", time(rule.give_up_alarm_after_ms)));
        page.row("drills", if rule.drills { "yes" } else { "no" });
    }
    if rules.is_empty() {
        page.line("  none: add one with \"firstlight agencies notify\"");
    }
    Answer::new(&json!({ "version": document.version, "agency_notices": rules }), page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agencys_rules_are_replaced_and_the_others_stay() {
        let (a, b) = (OrgId([1; 16]), OrgId([2; 16]));
        let mut policy = Policy::new("555-0100".parse().unwrap());
        policy.agency_notices = vec![AgencyNotice::new(a), AgencyNotice::new(b), AgencyNotice::new(a)];
        let drilled = AgencyNotice { drills: true, ..AgencyNotice::new(a) };
        let policy = replace(policy, a, Some(drilled.clone()));
        assert_eq!(policy.agency_notices, [AgencyNotice::new(b), drilled]);
        assert_eq!(replace(policy, b, None).agency_notices.len(), 1);
    }
}

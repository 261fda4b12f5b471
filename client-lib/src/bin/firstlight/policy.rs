//! The escalation policy.

mod steps;

use super::{
    context::Context,
    failure::Failure,
    output::{Answer, took},
    values::{millis, word, yes_no},
};
use clap::{Args, Subcommand};
use firstlight_protocol::{
    ErrorCode, PersonId,
    api::PolicyDocument,
    callout::{Code, Phone},
    policy::{Millis, NeverAlone, Policy},
};
use std::{
    collections::HashMap,
    io::Read,
    path::{Path, PathBuf},
};

/// Largest document that is read from a file, in bytes.
const MAX_DOCUMENT: u64 = 4 << 20;

/// Commands about the policy.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Show the policy
    Show,
    /// Change the policy: a JSON document, single values, or both
    Set(Box<Set>),
}

/// What to change.
#[derive(Debug, Args)]
pub(crate) struct Set {
    /// A whole policy as JSON ("-": standard input); without it, the current one is changed
    file: Option<PathBuf>,
    /// The number to call when nobody has accepted, or when nothing works
    #[arg(long, value_name = "PHONE")]
    duty_number: Option<Phone>,
    /// Whether a responder keys a PIN in before a telephone call takes their answer
    #[arg(long, value_parser = yes_no, action = clap::ArgAction::Set)]
    voice_pin: Option<bool>,
    /// A person who does not answer is called again after this
    #[arg(long, value_name = "TIME", value_parser = millis)]
    repeat_every: Option<Millis>,
    /// The backups are called this long after the first page
    #[arg(long, value_name = "TIME", value_parser = millis)]
    backup_after: Option<Millis>,
    /// The supervisors are called this long after the first page
    #[arg(long, value_name = "TIME", value_parser = millis)]
    supervisor_after: Option<Millis>,
    /// Everyone qualified is called this long after the first page
    #[arg(long, value_name = "TIME", value_parser = millis)]
    everyone_after: Option<Millis>,
    /// From then on, everybody is called again this often
    #[arg(long, value_name = "TIME", value_parser = millis)]
    slow_repeat: Option<Millis>,
    /// Somebody who is awake has this long to accept before calls resume
    #[arg(long, value_name = "TIME", value_parser = millis)]
    acknowledge_grace: Option<Millis>,
    /// Somebody should be on scene this long after the callout
    #[arg(long, value_name = "TIME", value_parser = millis)]
    target_on_scene: Option<Millis>,
    /// A closed callout should be reviewed within this
    #[arg(long, value_name = "TIME", value_parser = millis)]
    review_within: Option<Millis>,
    /// Who is called after whom, as JSON: {"steps":[{"targets":[{"kind":"tier","tier":"primary"}],"after_ms":0}, ...]}
    #[arg(long, value_name = "FILE")]
    escalation: Option<PathBuf>,
    /// Whether at least two go: never, unsafe_scene or always
    #[arg(long, value_name = "WHEN", value_parser = word(NeverAlone::ALL))]
    never_alone: Option<NeverAlone>,
    /// Calls that make one person's turn
    #[arg(long, value_name = "N")]
    calls_per_turn: Option<u16>,
    /// Registered zones; repeat for each. Replaces the list
    #[arg(long = "zone", value_name = "CODE")]
    zones: Vec<Code>,
    /// Registered sites; repeat for each. Replaces the list
    #[arg(long = "site", value_name = "CODE")]
    sites: Vec<Code>,
}

impl PolicyCommand {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let session = context.session().await?;
        let document = match self {
            Self::Show => session.api().policy().await?,
            Self::Set(set) => {
                let current = match session.api().policy().await {
                    Ok(document) => Some(document),
                    Err(e) if e.code() == Some(ErrorCode::NotFound) => None,
                    Err(e) => return Err(e.into()),
                };
                let version = current.as_ref().map_or(0, |document| document.version);
                let policy = set.apply(current.map(|document| document.policy))?;
                session.api().put_policy(&PolicyDocument { version, policy }).await?
            }
        };
        // Names help; a policy without them is still one.
        let people = session.api().people().await.unwrap_or_default();
        let names: HashMap<PersonId, String> = people.into_iter().map(|p| (p.person, p.work_name)).collect();
        Ok(show(context, &document, &names))
    }
}

impl Set {
    fn apply(self, current: Option<Policy>) -> Result<Policy, Failure> {
        let mut policy = match (&self.file, current, &self.duty_number) {
            (Some(file), ..) => serde_json::from_str(&read_document(file)?)
                .map_err(|e| Failure::Usage(format!("The policy is not of the documented shape: {e}.")))?,
            (None, Some(policy), _) => policy,
            (None, None, Some(number)) => Policy::new(number.clone()),
            (None, None, None) => {
                return Err(Failure::Usage(
                    "There is no policy yet: give --duty-number, the last resort when nothing works.".into(),
                ));
            }
        };
        let timers = &mut policy.timers;
        for (value, timer) in [
            (self.repeat_every, &mut timers.repeat_every_ms),
            (self.backup_after, &mut timers.backup_after_ms),
            (self.supervisor_after, &mut timers.supervisor_after_ms),
            (self.everyone_after, &mut timers.everyone_after_ms),
            (self.slow_repeat, &mut timers.slow_repeat_ms),
            (self.acknowledge_grace, &mut timers.acknowledge_grace_ms),
            (self.target_on_scene, &mut timers.target_on_scene_ms),
            (self.review_within, &mut timers.review_within_ms),
        ] {
            *timer = value.unwrap_or(*timer);
        }
        policy.voice_pin = self.voice_pin.unwrap_or(policy.voice_pin);
        policy.duty_number = self.duty_number.unwrap_or(policy.duty_number);
        if let Some(file) = &self.escalation {
            let escalation = serde_json::from_str(&read_document(file)?)
                .map_err(|e| Failure::Usage(format!("The escalation is not of the documented shape: {e}.")))?;
            policy.escalation = Some(escalation);
        }
        policy.never_alone = self.never_alone.unwrap_or(policy.never_alone);
        policy.calls_per_turn = self.calls_per_turn.unwrap_or(policy.calls_per_turn);
        if !self.zones.is_empty() {
            policy.zones = self.zones;
        }
        if !self.sites.is_empty() {
            policy.sites = self.sites;
        }
        policy.validate()?;
        Ok(policy)
    }
}

/// Reads a document from a file or standard input, up to a bound.
pub(crate) fn read_document(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(MAX_DOCUMENT).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(MAX_DOCUMENT).read_to_string(&mut text))
    };
    read.map_err(|e| Failure::Usage(format!("The document can't be read: {e}.")))?;
    Ok(text)
}

fn show(context: &Context, document: &PolicyDocument, names: &HashMap<PersonId, String>) -> Answer {
    let Policy { duty_number, timers, calls_per_turn, zones, sites, voice_pin, .. } = &document.policy;
    let mut page = context.page();
    page.title(&format!("Escalation policy, version {}", document.version));
    page.row("duty number", duty_number.as_str());
    page.row("PIN by phone", if *voice_pin { "needed" } else { "not needed" });
    let time = |ms: Millis| took(u128::from(ms.0));
    page.row("call again", &format!("every {}, {calls_per_turn} times", time(timers.repeat_every_ms)));
    page.row("awake", &format!("has {} to accept", time(timers.acknowledge_grace_ms)));
    page.row("on scene", &format!("within {}", time(timers.target_on_scene_ms)));
    page.row("review", &format!("within {}", time(timers.review_within_ms)));
    let list = |codes: &[Code]| match codes {
        [] => "any".to_owned(),
        codes => codes.iter().map(Code::as_str).collect::<Vec<_>>().join(", "),
    };
    page.row("zones", &list(zones));
    page.row("sites", &list(sites));
    steps::describe(&mut page, &document.policy, |person| {
        names.get(&person).cloned().unwrap_or_else(|| person.short())
    });
    Answer::new(document, page)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set() -> Set {
        Set {
            file: None,
            duty_number: None,
            voice_pin: None,
            repeat_every: None,
            backup_after: None,
            supervisor_after: None,
            everyone_after: None,
            slow_repeat: None,
            acknowledge_grace: None,
            target_on_scene: None,
            review_within: None,
            escalation: None,
            never_alone: None,
            calls_per_turn: None,
            zones: Vec::new(),
            sites: Vec::new(),
        }
    }

    #[test]
    fn the_first_policy_needs_the_duty_number_and_later_ones_keep_what_is_not_named() {
        assert_eq!(set().apply(None).unwrap_err().exit_code(), 2);
        let first = Set { duty_number: Some("555-0100".parse().unwrap()), ..set() }.apply(None).unwrap();
        let change = Set { backup_after: Some(Millis(2_000)), zones: vec!["north".parse().unwrap()], ..set() };
        let second = change.apply(Some(first.clone())).unwrap();
        assert_eq!(second.timers.backup_after_ms, Millis(2_000));
        assert_eq!((&second.duty_number, second.zones.len()), (&first.duty_number, 1));
        let backwards = Set { backup_after: Some(Millis::minutes(60)), ..set() };
        assert_eq!(backwards.apply(Some(first)).unwrap_err().exit_code(), 1);
    }
}

//! What dispatch knows about a person: languages, as whom they present, training, zones, and what bars them.

use super::{context::Context, failure::Failure, output::Answer, people::find_person, values::word};
use clap::{Args, ValueEnum};
use firstlight_client::session::Session;
use firstlight_protocol::{
    OrgId, PersonId,
    api::{ProfileView, PutProfile},
    callout::{Code, Language, Preference},
    profile::{Bar, Profile},
};

/// Show a profile, or change what is named.
#[derive(Debug, Args)]
pub(crate) struct ProfileCommand {
    /// Whose: work name, or id, or its end; without it your own
    #[arg(long)]
    person: Option<String>,
    /// A language they work in, such as es or zh-Hant; repeat for each. Replaces the list
    #[arg(long = "language", value_name = "CODE")]
    languages: Vec<Language>,
    /// As whom you present: woman, man, or any to say nothing. Only for your own profile, and nobody has to
    #[arg(long, value_name = "WORD", value_parser = word(Preference::ALL))]
    presents: Option<Preference>,
    /// Training they have had, as a code; repeat for each. Replaces the list
    #[arg(long, value_name = "CODE")]
    training: Vec<Code>,
    /// A zone they serve; repeat for each. Replaces the list
    #[arg(long = "zone", value_name = "CODE")]
    zones: Vec<Code>,
    /// Empty a list
    #[arg(long, value_name = "LIST")]
    clear: Vec<List>,
    /// A conflict of interest: agency=ID, person=ID, zone=CODE or site=CODE. Never called where it fits
    #[arg(long = "bar", value_name = "KIND=WHAT", value_parser = bar)]
    bars: Vec<Bar>,
    /// Lift a bar again; only by the side that set it
    #[arg(long = "lift", value_name = "KIND=WHAT", value_parser = bar)]
    lifted: Vec<Bar>,
}

/// A list of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum List {
    /// Languages
    Languages,
    /// Training
    Training,
    /// Zones
    Zones,
}

fn bar(text: &str) -> Result<Bar, String> {
    let shape = "agency=ID, person=ID, zone=CODE or site=CODE";
    let (kind, what) = text.split_once('=').ok_or(shape)?;
    let code = || what.parse::<Code>().map_err(|e| e.to_string());
    match kind {
        "agency" => what.parse::<OrgId>().map(|org| Bar::Agency { org }).map_err(|e| e.to_string()),
        "person" => what.parse::<PersonId>().map(|person| Bar::Person { person }).map_err(|e| e.to_string()),
        "zone" => Ok(Bar::Zone { code: code()? }),
        "site" => Ok(Bar::Site { code: code()? }),
        _ => Err(shape.into()),
    }
}

fn bar_text(bar: &Bar) -> String {
    match bar {
        Bar::Agency { org } => format!("agency={org}"),
        Bar::Person { person } => format!("person={person}"),
        Bar::Zone { code } => format!("zone={code}"),
        Bar::Site { code } => format!("site={code}"),
    }
}

impl ProfileCommand {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context, session: &Session) -> Result<Answer, Failure> {
        let (person, name) = match &self.person {
            Some(text) => find_person(session, text).await.map(|found| (found.person, found.work_name))?,
            None => session.api().me().await.map(|me| (me.person, me.work_name))?,
        };
        let current = session.api().profile(person).await?;
        let wished = self.apply(current.profile.clone());
        wished.validate()?;
        let view = match wished == current.profile {
            true => current,
            false => {
                let body = PutProfile { version: current.version, profile: wished };
                session.api().put_profile(person, &body).await?
            }
        };
        Ok(show(context, &name, &view))
    }

    fn apply(self, mut profile: Profile) -> Profile {
        let cleared = |list| self.clear.contains(&list);
        if cleared(List::Languages) || !self.languages.is_empty() {
            profile.languages = self.languages;
        }
        if cleared(List::Training) || !self.training.is_empty() {
            profile.training = self.training;
        }
        if cleared(List::Zones) || !self.zones.is_empty() {
            profile.zones = self.zones;
        }
        profile.presents = self.presents.unwrap_or(profile.presents);
        profile.bars.retain(|bar| !self.lifted.contains(bar));
        for bar in self.bars {
            if !profile.bars.contains(&bar) {
                profile.bars.push(bar);
            }
        }
        profile
    }
}

fn show(context: &Context, name: &str, view: &ProfileView) -> Answer {
    let Profile { languages, presents, training, zones, bars } = &view.profile;
    let mut page = context.page();
    page.title(name);
    let list = |items: Vec<String>, none: &str| if items.is_empty() { none.to_owned() } else { items.join(", ") };
    let codes = |codes: &[Code]| codes.iter().map(ToString::to_string).collect();
    page.row("languages", &list(languages.iter().map(ToString::to_string).collect(), "none named"));
    page.row("presents as", if *presents == Preference::Any { "not said" } else { presents.as_str() });
    page.row("training", &list(codes(training), "none named"));
    page.row("zones", &list(codes(zones), "all"));
    let bars = bars.iter().map(|bar| {
        let own = if view.own_bars.contains(bar) { "set by themself" } else { "set for them" };
        format!("{} ({own})", bar_text(bar))
    });
    page.row("never called to", &list(bars.collect(), "nothing"));
    Answer::new(view, page)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing() -> ProfileCommand {
        ProfileCommand {
            person: None,
            languages: vec![],
            presents: None,
            training: vec![],
            zones: vec![],
            clear: vec![],
            bars: vec![],
            lifted: vec![],
        }
    }

    #[test]
    fn bars_are_read_and_written_the_same() {
        let org = format!("agency={}", OrgId([1; 16]));
        for text in [org.as_str(), "zone=north", "site=station-4"] {
            assert_eq!(bar_text(&bar(text).unwrap()), text);
        }
        for bad in ["north", "zone=North!", "agency=abc", "kind=x"] {
            assert!(bar(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_not_named_stays() {
        let before = Profile {
            languages: vec!["es".parse().unwrap()],
            zones: vec!["north".parse().unwrap()],
            bars: vec![bar("zone=south").unwrap()],
            ..Profile::default()
        };
        assert_eq!(nothing().apply(before.clone()), before);
        let change = ProfileCommand {
            clear: vec![List::Zones],
            bars: vec![bar("site=b").unwrap(), bar("zone=south").unwrap()],
            ..nothing()
        };
        let after = change.apply(before.clone());
        assert_eq!((after.languages, after.zones.len(), after.bars.len()), (before.languages.clone(), 0, 2));
        let lift = ProfileCommand { lifted: vec![bar("zone=south").unwrap()], ..nothing() };
        assert!(lift.apply(before).bars.is_empty());
    }
}

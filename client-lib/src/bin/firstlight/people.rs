//! People of the organisation: languages, profiles, PINs, and who I am.

use super::{context::Context, failure::Failure, output::Answer, pick::pick, profile::ProfileCommand};
use clap::Subcommand;
use firstlight_client::session::Session;
use firstlight_protocol::{
    PersonId, Secret,
    api::{PersonView, SetPin, UpdatePerson},
    callout::Language,
};
use serde_json::json;
use std::path::PathBuf;

/// Commands about people.
#[derive(Debug, Subcommand)]
pub(crate) enum People {
    /// List your organisation's people
    List,
    /// Set the languages that a person works in
    SetLanguages {
        /// Work name, or id, or its end
        person: String,
        /// Language codes such as es or zh-Hant; none clears the list
        languages: Vec<Language>,
    },
    /// Set the PIN that a person keys in before a telephone call takes their answer
    Pin {
        /// Work name, or id, or its end
        person: String,
        /// File whose first line is the PIN, 4 to 8 digits ("-": standard input)
        #[arg(long, value_name = "FILE", required_unless_present = "remove")]
        pin_file: Option<PathBuf>,
        /// Take the PIN away
        #[arg(long, conflicts_with = "pin_file")]
        remove: bool,
    },
    /// Show what dispatch knows about a person, or change what is named
    Profile(ProfileCommand),
}

impl People {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let session = context.session().await?;
        match self {
            Self::List => list(context, &session).await,
            Self::SetLanguages { person, languages } => {
                let person = find_person(&session, &person).await?;
                let codes: Vec<String> = languages.into_iter().map(String::from).collect();
                session.api().update_person(person.person, &UpdatePerson { languages: Some(codes.clone()) }).await?;
                let mut page = context.page();
                page.title(&person.work_name);
                page.row("languages", &codes.join(", "));
                Ok(Answer::new(&json!({ "person": person.person, "languages": codes }), page))
            }
            Self::Pin { person, pin_file, .. } => {
                let person = find_person(&session, &person).await?;
                let pin = match pin_file {
                    Some(file) => {
                        let text = zeroize::Zeroizing::new(super::policy::read_document(&file)?);
                        Some(Secret::new(text.lines().next().unwrap_or_default().trim()))
                    }
                    None => None,
                };
                let what = if pin.is_some() { "set" } else { "removed" };
                session.api().set_pin(person.person, &SetPin { pin }).await?;
                let mut page = context.page();
                page.title(&person.work_name);
                page.row("PIN", what);
                Ok(Answer::new(&json!({ "person": person.person, "pin": what }), page))
            }
            Self::Profile(command) => command.run(context, &session).await,
        }
    }
}

async fn list(context: &Context, session: &Session) -> Result<Answer, Failure> {
    let people = session.api().people().await?;
    let mut page = context.page();
    page.title("People");
    let rows: Vec<Vec<String>> = people
        .iter()
        .map(|p| {
            let devices = p.devices.iter().filter(|d| d.revoked_at.is_none()).count();
            vec![p.person.short(), p.work_name.clone(), p.role.to_string(), devices.to_string(), p.languages.join(", ")]
        })
        .collect();
    page.table(&["ID", "NAME", "ROLE", "DEVICES", "LANGUAGES"], &rows, "nobody");
    let list: Vec<_> = people
        .iter()
        .map(|p| {
            let devices: Vec<_> = p.devices.iter().filter(|d| d.revoked_at.is_none()).map(|d| d.device).collect();
            json!({
                "person": p.person,
                "org": p.org,
                "work_name": p.work_name,
                "role": p.role,
                "languages": p.languages,
                "devices": devices,
            })
        })
        .collect();
    Ok(Answer::new(&json!({ "people": list }), page))
}

/// A person of the own organisation, by work name, id or the end of an id.
pub(crate) async fn find_person(session: &Session, text: &str) -> Result<PersonView, Failure> {
    let people = session.api().people().await?;
    let wanted = text.trim().to_lowercase();
    let mut named = people.iter().filter(|p| p.work_name.to_lowercase() == wanted);
    if let (Some(one), None) = (named.next(), named.next()) {
        return Ok(one.clone());
    }
    let id = pick("person", text, people.iter().map(|p| p.person))?;
    people.into_iter().find(|p| p.person == id).ok_or_else(|| Failure::missing("There is no such person."))
}

/// People by work name, id or the end of an id; a whole id may be of another organisation.
pub(crate) async fn find_people(session: &Session, texts: &[String]) -> Result<Vec<PersonId>, Failure> {
    let mut found = Vec::with_capacity(texts.len());
    for text in texts {
        found.push(match text.trim().parse::<PersonId>() {
            Ok(person) => person,
            Err(_) => find_person(session, text).await?.person,
        });
    }
    Ok(found)
}

/// Who this device is.
pub(crate) async fn me(context: &Context) -> Result<Answer, Failure> {
    let session = context.session().await?;
    let me = session.api().me().await?;
    let mut page = context.page();
    page.title(&me.work_name);
    page.row("role", me.role.as_str());
    page.row("organisation", &format!("{} ({})", me.org, me.org_kind));
    page.row("person", &me.person.to_string());
    page.row("device", &me.device.to_string());
    Ok(Answer::new(&me, page))
}

/// Signs out.
pub(crate) async fn sign_out(context: &Context) -> Result<Answer, Failure> {
    context.session().await?.api().sign_out().await?;
    let mut page = context.page();
    page.title("Signed out");
    page.line(
        "  The next command signs in again with this device's key. To end a lost device's access, an admin revokes it.",
    );
    Ok(Answer::new(&json!({ "status": "signed_out" }), page))
}

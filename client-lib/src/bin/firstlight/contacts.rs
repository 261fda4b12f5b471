//! How somebody is reached besides the app: contact methods, their verification, and when each is used.

use super::{context::Context, failure::Failure, output::Answer, people::find_person, pick::pick, values::millis};
use clap::{Args, Subcommand};
use firstlight_client::session::{Session, random};
use firstlight_protocol::{
    ContactId, PersonId, Secret,
    api::{ConfirmContact, Contacts as Document},
    callout::Phone,
    policy::{ContactMethod, ContactState, NotificationRule},
};
use serde_json::json;
use std::path::PathBuf;

/// Commands about contact methods.
#[derive(Debug, Args)]
pub(crate) struct Contacts {
    /// Whose: work name, or id, or its end; without it your own
    #[arg(long, global = true)]
    person: Option<String>,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List contact methods, whether each is verified, and the rules
    List,
    /// Add one; a code is sent there, and pages only after it came back
    #[command(subcommand)]
    Add(Add),
    /// Send a new code to a contact method
    SendCode {
        /// The contact's id, or its end
        contact: String,
    },
    /// Give back the code that was sent there: from now on pages go to it
    Verify {
        /// The contact's id, or its end
        contact: String,
        /// Six digits
        code: String,
    },
    /// Remove one
    Remove {
        /// The contact's id, or its end
        contact: String,
    },
    /// Choose the one that says when a shift of theirs begins, besides the app
    HandOffs {
        /// The contact's id, or its end; not a call
        #[arg(required_unless_present = "clear")]
        contact: Option<String>,
        /// The app alone
        #[arg(long, conflicts_with = "contact")]
        clear: bool,
    },
    /// Say when each is used, in order: app=0s 3f9a=1m 77c2=2m; without rules each in turn, one for every call
    Rules {
        /// "app" or the contact's id or its end, and how long after the turn began
        #[arg(value_name = "WAY=WAIT", required_unless_present = "clear")]
        rules: Vec<String>,
        /// No rules any more
        #[arg(long, conflicts_with = "rules")]
        clear: bool,
    },
}

/// A new contact method.
#[derive(Debug, Subcommand)]
enum Add {
    /// Text messages to a number, with + and country code
    Sms { number: Phone },
    /// Calls to a number, with + and country code
    Voice { number: Phone },
    /// E-mails
    Email { address: String },
    /// A topic of an ntfy server
    Ntfy {
        url: String,
        /// File whose first line is the topic's access token ("-": standard input)
        #[arg(long, value_name = "FILE")]
        token_file: Option<PathBuf>,
    },
    /// A web address that gets signed requests
    Webhook {
        url: String,
        /// File whose first line signs them, 16 to 256 characters ("-": standard input)
        #[arg(long, value_name = "FILE")]
        webhook_key_file: PathBuf,
    },
}

impl Contacts {
    /// Runs the command.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let session = context.session().await?;
        let api = session.api();
        let (person, name) = match &self.person {
            Some(text) => find_person(&session, text).await.map(|found| (found.person, found.work_name))?,
            None => api.me().await.map(|me| (me.person, me.work_name))?,
        };
        let mut document = api.contacts(person).await?;
        let find = |document: &Document, text: &str| pick("contact", text, document.methods.iter().filter_map(id));
        match self.what {
            What::List => {}
            What::Add(add) => {
                let method = add.method()?;
                method.validate()?;
                let new = id(&method);
                document.methods.push(method);
                api.put_contacts(person, &document).await?;
                if let Some(new) = new {
                    return code_sent(context, &session, person, new).await;
                }
            }
            What::SendCode { contact } => {
                let contact = find(&document, &contact)?;
                return code_sent(context, &session, person, contact).await;
            }
            What::Verify { contact, code } => {
                let contact = find(&document, &contact)?;
                api.verify_contact(person, contact, &ConfirmContact { code: code.trim().to_owned() }).await?;
            }
            What::Remove { contact } => {
                let gone = find(&document, &contact)?;
                document.methods.retain(|method| id(method) != Some(gone));
                document.rules.retain(|rule| rule.contact != Some(gone));
                document.hand_off = document.hand_off.filter(|contact| *contact != gone);
                api.put_contacts(person, &document).await?;
            }
            What::HandOffs { contact, .. } => {
                document.hand_off = contact.map(|contact| find(&document, &contact)).transpose()?;
                api.put_contacts(person, &document).await?;
            }
            What::Rules { rules, .. } => {
                let parsed: Result<Vec<_>, Failure> = rules
                    .iter()
                    .map(|rule| {
                        let shape =
                            || Failure::Usage(format!("\"{rule}\": a way and a wait, such as app=0s or 3f9a=1m."));
                        let (way, wait) = rule.split_once('=').ok_or_else(shape)?;
                        let contact = if way == "app" { None } else { Some(find(&document, way)?) };
                        Ok(NotificationRule { contact, after_ms: millis(wait).map_err(|_| shape())? })
                    })
                    .collect();
                document.rules = parsed?;
                api.put_contacts(person, &document).await?;
            }
        }
        let document = api.contacts(person).await?;
        Ok(show(context, person, &name, document))
    }
}

impl Add {
    fn method(self) -> Result<ContactMethod, Failure> {
        let id = ContactId(random()?);
        let secret = |file: PathBuf| {
            let text = zeroize::Zeroizing::new(super::policy::read_document(&file)?);
            Ok::<_, Failure>(Secret::new(text.lines().next().unwrap_or_default().trim()))
        };
        Ok(match self {
            Self::Sms { number } => ContactMethod::Sms { id, number },
            Self::Voice { number } => ContactMethod::Voice { id, number },
            Self::Email { address } => ContactMethod::Email { id, address },
            Self::Ntfy { url, token_file } => {
                ContactMethod::Ntfy { id, url, token: token_file.map(secret).transpose()? }
            }
            Self::Webhook { url, webhook_key_file } => {
                ContactMethod::Webhook { id, url, key: Some(secret(webhook_key_file)?), next_key: None }
            }
        })
    }
}

fn id(method: &ContactMethod) -> Option<ContactId> {
    method.channel().contact()
}

async fn code_sent(
    context: &Context,
    session: &Session,
    person: PersonId,
    contact: ContactId,
) -> Result<Answer, Failure> {
    let sent = session.api().send_contact_code(person, contact).await?;
    let mut page = context.page();
    page.title(&format!("A code is on its way to contact {}", contact.short()));
    let until = page.when().both(sent.expires_at);
    page.row("good until", &until);
    page.note(&format!(
        "No page goes there before it is verified: firstlight contacts verify {} CODE",
        contact.short()
    ));
    Ok(Answer::new(&json!({ "person": person, "contact": contact, "expires_at": sent.expires_at }), page))
}

fn show(context: &Context, person: PersonId, name: &str, document: Document) -> Answer {
    let Document { methods, rules, hand_off, states } = document;
    let methods: Vec<ContactMethod> = methods.into_iter().map(ContactMethod::without_key).collect();
    let mut page = context.page();
    page.title(&format!("How {name} is reached"));
    let mut rows =
        vec![vec!["1".into(), "app".into(), "every device of theirs".into(), "always".into(), String::new()]];
    for (i, method) in methods.iter().enumerate() {
        let contact = id(method);
        let state = states.iter().find(|status| Some(status.id) == contact).map(|status| status.state);
        let state = match state {
            Some(ContactState::Verified) => "verified",
            Some(ContactState::Blocked) => "BLOCKED: the sender was blocked (STOP)",
            Some(ContactState::Invalid) => "INVALID: it does not exist",
            Some(ContactState::Unverified) | None => "NOT USED: not verified",
        };
        let contact = contact.map(|id| id.short()).unwrap_or_default();
        rows.push(vec![(i + 2).to_string(), method.channel().word().into(), place(method), state.into(), contact]);
    }
    page.table(&["", "WAY", "WHERE", "STATE", "ID"], &rows, "");
    for rule in &rules {
        let way = rule.contact.map_or_else(|| "app".to_owned(), |id| id.short());
        page.row(&format!("after {} s", rule.after_ms.0 / 1000), &way);
    }
    if rules.is_empty() {
        page.note("No rules: each in turn, one for every call.");
    }
    if let Some(contact) = hand_off {
        page.row("hand-offs", &contact.short());
    }
    let told = json!({
        "person": person, "methods": methods, "rules": rules, "hand_off": hand_off, "states": states,
    });
    Answer::new(&told, page)
}

fn place(method: &ContactMethod) -> String {
    match method {
        ContactMethod::InApp => String::new(),
        ContactMethod::Webhook { url, .. } | ContactMethod::Ntfy { url, .. } => url.clone(),
        ContactMethod::Push { endpoint, .. } => endpoint.clone(),
        ContactMethod::Sms { number, .. } | ContactMethod::Voice { number, .. } => number.to_string(),
        ContactMethod::Email { address, .. } => address.clone(),
    }
}

//! Restoring an organisation from its recovery sheet, when the device that could sign is lost.

use super::{
    context::Context,
    failure::Failure,
    org::{describe, organisation},
    output::Answer,
};
use clap::Args;
use firstlight_client::session::{InvalidSheet, RecoveringAdmin, Recovery, RecoverySheet};
use firstlight_protocol::PersonId;
use serde_json::json;
use std::{
    io::{BufRead, IsTerminal, Read, stdin},
    path::PathBuf,
};
use zeroize::Zeroizing;

/// The longest sheet, in bytes: far beyond what is printed.
const LONGEST: u64 = 64 << 10;
/// The root key is typed in so many parts: nobody types 64 digits unseen without a slip.
const PARTS: usize = 4;

/// Recovering.
#[derive(Debug, Args)]
pub(crate) struct Recover {
    /// File with the sheet's lines; "-" reads them from standard input. Without it, they are asked for
    #[arg(long, value_name = "FILE")]
    sheet: Option<PathBuf>,
    /// Work name of the admin whose device this becomes
    #[arg(long, value_name = "NAME")]
    admin_name: String,
    /// Their id, if they are in the organisation already and keep that name; else they are somebody new
    #[arg(long, value_name = "ID")]
    person: Option<PersonId>,
}

impl Recover {
    /// Runs the command. Until the sheet agrees with the server, nothing is stored or sent.
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let recovery = Recovery::check(self.read(context)?, context.insecure_http()).await?;
        let found = recovery.organisation();
        context.out.aside(&format!("The sheet is right: it is that of {} ({}).", found.name, found.kind));
        let admin = RecoveringAdmin { name: self.admin_name, person: self.person };
        let (session, view) = recovery.complete(context.new_state()?, &admin, context.insecure_http()).await?;
        context.catch_up(&session).await?;
        let own = session.state().device().await?;
        let mut page = context.page();
        page.title(&format!("{} can sign again", view.name));
        describe(&mut page, &view);
        page.row("device", &own.to_string());
        page.line("");
        page.line(
            "Next: \"firstlight devices list\", and \"firstlight devices revoke ID\" for the device that is lost.",
        );
        page.line("Invites that the lost device made can't be approved here: make new ones.");
        let mut json = organisation(&view);
        json["device"] = json!(own);
        Ok(Answer::new(&json, page))
    }

    fn read(&self, context: &Context) -> Result<RecoverySheet, Failure> {
        let Some(path) = &self.sheet else { return ask(context) };
        let mut text = Zeroizing::new(String::new());
        let read = match path.to_str() {
            Some("-") => stdin().lock().take(LONGEST).read_to_string(&mut text),
            _ => std::fs::File::open(path).and_then(|file| file.take(LONGEST).read_to_string(&mut text)),
        };
        read.map_err(|e| Failure::Usage(format!("The sheet can't be read: {e}.")))?;
        RecoverySheet::parse(&text).map_err(|e| wrong(&e))
    }
}

fn wrong(error: &InvalidSheet) -> Failure {
    Failure::Usage(format!("That is no recovery sheet: {error}. Nothing was changed."))
}

fn ask(context: &Context) -> Result<RecoverySheet, Failure> {
    if !stdin().is_terminal() {
        return Err(Failure::Usage("The sheet is needed: give --sheet FILE, or --sheet - for standard input.".into()));
    }
    let line = |question: &str| {
        context.out.aside(question);
        let mut line = String::new();
        let read = stdin().lock().take(LONGEST).read_line(&mut line);
        read.map(|_| line).map_err(|e| Failure::Usage(format!("The sheet can't be read: {e}.")))
    };
    let server = line("Server, as on the sheet:")?;
    let root = line("Organisation's fingerprint (sixteen groups):")?;
    let host_root = line("Host's fingerprint (nothing, if the sheet has none):")?;
    let mut key = Zeroizing::new(String::new());
    for part in 0..PARTS {
        let question = format!("Root key, groups {} to {} (not shown): ", part * 4 + 1, part * 4 + 4);
        let typed = rpassword::prompt_password(question)
            .map(Zeroizing::new)
            .map_err(|e| Failure::Usage(format!("The root key can't be read: {e}.")))?;
        key.push_str(&typed);
        key.push(' ');
    }
    RecoverySheet::typed(&server, &root, &host_root, &key).map_err(|e| wrong(&e))
}

//! What opens the sealed state: a key file, a passphrase file, the environment, or a question on the terminal.

use super::{context::Global, failure::Failure};
use firstlight_client::storage::seal::Unlock;
use std::io::IsTerminal;
use zeroize::Zeroizing;

/// The fewest characters of a new passphrase. Argon2id slows guessing down; it does not make a short one long.
const SHORTEST: usize = 8;

/// Finds what opens the state. A new passphrase has to be long enough, and is asked for twice.
pub(crate) fn unlock(global: &Global, new: bool) -> Result<Unlock, Failure> {
    if let Some(path) = &global.key_file {
        return Unlock::key_file(path).map_err(|e| Failure::Usage(format!("The key file can't be used: {e}.")));
    }
    let passphrase = match (&global.passphrase_file, std::env::var("FIRSTLIGHT_PASSPHRASE")) {
        (Some(path), _) => {
            let text = std::fs::read_to_string(path)
                .map(Zeroizing::new)
                .map_err(|e| Failure::Usage(format!("The passphrase file can't be read: {e}.")))?;
            Zeroizing::new(text.lines().next().unwrap_or_default().to_owned())
        }
        (None, Ok(text)) => Zeroizing::new(text),
        (None, Err(_)) => ask(new)?,
    };
    if new && passphrase.chars().count() < SHORTEST {
        return Err(Failure::Usage(format!("A passphrase has at least {SHORTEST} characters.")));
    }
    Ok(Unlock::passphrase(passphrase.as_str()))
}

fn ask(new: bool) -> Result<Zeroizing<String>, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Usage(
            "A passphrase is needed: set FIRSTLIGHT_PASSPHRASE, or use --passphrase-file or --key-file.".into(),
        ));
    }
    let prompt = |question: &str| {
        rpassword::prompt_password(question)
            .map(Zeroizing::new)
            .map_err(|e| Failure::Usage(format!("The passphrase can't be read: {e}.")))
    };
    if !new {
        return prompt("Passphrase: ");
    }
    let first = prompt("New passphrase for this device: ")?;
    if *prompt("Once more: ")? != *first {
        return Err(Failure::Usage("The two passphrases differ.".into()));
    }
    Ok(first)
}

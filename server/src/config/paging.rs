//! How pages leave the server: settings of each channel. Secrets stand in files or in the environment, never here.

use super::check::{Found, between, has_twice, is_origin};
use crate::{Error, Result};
use firstlight_protocol::{Secret, callout::Phone, policy::Millis};
use serde::{Deserialize, Serialize};
use std::{
    net::IpAddr,
    path::{Path, PathBuf},
};

/// Longest list of hosts.
const MAX_HOSTS: usize = 64;
/// Most telephony accounts.
const MAX_ACCOUNTS: usize = 8;

/// The channels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Paging {
    /// Hosts to which webhooks, pushes and mail may go without TLS or at a private address; everything else needs TLS.
    pub webhook_allow: Vec<String>,
    /// A webhook, push service or ntfy server has to answer within this.
    pub webhook_timeout_ms: Millis,
    /// A telephony account has to answer within this, or the next one is tried.
    pub telephony_timeout_ms: Millis,
    /// How many pages one provider gets at the same time.
    pub per_provider: usize,
    /// The address at which providers reach this server to report; empty: `name`.
    pub public_url: String,
    /// Whom a push service may write to: `mailto:` or `https:`; empty: `name`.
    pub push_contact: String,
    /// Accounts for text messages and calls, the best first. Each later one is tried when those before it fail.
    pub telephony: Vec<TelephonyAccount>,
    /// The mail server.
    pub email: Email,
}

/// An account with a Twilio-compatible REST API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelephonyAccount {
    /// The operator's name for it: lower-case letters, digits and hyphens. It stands in records and in addresses.
    pub name: String,
    /// Where its API is, such as `https://api.twilio.com`.
    pub base_url: String,
    /// The account's id.
    pub account_sid: String,
    /// The file that holds its auth token. Without it, the environment variable `FIRSTLIGHT_TELEPHONY_<NAME>_TOKEN` does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_token_file: Option<PathBuf>,
    /// The number that messages and calls come from, with `+` and country code.
    pub from: String,
    /// Whether it is used for text messages.
    #[serde(default = "yes")]
    pub sms: bool,
    /// Whether it is used for calls.
    #[serde(default = "yes")]
    pub voice: bool,
}

/// The mail server that e-mails go out by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Email {
    /// Its host name; empty: no e-mail is sent.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: SmtpTls,
    /// The account; empty: none.
    pub user: String,
    /// The file that holds its password; empty: the environment variable `FIRSTLIGHT_EMAIL_PASSWORD` does.
    pub password_file: PathBuf,
    /// The sender, such as `Duty <duty@example.org>`.
    pub from: String,
    /// The server has to answer each command within this.
    pub timeout_ms: Millis,
    /// How many connections it gets at the same time.
    pub connections: u32,
}

/// How the connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmtpTls {
    /// STARTTLS, required (RFC 3207).
    Starttls,
    /// TLS from the first byte (RFC 8314).
    Implicit,
    /// None: only for a host in `webhook_allow`, or this machine.
    None,
}

fn yes() -> bool {
    true
}

impl Default for Paging {
    fn default() -> Self {
        Self {
            webhook_allow: Vec::new(),
            webhook_timeout_ms: Millis::seconds(5),
            telephony_timeout_ms: Millis::seconds(5),
            per_provider: 64,
            public_url: String::new(),
            push_contact: String::new(),
            telephony: Vec::new(),
            email: Email::default(),
        }
    }
}

impl Default for Email {
    fn default() -> Self {
        Self {
            host: String::new(),
            port: 587,
            tls: SmtpTls::Starttls,
            user: String::new(),
            password_file: PathBuf::new(),
            from: String::new(),
            timeout_ms: Millis::seconds(10),
            connections: 8,
        }
    }
}

/// Reads a secret from its file or from the environment. Neither the secret nor the environment's other text is told.
pub(super) fn secret(setting: &str, file: Option<&PathBuf>, variable: &str) -> Result<Secret> {
    match file {
        Some(path) => secret_in(setting, path),
        None => std::env::var(variable)
            .map_err(|_| Error::internal(format!("{setting}: name a file, or set {variable} in the environment")))
            .and_then(|text| not_empty(setting, &text)),
    }
}

/// Reads a secret from its file.
///
/// # Errors
/// A sentence for the operator, without the secret.
pub(super) fn secret_in(setting: &str, path: &Path) -> Result<Secret> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| Error::internal(format!("{setting}: the file {} can't be read ({e})", path.display())))?;
    not_empty(setting, &text)
}

fn not_empty(setting: &str, text: &str) -> Result<Secret> {
    match text.trim() {
        "" => Err(Error::internal(format!("{setting}: it is empty"))),
        text => Ok(Secret::new(text)),
    }
}

impl TelephonyAccount {
    /// Its auth token.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn token(&self) -> Result<Secret> {
        let variable = format!("FIRSTLIGHT_TELEPHONY_{}_TOKEN", self.name.replace('-', "_").to_ascii_uppercase());
        secret(&format!("paging.telephony {}: auth_token_file", self.name), self.auth_token_file.as_ref(), &variable)
    }
}

impl Email {
    /// Its password.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn password(&self) -> Result<Secret> {
        let file = Some(&self.password_file).filter(|path| !path.as_os_str().is_empty());
        secret("paging.email.password_file", file, "FIRSTLIGHT_EMAIL_PASSWORD")
    }
}

/// Whether a variable holds a secret of this file's, and so is a setting although no setting has its name.
pub(super) fn is_secret(variable: &str) -> bool {
    ["email_password", "attachments_secret", "database_url"].contains(&variable)
        || variable.starts_with("telephony_") && variable.ends_with("_token")
}

impl Paging {
    pub(super) fn check(&self, found: &mut Found) {
        between(found, "paging.webhook_timeout_ms", self.webhook_timeout_ms.0, 100, 60_000);
        between(found, "paging.telephony_timeout_ms", self.telephony_timeout_ms.0, 100, 15_000);
        between(found, "paging.per_provider", self.per_provider, 1, 1_000);
        self.check_hosts(found);
        if !self.public_url.is_empty()
            && let Err(problem) = is_origin(&self.public_url)
        {
            found.push(("paging.public_url", problem));
        }
        if !(self.push_contact.is_empty() || ["mailto:", "https://"].iter().any(|s| self.push_contact.starts_with(s))) {
            found.push(("paging.push_contact", "Write mailto:… or https://…: push services ask for it.".into()));
        }
        self.check_telephony(found);
        self.check_email(found);
    }

    fn check_hosts(&self, found: &mut Found) {
        let hosts = &self.webhook_allow;
        if hosts.len() > MAX_HOSTS || has_twice(hosts) {
            found.push(("paging.webhook_allow", format!("Name each host once, and at most {MAX_HOSTS}.")));
        }
        for host in hosts {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-.:[]".contains(c);
            if host.is_empty() || host.len() > 253 || !host.chars().all(plain) {
                let problem = "Each entry is a host alone, such as \"pager.internal\": no scheme, no path, no *.";
                found.push(("paging.webhook_allow", problem.into()));
            }
        }
    }

    fn check_telephony(&self, found: &mut Found) {
        const SETTING: &str = "paging.telephony";
        let names: Vec<_> = self.telephony.iter().map(|account| &account.name).collect();
        if names.len() > MAX_ACCOUNTS || has_twice(&names) {
            found.push((SETTING, format!("Name each account once, and at most {MAX_ACCOUNTS}.")));
        }
        for account in &self.telephony {
            let TelephonyAccount { name, base_url, account_sid, from, .. } = account;
            let mut say = |problem: String| found.push((SETTING, problem));
            if name.parse::<firstlight_protocol::callout::Code>().is_err() {
                say("An account's name is 1 to 24 lower-case letters, digits and hyphens.".into());
                continue;
            }
            if let Err(problem) = is_origin(base_url) {
                say(format!("{name}: base_url: {problem}"));
            }
            if account_sid.is_empty() || !account_sid.bytes().all(|b| b.is_ascii_alphanumeric()) {
                say(format!("{name}: account_sid: letters and digits, as the vendor gave it."));
            }
            if !from.parse::<Phone>().is_ok_and(|number| number.e164().as_ref() == Some(from)) {
                say(format!("{name}: from: + and country code and digits alone, such as +12135550100."));
            }
            if let Err(error) = account.token() {
                say(error.to_string());
            }
        }
    }

    fn check_email(&self, found: &mut Found) {
        let email = &self.email;
        between(found, "paging.email.timeout_ms", email.timeout_ms.0, 100, 60_000);
        between(found, "paging.email.connections", email.connections, 1, 64);
        if email.host.is_empty() {
            return;
        }
        if email.from.parse::<lettre::message::Mailbox>().is_err() {
            found.push(("paging.email.from", "Name the sender, such as \"Duty <duty@example.org>\".".into()));
        }
        let loopback =
            email.host == "localhost" || email.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        if email.tls == SmtpTls::None && !loopback && !self.webhook_allow.contains(&email.host) {
            let problem = "Mail would cross the network in the clear: use \"starttls\" or \"implicit\", or name the host \
                           in paging.webhook_allow.";
            found.push(("paging.email.tls", problem.into()));
        }
        if !email.user.is_empty()
            && let Err(error) = email.password()
        {
            found.push(("paging.email.password_file", error.to_string()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(dir: &std::path::Path) -> TelephonyAccount {
        std::fs::write(dir.join("token"), "canary-token\n").unwrap();
        TelephonyAccount {
            name: "first".into(),
            base_url: "https://api.example.org".into(),
            account_sid: "AC00".into(),
            auth_token_file: Some(dir.join("token")),
            from: "+15555550100".into(),
            sms: true,
            voice: true,
        }
    }

    fn problems(paging: &Paging) -> Vec<String> {
        let mut found = Found::new();
        paging.check(&mut found);
        found.into_iter().map(|(setting, problem)| format!("{setting}: {problem}")).collect()
    }

    #[test]
    fn an_account_is_checked_and_its_token_is_never_shown() {
        let dir = tempfile::tempdir().unwrap();
        let good = account(dir.path());
        let paging = |account: TelephonyAccount| Paging { telephony: vec![account], ..Paging::default() };
        assert_eq!(problems(&paging(good.clone())), [""; 0]);
        assert_eq!(good.token().unwrap().reveal(), "canary-token");
        assert!(!format!("{good:?}{}", toml::to_string(&good).unwrap()).contains("canary"));
        for (change, words) in [
            ((|a| a.name = "A b".into()) as fn(&mut TelephonyAccount), "name is"),
            (|a| a.base_url = "http://api.example.org".into(), "base_url"),
            (|a| a.account_sid = "../x".into(), "account_sid"),
            (|a| a.from = "555-0100".into(), "from"),
            (|a| a.auth_token_file = Some("/nonexistent/token".into()), "can't be read"),
            (|a| a.auth_token_file = None, "FIRSTLIGHT_TELEPHONY_FIRST_TOKEN"),
        ] {
            let mut bad = good.clone();
            change(&mut bad);
            let told = problems(&paging(bad));
            assert!(matches!(told.as_slice(), [one] if one.contains(words)), "{words}: {told:?}");
        }
        let twice = Paging { telephony: vec![good.clone(), good], ..Paging::default() };
        assert_eq!(problems(&twice).len(), 1);
    }

    #[test]
    fn mail_crosses_no_network_in_the_clear_unless_it_is_allowed() {
        let email = |host: &str, tls| Paging {
            email: Email { host: host.into(), tls, from: "Duty <duty@example.org>".into(), ..Email::default() },
            ..Paging::default()
        };
        assert_eq!(problems(&email("mail.example.org", SmtpTls::Starttls)), [""; 0]);
        assert_eq!(problems(&email("127.0.0.1", SmtpTls::None)), [""; 0]);
        let clear = email("mail.internal", SmtpTls::None);
        assert_eq!(problems(&clear).len(), 1);
        assert_eq!(problems(&Paging { webhook_allow: vec!["mail.internal".into()], ..clear }), [""; 0]);
    }
}

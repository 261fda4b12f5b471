//! The e-mail channel: one content-free message by SMTP.

use super::{
    Message,
    circuit::Circuit,
    outcome::{Again, Outcome, ProviderHealth, Sent},
};
use crate::{
    Error, Result,
    config::{self, SmtpTls},
};
use firstlight_protocol::{Timestamp, callout::FailReason};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    message::{Mailbox, header},
    transport::smtp::{
        PoolConfig,
        authentication::Credentials,
        client::{Tls, TlsParameters},
    },
};

/// What it is called in the record of a page.
const VENDOR: &str = "email";

/// The operator's mail server.
#[derive(Debug)]
pub(super) struct Email {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    circuit: Circuit,
}

impl Email {
    /// Sets the mail server up; `None` where the operator has none.
    ///
    /// # Errors
    /// A sentence for the operator where the password can't be read, or TLS can't be set up.
    pub(super) fn new(settings: &config::Email) -> Result<Option<Self>> {
        if settings.host.is_empty() {
            return Ok(None);
        }
        let tls = || TlsParameters::new(settings.host.clone()).map_err(|e| Error::internal(format!("mail TLS: {e}")));
        let tls = match settings.tls {
            SmtpTls::Starttls => Tls::Required(tls()?),
            SmtpTls::Implicit => Tls::Wrapper(tls()?),
            SmtpTls::None => Tls::None,
        };
        let from = settings.from.parse().map_err(|_| Error::internal("paging.email.from is no mailbox"))?;
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.host)
            .port(settings.port)
            .tls(tls)
            .timeout(Some(settings.timeout_ms.into()))
            .pool_config(PoolConfig::new().max_size(settings.connections));
        if !settings.user.is_empty() {
            let password = settings.password()?.reveal().to_owned();
            transport = transport.credentials(Credentials::new(settings.user.clone(), password));
        }
        Ok(Some(Self { transport: transport.build(), from, circuit: Circuit::default() }))
    }

    /// How the mail server does.
    pub(super) fn health(&self) -> ProviderHealth {
        ProviderHealth::of(VENDOR, &self.circuit)
    }

    /// Sends once.
    pub(super) async fn send(&self, to: &str, message: &Message<'_>, now: Timestamp) -> Sent {
        let Some(mail) = self.compose(to, message) else { return Sent::new(VENDOR, Outcome::NotConfigured) };
        let sent = match self.transport.send(mail).await {
            Ok(_) => Sent::new(VENDOR, Outcome::Taken),
            Err(error) => failure(&error),
        };
        match sent.outcome {
            Outcome::Failed { again: Again::Later, reason: FailReason::Timeout | FailReason::Unreachable, .. } => {
                self.circuit.fails(now);
            }
            _ => self.circuit.works(),
        }
        sent
    }

    fn compose(&self, to: &str, message: &Message<'_>) -> Option<lettre::Message> {
        // The same page sent again is the same message to whoever keeps mail once.
        let id = format!("<{}@{}>", message.page, self.from.email.domain());
        lettre::Message::builder()
            .from(self.from.clone())
            .to(to.parse().ok()?)
            .subject(message.text)
            .message_id(Some(id))
            .header(Automatic)
            .header(Urgent)
            .header(header::ContentType::TEXT_PLAIN)
            .body(message.text.to_owned())
            .ok()
    }
}

fn failure(error: &lettre::transport::smtp::Error) -> Sent {
    let Some(code) = error.status() else {
        let reason = if error.is_timeout() { FailReason::Timeout } else { FailReason::Unreachable };
        // A connection that breaks after the message was sent looks the same as one that breaks before.
        return Sent::failed(VENDOR, reason, true);
    };
    let detail = format!("SMTP {code}");
    if error.is_permanent() && is_of_the_address(&error.to_string()) {
        return Sent::broken(VENDOR, FailReason::UnknownNumber).because(detail);
    }
    Sent::failed(VENDOR, FailReason::Rejected, false).because(detail)
}

/// Whether a refusal is about the recipient's address (RFC 3463 §3.2): the sender's, or a policy of the server's, is
/// nothing that a person could mend. A bare 550 may be anything.
fn is_of_the_address(refusal: &str) -> bool {
    let said = refusal.split_once("): ").map_or("", |(_, said)| said.trim_start());
    let code: String = said.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"].contains(&code.as_str())
}

/// Nobody's holiday message shall answer (RFC 3834).
#[derive(Clone)]
struct Automatic;

impl header::Header for Automatic {
    fn name() -> header::HeaderName {
        header::HeaderName::new_from_ascii_str("Auto-Submitted")
    }
    fn parse(_: &str) -> std::result::Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }
    fn display(&self) -> header::HeaderValue {
        header::HeaderValue::new(Self::name(), "auto-generated".into())
    }
}

/// Clients that tell important mail apart ring for it (RFC 2156 §5.3.4).
#[derive(Clone)]
struct Urgent;

impl header::Header for Urgent {
    fn name() -> header::HeaderName {
        header::HeaderName::new_from_ascii_str("Importance")
    }
    fn parse(_: &str) -> std::result::Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }
    fn display(&self) -> header::HeaderValue {
        header::HeaderValue::new(Self::name(), "high".into())
    }
}

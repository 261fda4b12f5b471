//! Where the server is, and the rule that nothing secret travels in clear over a network.

use std::{fmt, net::IpAddr};

/// Why a text is not a server's address that this client will talk to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidServer {
    /// Not an http or https address, or one with a user, a query or a fragment.
    #[error("Not a server's address: expected https://host or https://host:port.")]
    NotAnAddress,
    /// http to another machine.
    #[error("That address is http to another machine: anybody on the way could take the sign-in. Use https.")]
    Clear,
}

/// A server's checked base address.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerUrl {
    base: String,
    secure: bool,
    loopback: bool,
}

impl ServerUrl {
    /// Checks an address. http is for the same machine only, unless `insecure_http` says that the person knows better.
    pub fn parse(text: &str, insecure_http: bool) -> Result<Self, InvalidServer> {
        let url = Parsed::parse(text.trim()).filter(|url| url.plain).ok_or(InvalidServer::NotAnAddress)?;
        let secure = match url.scheme.as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(InvalidServer::NotAnAddress),
        };
        let host = url.host.as_str();
        let loopback = host == "localhost"
            || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        if !secure && !loopback && !insecure_http {
            return Err(InvalidServer::Clear);
        }
        Ok(Self { base: url.whole.trim_end_matches('/').to_owned(), secure, loopback })
    }

    /// The base address, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.base
    }

    /// Whether it is this machine: then no proxy is used.
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }

    /// The address of a path that begins with a slash.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The websocket's address.
    pub fn stream(&self) -> String {
        let (scheme, skip) = if self.secure { ("wss", "https".len()) } else { ("ws", "http".len()) };
        format!("{scheme}{}/v1/stream", self.base.get(skip..).unwrap_or_default())
    }
}

/// An address as the platform's own parser reads it; a second one would only make the program larger.
struct Parsed {
    whole: String,
    scheme: String,
    host: String,
    /// It has neither user nor query nor fragment.
    plain: bool,
}

impl Parsed {
    #[cfg(feature = "native")]
    fn parse(text: &str) -> Option<Self> {
        let url = reqwest::Url::parse(text).ok()?;
        Some(Self {
            scheme: url.scheme().to_owned(),
            host: url.host_str()?.to_owned(),
            plain: url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none(),
            whole: url.into(),
        })
    }

    #[cfg(target_arch = "wasm32")]
    fn parse(text: &str) -> Option<Self> {
        let url = web_sys::Url::new(text).ok()?;
        Some(Self {
            whole: url.href(),
            scheme: url.protocol().trim_end_matches(':').to_owned(),
            host: Some(url.hostname()).filter(|host| !host.is_empty())?,
            plain: [url.username(), url.password(), url.search(), url.hash()].iter().all(String::is_empty),
        })
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_anywhere_and_http_only_to_this_machine() {
        let good = ["https://duty.example.org", "http://127.0.0.1:8080", "http://localhost:1/", "http://[::1]:9"];
        for text in good {
            assert!(ServerUrl::parse(text, false).is_ok(), "{text}");
        }
        for text in ["http://duty.example.org", "http://192.0.2.7:8080", "http://localhost.example.org"] {
            assert_eq!(ServerUrl::parse(text, false), Err(InvalidServer::Clear), "{text}");
            assert!(ServerUrl::parse(text, true).is_ok(), "{text}");
        }
        for text in ["", "duty.example.org", "ftp://h", "https://u:p@h", "https://h?q=1", "https://h#f", "file:///x"] {
            assert_eq!(ServerUrl::parse(text, true), Err(InvalidServer::NotAnAddress), "{text}");
        }
    }

    #[test]
    fn paths_and_the_stream_hang_off_the_base() {
        let url = ServerUrl::parse("https://duty.example.org/fl/", false).unwrap();
        assert_eq!(url.at("/v1/me"), "https://duty.example.org/fl/v1/me");
        assert_eq!(url.stream(), "wss://duty.example.org/fl/v1/stream");
        let local = ServerUrl::parse("http://127.0.0.1:8080", false).unwrap();
        assert_eq!(local.stream(), "ws://127.0.0.1:8080/v1/stream");
        assert!(local.is_loopback() && !url.is_loopback());
    }
}

//! The invite as a link or QR code.

use super::{InviteError, InviteKeys, keys::read_secret};
use crate::cert::{Anchors, ChainError, Fingerprint};
use crate::{InviteId, OrgId, Secret};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The longest text that is looked at as an invite link.
pub const MAX_LINK_BYTES: usize = 640;

/// The server's origin: `https://host[:port]`, in lower case, without a path or a slash at the end.
///
/// `http` only towards this machine (`localhost`, `127.0.0.1`, `[::1]`), for trying things out. Clients sign this text
/// when they sign in, so the server must be configured with the very same one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String))]
pub struct ServerUrl(String);

impl ServerUrl {
    /// The origin as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ServerUrl {
    type Err = InviteError;
    fn from_str(s: &str) -> Result<Self, InviteError> {
        let (scheme, authority) = s.split_once("://").ok_or(InviteError::Server)?;
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let port_ok = port.is_none_or(|p| p.parse::<u16>().is_ok_and(|n| n > 0 && n.to_string() == p));
        let local = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        let scheme_ok = scheme == "https" || (scheme == "http" && local);
        if s.len() <= 300 && scheme_ok && port_ok && is_host(host) {
            Ok(Self(s.to_owned()))
        } else {
            Err(InviteError::Server)
        }
    }
}

/// A DNS name or IPv4 address in lower case, or an IPv6 address in brackets.
fn is_host(host: &str) -> bool {
    if let Some(v6) = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        return v6.parse::<std::net::Ipv6Addr>().is_ok_and(|ip| ip.to_string() == v6);
    }
    let label = |l: &str| {
        let ok = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        (1..=63).contains(&l.len()) && l.bytes().all(ok) && !l.starts_with('-') && !l.ends_with('-')
    };
    host.len() <= 253 && host.split('.').all(label)
}

impl TryFrom<String> for ServerUrl {
    type Error = InviteError;
    fn try_from(s: String) -> Result<Self, InviteError> {
        s.parse()
    }
}

impl From<ServerUrl> for String {
    fn from(url: ServerUrl) -> Self {
        url.0
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an invite is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum InviteKind {
    /// To enrol one device of one person.
    Device,
    /// To found one partner organisation on the host's server.
    Partner,
}

impl InviteKind {
    /// The word on the wire and in links.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Partner => "partner",
        }
    }
}

impl FromStr for InviteKind {
    type Err = InviteError;
    fn from_str(s: &str) -> Result<Self, InviteError> {
        [Self::Device, Self::Partner].into_iter().find(|k| k.as_str() == s).ok_or(InviteError::Link)
    }
}

/// An invite as it is given to a person: whoever holds it may join, once.
///
/// As text, `<server>/join#v1.<kind>.<invite>.<secret>.<org>.<root>.<host>.<host root>`: everything that matters stands
/// behind the `#`, which a browser never sends, so neither the secret nor the fingerprints reach a server's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteLink {
    /// Where to join.
    pub server: ServerUrl,
    /// What for.
    pub kind: InviteKind,
    /// The invite's id.
    pub invite: InviteId,
    /// 32 random bytes in base64url; see [`InviteKeys`].
    pub secret: Secret,
    /// The organisation that invites: the newcomer's own, or the host for a partner.
    pub org: OrgId,
    /// SHA-256 of its root certificate.
    pub root: Fingerprint,
    /// The organisation that hosts the server.
    pub host: OrgId,
    /// SHA-256 of the host's root certificate.
    pub host_root: Fingerprint,
}

impl InviteLink {
    /// What the newcomer trusts from now on: the host, and the organisation that invites.
    pub fn anchors(&self) -> Result<Anchors, ChainError> {
        let mut anchors = Anchors::new(self.host, self.host_root);
        anchors.pin(self.org, self.root)?;
        Ok(anchors)
    }

    /// The keys derived from the secret.
    pub fn keys(&self) -> Result<InviteKeys, InviteError> {
        InviteKeys::derive(self.invite, &self.secret)
    }
}

impl fmt::Display for InviteLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, kind, invite, secret, org, root, host, host_root } = self;
        let (kind, secret, root, host_root) = (kind.as_str(), secret.reveal(), root.to_hex(), host_root.to_hex());
        write!(f, "{server}/join#v1.{kind}.{invite}.{secret}.{org}.{root}.{host}.{host_root}")
    }
}

impl FromStr for InviteLink {
    type Err = InviteError;
    fn from_str(s: &str) -> Result<Self, InviteError> {
        if s.len() > MAX_LINK_BYTES {
            return Err(InviteError::Link);
        }
        let (server, fragment) = s.split_once("/join#").ok_or(InviteError::Link)?;
        let fields: Vec<&str> = fragment.split('.').collect();
        let ["v1", kind, invite, secret, org, root, host, host_root] = fields[..] else {
            return Err(InviteError::Link);
        };
        let link = Self {
            server: server.parse()?,
            kind: kind.parse()?,
            invite: invite.parse().map_err(|_| InviteError::Link)?,
            secret: Secret::new(secret),
            org: org.parse().map_err(|_| InviteError::Link)?,
            root: root.parse().map_err(|_| InviteError::Link)?,
            host: host.parse().map_err(|_| InviteError::Link)?,
            host_root: host_root.parse().map_err(|_| InviteError::Link)?,
        };
        read_secret(&link.secret)?;
        let consistent = link.org != link.host || link.root == link.host_root;
        let by_host = link.kind == InviteKind::Device || link.org == link.host;
        // One text for one invite: a link that was retyped in another form was changed by somebody.
        if consistent && by_host && link.to_string() == s { Ok(link) } else { Err(InviteError::Link) }
    }
}

//! The recovery sheet: what an admin prints and locks away. Whoever has it can sign for the organisation.

use super::{SessionError, State};
use ed25519_dalek::SigningKey;
use firstlight_protocol::{
    Bytes, OrgId,
    cert::{Fingerprint, InvalidFingerprint},
};
use zeroize::Zeroizing;

/// A label, as it stands on the sheet.
type Label = &'static str;
const SERVER: Label = "Server";
const ROOT: Label = "Organisation's fingerprint";
const HOST: Label = "Host's fingerprint";
const KEY: Label = "Root key (secret)";
/// Groups of four digits in a key or fingerprint.
const GROUPS: usize = 16;

/// What stands on a recovery sheet, as far as it is needed to restore.
pub struct RecoverySheet {
    /// What the server calls itself: its address.
    pub server: String,
    /// The root certificate's fingerprint.
    pub root: Fingerprint,
    /// That of the host's root; absent where the organisation is the host itself.
    pub host_root: Option<Fingerprint>,
    /// The root key's seed.
    pub root_seed: Zeroizing<[u8; 32]>,
}

/// What this device can print.
#[derive(Debug)]
pub struct OwnSheet {
    /// The organisation.
    pub org: OrgId,
    /// The root certificate, DER: the key's other half. The server has it too.
    pub certificate: Bytes,
    /// The sheet.
    pub sheet: RecoverySheet,
}

/// Why something is no recovery sheet. None of it repeats what was typed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSheet {
    /// A line is missing.
    #[error("the sheet's line \"{0}: …\" is missing")]
    Missing(&'static str),
    /// A group of digits is wrong.
    #[error("{label}: group {group} is not four of the digits 0-9 and a-f")]
    Group {
        /// Of which line.
        label: &'static str,
        /// Which group, counted from 1.
        group: usize,
    },
    /// There are too few or too many groups.
    #[error("{label}: {groups} groups of digits instead of 16")]
    Groups {
        /// Of which line.
        label: &'static str,
        /// How many there are.
        groups: usize,
    },
}

impl std::fmt::Debug for RecoverySheet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RecoverySheet({})", self.root)
    }
}

impl RecoverySheet {
    /// Reads a sheet from its text: a line for each entry, its label first. Other lines are passed over.
    ///
    /// # Errors
    /// Says which line, and which group of digits in it, is wrong.
    pub fn parse(text: &str) -> Result<Self, InvalidSheet> {
        let find = |label: Label| {
            text.lines().filter_map(|line| line.split_once(':')).find_map(|(name, value)| {
                (name.trim().eq_ignore_ascii_case(label) && !value.trim().is_empty()).then(|| value.trim())
            })
        };
        let needed = |label: Label| find(label).ok_or(InvalidSheet::Missing(label));
        Self::typed(needed(SERVER)?, needed(ROOT)?, find(HOST).unwrap_or_default(), needed(KEY)?)
    }

    /// Reads a sheet from its entries, as somebody types them. `host_root` is empty where the organisation is the host.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn typed(server: &str, root: &str, host_root: &str, key: &str) -> Result<Self, InvalidSheet> {
        let host_root = host_root.trim();
        Ok(Self {
            server: server.trim().trim_end_matches('/').to_owned(),
            root: Fingerprint(*groups(ROOT, root)?),
            host_root: if host_root.is_empty() { None } else { Some(Fingerprint(*groups(HOST, host_root)?)) },
            root_seed: groups(KEY, key)?,
        })
    }

    /// The root key.
    pub(super) fn root_key(&self) -> SigningKey {
        SigningKey::from_bytes(&self.root_seed)
    }

    /// The root key in groups of digits, like a fingerprint.
    pub fn root_key_text(&self) -> Zeroizing<String> {
        Zeroizing::new(Fingerprint(*self.root_seed).to_string())
    }

    /// As it is printed, and as [`Self::parse`] reads it.
    pub fn to_text(&self) -> Zeroizing<String> {
        let host = self.host_root.map(|root| format!("{HOST}: {root}\n")).unwrap_or_default();
        let (server, root, key) = (&self.server, self.root, self.root_key_text());
        Zeroizing::new(format!("{SERVER}: {server}\n{ROOT}: {root}\n{host}{KEY}: {}\n", *key))
    }
}

impl State {
    /// The recovery sheet of this device's organisation.
    ///
    /// # Errors
    /// [`SessionError::NoRootKey`] if this device does not hold the root key.
    pub async fn recovery_sheet(&self) -> Result<OwnSheet, SessionError> {
        let place = self.server().await?.ok_or(SessionError::NotSetUp)?;
        let known = self.read(|engine| {
            let org = engine.identity().map(|identity| identity.org);
            let host = engine.anchors().map(|anchors| (anchors.host(), anchors.pinned(anchors.host())));
            (org, host, engine.admin().cloned())
        });
        let (org, host, admin) = known.await?;
        let (org, admin) = (org.ok_or(SessionError::NotEnrolled)?, admin.ok_or(SessionError::NoRootKey)?);
        let root_seed = admin.root_seed.ok_or(SessionError::NoRootKey)?;
        let certificate = admin.signer_chain.last().cloned().ok_or(SessionError::NoRootKey)?;
        let host_root = host.filter(|(host, _)| *host != org).and_then(|(_, root)| root);
        let sheet = RecoverySheet { server: place.name, root: Fingerprint::of(&certificate), host_root, root_seed };
        Ok(OwnSheet { org, certificate, sheet })
    }
}

/// 32 bytes from sixteen groups of four hexadecimal digits, and which group is wrong.
fn groups(label: Label, text: &str) -> Result<Zeroizing<[u8; 32]>, InvalidSheet> {
    let parts: Vec<&str> = text.split(['-', ' ', '\t', '\n']).filter(|part| !part.is_empty()).collect();
    // Without separators it is one long group.
    let whole = parts.len() == 1 && text.trim().len() == 4 * GROUPS;
    if !whole {
        let digits = |part: &&str| part.len() == 4 && part.chars().all(|c| c.is_ascii_hexdigit());
        if let Some(wrong) = parts.iter().position(|part| !digits(part)) {
            return Err(InvalidSheet::Group { label, group: wrong + 1 });
        }
        if parts.len() != GROUPS {
            return Err(InvalidSheet::Groups { label, groups: parts.len() });
        }
    }
    let joined = Zeroizing::new(parts.concat());
    let read: Result<Fingerprint, InvalidFingerprint> = joined.parse();
    read.map(|bytes| Zeroizing::new(bytes.0)).map_err(|_| InvalidSheet::Groups { label, groups: parts.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(host_root: Option<Fingerprint>) -> RecoverySheet {
        let root_seed = Zeroizing::new([0xa7; 32]);
        RecoverySheet {
            server: "https://duty.example.org".into(),
            root: Fingerprint::of(b"root"),
            host_root,
            root_seed,
        }
    }

    #[test]
    fn what_is_printed_is_read_back() {
        for host in [None, Some(Fingerprint::of(b"host"))] {
            let printed = sheet(host);
            let text = format!("Recovery sheet: Agency A\n\n{}Root certificate: AAAA\n", *printed.to_text());
            // As somebody types it who minds neither capitals nor spaces.
            for text in
                [text.clone(), text.to_uppercase().replace("HTTPS://DUTY.EXAMPLE.ORG", " https://duty.example.org/ ")]
            {
                let read = RecoverySheet::parse(&text).unwrap();
                assert_eq!((read.server.as_str(), read.root), ("https://duty.example.org", printed.root));
                assert_eq!((read.host_root, &read.root_seed), (host, &printed.root_seed));
            }
        }
        let whole = "a7".repeat(32);
        let root = Fingerprint::of(b"root").to_string();
        assert_eq!(*RecoverySheet::typed("https://a", &root, "", &whole).unwrap().root_seed, [0xa7; 32]);
    }

    #[test]
    fn what_is_wrong_is_said_by_line_and_group_and_never_repeated() {
        let text = sheet(None).to_text();
        let wrong = |from: &str, to: &str| RecoverySheet::parse(&text.replace(from, to)).unwrap_err();
        assert_eq!(wrong("Server:", "Servant:"), InvalidSheet::Missing(SERVER));
        assert_eq!(wrong("Root key (secret):", "Root key (secret): \nx:"), InvalidSheet::Missing(KEY));
        assert_eq!(wrong(": a7a7-", ": a7-"), InvalidSheet::Group { label: KEY, group: 1 });
        assert_eq!(wrong("a7a7-a7a7\n", "a7a7-a7o7\n"), InvalidSheet::Group { label: KEY, group: 16 });
        let short = wrong("a7a7-a7a7\n", "a7a7\n");
        assert_eq!(short, InvalidSheet::Groups { label: KEY, groups: 15 });
        assert_eq!(short.to_string(), "Root key (secret): 15 groups of digits instead of 16");
    }
}

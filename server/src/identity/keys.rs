//! Secrets that the server keeps in files of its own: made at the first start, readable by the operator alone.

use super::token::TokenKey;
use crate::{Error, Result, app::random};
use firstlight_protocol::Secret;
use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// The access-token key's file in the data directory.
pub(crate) const TOKEN_KEY: &str = "access-token.key";
/// Locked while a key is made, for several nodes may start at once on one directory.
const LOCK: &str = ".making-keys";
/// The one-time token that founds the host organisation, in the data directory.
const BOOTSTRAP: &str = "bootstrap-token";

/// Reads the 32 bytes of the access-token key, or makes them; says whether it made them. The server's tokens die with the
/// file, nothing else does.
pub(crate) fn token_key(dir: &Path) -> Result<(Zeroizing<[u8; 32]>, bool)> {
    own_secret(dir, TOKEN_KEY)
}

/// Reads the 32 random bytes of a file in a directory, or makes it; says whether it made it. Of several that start at once,
/// one makes it.
///
/// # Errors
/// A sentence for the operator where the file can't be used.
pub(crate) fn own_secret(dir: &Path, file: &str) -> Result<(Zeroizing<[u8; 32]>, bool)> {
    let path = dir.join(file);
    if let Some(key) = read(&path)? {
        return Ok((key, false));
    }
    let failed = |e| {
        let path = path.display();
        Error::internal(format!(
            "{path} is not there and can't be made ({e}): `firstlight-server keys FOLDER` makes it"
        ))
    };
    // Given up when it is closed.
    let lock = OpenOptions::new().create(true).append(true).mode(0o600).open(dir.join(LOCK)).map_err(failed)?;
    File::lock(&lock).map_err(failed)?;
    if let Some(key) = read(&path)? {
        return Ok((key, false));
    }
    let key = Zeroizing::new(random::<32>()?);
    write_new(&path, key.as_slice())?;
    Ok((key, true))
}

/// The 32 bytes of a file, if it is there.
fn read(path: &Path) -> Result<Option<Zeroizing<[u8; 32]>>> {
    match fs::read(path).map(Zeroizing::new) {
        Ok(bytes) => match <[u8; 32]>::try_from(bytes.as_slice()) {
            Ok(key) => Ok(Some(Zeroizing::new(key))),
            Err(_) => Err(Error::internal(format!("{} is damaged: remove it", path.display()))),
        },
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::internal(format!("{}: {e}", path.display()))),
    }
}

/// What stands in the bootstrap token's file of a data directory, if there is one.
///
/// # Errors
/// A sentence for the operator where it can't be read.
pub(crate) fn bootstrap_token(dir: &Path) -> Result<Option<Secret>> {
    match fs::read_to_string(dir.join(BOOTSTRAP)).map(Zeroizing::new) {
        Ok(text) => Ok(Some(Secret::new(text.trim()))),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::internal(format!("{BOOTSTRAP} in the data directory: {e}"))),
    }
}

/// The bootstrap token of a server that has no host organisation yet.
#[derive(Debug)]
pub(super) struct Bootstrap {
    path: PathBuf,
}

impl Bootstrap {
    /// Makes the token's file if the server waits for a host, and sees to it that there is none otherwise.
    ///
    /// It follows from the key, so that nodes which share it have the same token: whoever founds may come to any of them.
    pub(super) fn prepare(dir: &Path, founded: bool, key: &TokenKey) -> Result<Self> {
        let this = Self { path: dir.join(BOOTSTRAP) };
        if founded {
            this.remove();
        } else if !this.path.exists() {
            let token = Secret::from_random(&key.mac(b"bootstrap", &[])?);
            write_new(&this.path, format!("{}\n", token.reveal()).as_bytes())?;
        }
        Ok(this)
    }

    /// Whether this is the token. Compared in constant time, by digest.
    pub(super) fn matches(&self, claimed: &Secret) -> bool {
        let Ok(text) = fs::read_to_string(&self.path).map(Zeroizing::new) else {
            return false;
        };
        !text.trim().is_empty() && Secret::new(text.trim()) == *claimed
    }

    /// The host is founded: the token has done its work. If the file can't be removed now, the next start tries again;
    /// it founds nothing any more.
    pub(super) fn remove(&self) {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                tracing::warn!(%error, "the used bootstrap token could not be removed");
            }
            _ => {}
        }
    }
}

/// Writes a secret under a temporary name first, so that a crash leaves the whole file or none.
fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = path.with_extension("new");
    let write = || {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    write().map_err(|e: std::io::Error| Error::internal(format!("a secret of the data directory: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_key_is_made_once_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (first, made) = token_key(dir.path()).unwrap();
        assert!(made);
        assert_eq!(token_key(dir.path()).unwrap(), (first, false));
        let mode = fs::metadata(dir.path().join(TOKEN_KEY)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(dir.path().join(TOKEN_KEY), b"short").unwrap();
        assert!(token_key(dir.path()).is_err());
    }

    #[test]
    fn of_many_nodes_that_start_at_once_one_makes_the_key() {
        let dir = tempfile::tempdir().unwrap();
        let start = std::sync::Barrier::new(8);
        let node = || {
            start.wait();
            token_key(dir.path()).unwrap()
        };
        let all: Vec<_> = std::thread::scope(|scope| {
            let nodes: Vec<_> = (0..8).map(|_| scope.spawn(node)).collect();
            nodes.into_iter().map(|node| node.join().unwrap()).collect()
        });
        assert!(all.iter().all(|(key, _)| *key == all[0].0));
        assert_eq!(all.iter().filter(|(_, made)| *made).count(), 1);
    }

    #[test]
    fn the_bootstrap_token_is_there_until_the_host_is() {
        let dir = tempfile::tempdir().unwrap();
        let key = TokenKey::new(&Zeroizing::new([7; 32]), "https://a").unwrap();
        let bootstrap = Bootstrap::prepare(dir.path(), false, &key).unwrap();
        let path = dir.path().join(BOOTSTRAP);
        let token = Secret::new(fs::read_to_string(&path).unwrap().trim());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let again = Bootstrap::prepare(dir.path(), false, &key).unwrap();
        assert!(again.matches(&token) && !again.matches(&Secret::new("")) && !again.matches(&Secret::new("other")));
        assert_eq!(bootstrap_token(dir.path()).unwrap(), Some(token.clone()));
        // Another node with the same keys, another with others.
        let other = tempfile::tempdir().unwrap();
        assert!(Bootstrap::prepare(other.path(), false, &key).unwrap().matches(&token));
        let (third, others) =
            (tempfile::tempdir().unwrap(), TokenKey::new(&Zeroizing::new([8; 32]), "https://a").unwrap());
        assert!(!Bootstrap::prepare(third.path(), false, &others).unwrap().matches(&token));
        Bootstrap::prepare(dir.path(), true, &key).unwrap();
        assert_eq!(bootstrap_token(dir.path()).unwrap(), None);
        assert!(!path.exists() && !bootstrap.matches(&token));
    }
}

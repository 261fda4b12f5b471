//! A key that the system keeps: 32 bytes in a file outside the state directory.

use super::{
    StorageError,
    seal::{Unlock, random},
};
use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Read, Write},
    path::Path,
};
use zeroize::Zeroizing;

impl Unlock {
    /// By a key file outside the state directory, readable by its owner alone; made with a fresh key if it is missing.
    pub fn key_file(path: &Path) -> Result<Self, StorageError> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(path) {
            Ok(mut file) => {
                let key = Zeroizing::new(random::<32>()?);
                file.write_all(&*key)?;
                file.sync_all()?;
                Ok(Self::Key(key))
            }
            Err(e) if e.kind() == ErrorKind::AlreadyExists => read(path),
            Err(e) => Err(e.into()),
        }
    }
}

fn read(path: &Path) -> Result<Unlock, StorageError> {
    let file = File::open(path)?;
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&file.metadata()?.permissions()) & 0o077 != 0 {
        let text = format!("{} can be read by others: chmod 600 it, and think of the key as known", path.display());
        return Err(StorageError::Io(text));
    }
    let mut key = Zeroizing::new(Vec::with_capacity(33));
    file.take(33).read_to_end(&mut key)?;
    let key = <[u8; 32]>::try_from(key.as_slice())
        .map_err(|_| StorageError::Io(format!("{} is not a key file: it must hold 32 bytes", path.display())))?;
    Ok(Unlock::Key(Zeroizing::new(key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_once_and_refused_when_others_can_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let Unlock::Key(first) = Unlock::key_file(&path).unwrap() else { panic!("a key") };
        let Unlock::Key(again) = Unlock::key_file(&path).unwrap() else { panic!("a key") };
        assert_eq!(*first, *again);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
            assert!(Unlock::key_file(&path).is_err());
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        std::fs::write(&path, [1; 33]).unwrap();
        assert!(Unlock::key_file(&path).is_err());
    }
}

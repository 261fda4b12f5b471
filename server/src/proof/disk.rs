//! Whether the disk has room: a database that can't grow accepts no callout.

use std::path::Path;

/// Whether at least so many MiB are free where the data is. A file system that doesn't say counts as having room: the
/// writer's own answer is asked for anyway.
pub(crate) fn has_room(dir: &Path, mib: u64) -> bool {
    free_bytes(dir).is_none_or(|bytes| bytes >> 20 >= mib)
}

/// How much is free where the data is, if the file system says so.
pub(crate) fn free_bytes(dir: &Path) -> Option<u64> {
    match rustix::fs::statvfs(dir) {
        Ok(stat) => Some(stat.f_bavail.saturating_mul(stat.f_frsize)),
        Err(error) => {
            tracing::warn!(%error, "the file system does not say how much room it has");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_measured() {
        let dir = tempfile::tempdir().unwrap();
        assert!(has_room(dir.path(), 0));
        assert!(!has_room(dir.path(), 1 << 40), "an exbibyte");
        assert!(has_room(Path::new("/nonexistent"), 1), "nobody knows");
    }
}

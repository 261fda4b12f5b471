//! Where chunks lie: a folder of this machine, or a bucket. Names are ids, and say nothing.

use crate::{
    Error, Result,
    config::{Attachments, Config, Place},
};
use bytes::Bytes;
use firstlight_protocol::{AttachmentId, ErrorCode, Problem, Timestamp};
use futures_util::{StreamExt, stream, stream::BoxStream};
use object_store::{
    BackoffConfig, ClientOptions, ObjectStore, ObjectStoreExt, RetryConfig, aws::AmazonS3Builder,
    local::LocalFileSystem, path::Path,
};
use std::{
    fs::{self, DirBuilder},
    os::unix::fs::DirBuilderExt,
    path::{Path as FilePath, PathBuf},
    time::{Duration, SystemTime},
};

/// One request to a bucket has to be done within this.
const REQUEST: Duration = Duration::from_secs(10);
/// With its repetitions, within this: a client's request waits for it.
const PATIENCE: Duration = Duration::from_secs(20);
/// What is written to see whether the place takes something.
const PROBE: &str = "probe";

/// The place.
#[derive(Debug)]
pub(super) struct Chunks {
    store: Box<dyn ObjectStore>,
    /// The folder, where it is one.
    folder: Option<PathBuf>,
}

/// A chunk that lies there.
#[derive(Debug)]
pub(super) struct Found {
    /// Of this attachment.
    pub(super) attachment: AttachmentId,
    /// Since when, by the place's clock.
    pub(super) since: Timestamp,
    path: Path,
}

impl Chunks {
    /// Opens the place that the configuration names; makes the folder, for its owner alone.
    pub(super) fn open(config: &Config) -> Result<Self> {
        let settings = &config.attachments;
        match settings.place {
            Place::S3 => Ok(Self { store: bucket(settings)?, folder: None }),
            Place::Folder => {
                let own = settings.folder.as_os_str().is_empty();
                let folder = if own { config.data_dir.join("attachments") } else { settings.folder.clone() };
                let failed = |e: &dyn std::fmt::Display| {
                    Error::internal(format!("the folder {} for attachments can't be used: {e}", folder.display()))
                };
                DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(|e| failed(&e))?;
                let store = LocalFileSystem::new_with_prefix(&folder).map_err(|e| failed(&e))?;
                // What was answered is on the disk, and what was emptied leaves no folder.
                let store = Box::new(store.with_fsync(true).with_automatic_cleanup(true));
                Ok(Self { store, folder: Some(folder) })
            }
        }
    }

    /// Puts a chunk there, durably; the same chunk again changes nothing.
    pub(super) async fn put(&self, attachment: AttachmentId, n: u32, bytes: Vec<u8>) -> Result<()> {
        self.store.put(&path(attachment, n), bytes.into()).await.map(drop).map_err(failed)
    }

    /// A chunk as it comes.
    pub(super) async fn get(&self, attachment: AttachmentId, n: u32) -> Result<(u64, BoxStream<'static, ChunkPart>)> {
        let found = self.store.get(&path(attachment, n)).await.map_err(failed)?;
        Ok((found.meta.size, found.into_stream()))
    }

    /// Takes chunks away. What is not there is gone already.
    pub(super) async fn delete(&self, paths: Vec<Path>) -> Result<()> {
        let mut deleted = self.store.delete_stream(stream::iter(paths.into_iter().map(Ok)).boxed());
        while let Some(result) = deleted.next().await {
            match result {
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(())
    }

    /// Everything that lies there under a name that this server gives.
    pub(super) fn all(&self) -> BoxStream<'static, Result<Found>> {
        let named = |found: object_store::Result<object_store::ObjectMeta>| async move {
            match found {
                Ok(meta) => {
                    let since = Timestamp(meta.last_modified.timestamp_millis());
                    let attachment = named(&meta.location)?;
                    Some(Ok(Found { attachment, since, path: meta.location }))
                }
                Err(object_store::Error::NotFound { .. }) => None,
                Err(error) => Some(Err(failed(error))),
            }
        };
        self.store.list(None).filter_map(named).boxed()
    }

    /// Whether the place takes something now.
    pub(super) async fn probe(&self) -> bool {
        let place = Path::from(PROBE);
        let put = self.store.put(&place, Bytes::from_static(b"firstlight").into());
        match tokio::time::timeout(REQUEST, put).await {
            Ok(Ok(_)) => true,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the place for attachments takes nothing");
                false
            }
            Err(_) => false,
        }
    }

    /// Deletes what a crash left half-written in the folder, if it is older than `age`. A bucket has nothing of the kind.
    pub(super) async fn sweep(&self, age: Duration) -> Result<u64> {
        let Some(folder) = self.folder.clone() else { return Ok(0) };
        tokio::task::spawn_blocking(move || sweep(&folder, age)).await.map_err(Error::internal)
    }
}

/// A part of a chunk on its way out.
pub(super) type ChunkPart = object_store::Result<Bytes>;

impl Found {
    /// Where it lies.
    pub(super) fn into_path(self) -> Path {
        self.path
    }
}

/// Where a chunk lies.
pub(super) fn path(attachment: AttachmentId, n: u32) -> Path {
    Path::from(format!("{attachment}/{n}"))
}

/// The attachment of a path that this server made; nothing else in the place is its business.
fn named(path: &Path) -> Option<AttachmentId> {
    let mut parts = path.parts();
    let attachment = parts.next()?.as_ref().parse().ok()?;
    let number = parts.next()?.as_ref().parse::<u32>().is_ok();
    (number && parts.next().is_none()).then_some(attachment)
}

fn bucket(settings: &Attachments) -> Result<Box<dyn ObjectStore>> {
    let s3 = &settings.s3;
    let options = ClientOptions::new()
        .with_timeout(REQUEST)
        .with_connect_timeout(Duration::from_secs(5))
        .with_allow_http(s3.allow_http && s3.endpoint.starts_with("http:"));
    let backoff = BackoffConfig { max_backoff: Duration::from_secs(2), ..BackoffConfig::default() };
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&s3.bucket)
        .with_region(&s3.region)
        .with_access_key_id(&s3.key_id)
        .with_secret_access_key(s3.secret()?.reveal())
        .with_virtual_hosted_style_request(!s3.path_style)
        .with_client_options(options)
        .with_retry(RetryConfig { backoff, max_retries: 3, retry_timeout: PATIENCE });
    if !s3.endpoint.is_empty() {
        builder = builder.with_endpoint(&s3.endpoint);
    }
    let store = builder.build().map_err(|e| Error::internal(format!("attachments.s3: {e}")))?;
    Ok(Box::new(store))
}

/// What a client is told of trouble with the place; what exactly it was is for the operator.
fn failed(error: object_store::Error) -> Error {
    match error {
        object_store::Error::NotFound { .. } => {
            tracing::warn!("a chunk that a row names is not there");
            ErrorCode::NotFound.into()
        }
        error => {
            tracing::error!(%error, "the place for attachments failed");
            Problem::with(ErrorCode::Unavailable, "The place for attachments does not answer.").into()
        }
    }
}

/// Half-written files have `#` and a number behind their name, and no listing shows them.
fn sweep(folder: &FilePath, age: Duration) -> u64 {
    let mut swept = 0;
    let Ok(attachments) = fs::read_dir(folder) else { return 0 };
    for attachment in attachments.flatten() {
        let Ok(files) = fs::read_dir(attachment.path()) else { continue };
        for file in files.flatten() {
            let half = file.file_name().to_string_lossy().contains('#');
            let old = |at: SystemTime| at.elapsed().is_ok_and(|elapsed| elapsed > age);
            if half && file.metadata().and_then(|m| m.modified()).is_ok_and(old) && fs::remove_file(file.path()).is_ok()
            {
                swept += 1;
            }
        }
        // Only an empty one goes.
        let _ = fs::remove_dir(attachment.path());
    }
    swept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_server_are_its_business() {
        let id = AttachmentId([7; 16]);
        assert_eq!(named(&path(id, 12)), Some(id));
        for other in ["probe", "x/1", &format!("{id}"), &format!("{id}/x"), &format!("{id}/1/2"), &format!("a/{id}/1")]
        {
            assert_eq!(named(&Path::from(other)), None, "{other}");
        }
    }

    #[tokio::test]
    async fn what_a_crash_left_half_written_is_swept() {
        let dir = tempfile::tempdir().unwrap();
        let config = Config { data_dir: dir.path().to_owned(), ..Config::default() };
        let chunks = Chunks::open(&config).unwrap();
        let (id, other) = (AttachmentId([7; 16]), AttachmentId([8; 16]));
        chunks.put(id, 0, vec![1; 100]).await.unwrap();
        let folder = dir.path().join("attachments");
        for (of, n) in [(id, 1), (other, 0)] {
            fs::create_dir_all(folder.join(of.to_string())).unwrap();
            fs::write(folder.join(format!("{of}/{n}#1")), b"half").unwrap();
        }
        assert_eq!(chunks.sweep(Duration::from_secs(3_600)).await.unwrap(), 0, "somebody may still be writing them");
        assert_eq!(chunks.sweep(Duration::ZERO).await.unwrap(), 2);
        assert!(folder.join(format!("{id}/0")).exists() && !folder.join(other.to_string()).exists());
        assert_eq!(chunks.get(id, 0).await.unwrap().0, 100);
    }
}

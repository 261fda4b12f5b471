//! Files on this machine: one that is read chunk by chunk, and one that grows chunk by chunk beside its final name.

use super::{Survey, Surveyor};
use firstlight_protocol::{
    AttachmentId,
    attachment::safe_name,
    limits::{ATTACHMENT_CHUNK, MAX_ATTACHMENT},
};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    ops::Range,
    path::{Path, PathBuf},
};

/// A file that a person sends.
#[derive(Debug)]
pub(crate) struct Source {
    file: File,
    /// Its name, as it may be shown.
    pub(crate) name: String,
}

impl Source {
    /// Opens a regular file that is not too large.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let about = file.metadata()?;
        if !about.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
        }
        if about.len() > MAX_ATTACHMENT {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "a file may have 100 MiB"));
        }
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        Ok(Self { file, name: safe_name(&name) })
    }

    /// Reads it once from its beginning to its end.
    pub(crate) fn survey(&mut self) -> io::Result<Survey> {
        let mut surveyor = Surveyor::default();
        let mut buffer = vec![0; ATTACHMENT_CHUNK];
        self.file.seek(SeekFrom::Start(0))?;
        loop {
            match self.file.read(&mut buffer)? {
                0 => return Ok(surveyor.finish()),
                read => surveyor.see(&buffer[..read]).map_err(io::Error::other)?,
            }
        }
    }

    /// Reads some bytes; fewer where the file became shorter.
    pub(crate) fn read(&mut self, span: Range<u64>) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(span.start))?;
        (&self.file).take(span.end - span.start).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// A file that is being saved: `NAME.ID.part` until it is whole, for its owner alone.
#[derive(Debug)]
pub(crate) struct Part {
    file: File,
    path: PathBuf,
    dir: PathBuf,
    name: String,
}

impl Part {
    /// Opens it, or the one that an interrupted command left. Another command that saves the same file here is told.
    pub(crate) fn open(dir: &Path, name: &str, attachment: AttachmentId) -> io::Result<Self> {
        let name = safe_name(name);
        let path = dir.join(format!("{name}.{}.part", attachment.short()));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        // Somebody else could have put a link here that leads elsewhere.
        if fs::symlink_metadata(&path).is_ok_and(|about| !about.is_file()) {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{} is in the way", path.display())));
        }
        let file = options.open(&path)?;
        file.try_lock().map_err(|_| io::Error::new(io::ErrorKind::WouldBlock, "another command saves it now"))?;
        Ok(Self { file, path, dir: dir.to_owned(), name })
    }

    /// Offers the whole chunks that are there to `take`, until it has enough, and cuts off the rest.
    pub(crate) fn go_on(&mut self, mut take: impl FnMut(&[u8]) -> bool) -> io::Result<()> {
        let mut kept = 0;
        self.file.seek(SeekFrom::Start(0))?;
        loop {
            let mut chunk = Vec::with_capacity(ATTACHMENT_CHUNK);
            (&self.file).take(ATTACHMENT_CHUNK as u64).read_to_end(&mut chunk)?;
            if !take(&chunk) {
                break;
            }
            kept += chunk.len() as u64;
        }
        self.file.set_len(kept)?;
        self.file.seek(SeekFrom::Start(kept)).map(drop)
    }

    /// The next verified bytes.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// It is whole: gives it its name, with a number where there is such a file already.
    pub(crate) fn finish(self) -> io::Result<PathBuf> {
        self.file.sync_all()?;
        for number in 0..1_000 {
            let path = self.dir.join(numbered(&self.name, number));
            // Taking the name and giving it the content are two steps, since a rename alone would overwrite.
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(_) => {
                    fs::rename(&self.path, &path).inspect_err(|_| drop(fs::remove_file(&path)))?;
                    return Ok(path);
                }
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, "there are a thousand files of this name"))
    }

    /// It is not what was announced: deletes it.
    pub(crate) fn discard(self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }
}

/// `plan (1).pdf`.
fn numbered(name: &str, number: u32) -> String {
    match (number, name.rfind('.').filter(|dot| *dot > 0)) {
        (0, _) => name.to_owned(),
        (n, Some(dot)) => format!("{} ({n}){}", &name[..dot], &name[dot..]),
        (n, None) => format!("{name} ({n})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const ID: AttachmentId = AttachmentId([7; 16]);

    #[test]
    fn nothing_is_overwritten_and_only_the_owner_reads() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("plan.pdf"), "mine").unwrap();
        for expected in ["plan (1).pdf", "plan (2).pdf"] {
            let mut part = Part::open(dir.path(), "../x/plan.pdf", ID).unwrap();
            part.go_on(|_| false).unwrap();
            assert!(Part::open(dir.path(), "plan.pdf", ID).is_err(), "one at a time");
            part.append(b"whole").unwrap();
            let path = part.finish().unwrap();
            assert_eq!(path, dir.path().join(expected));
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::read(dir.path().join("plan.pdf")).unwrap(), b"mine");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3, "and nothing else is left");
        std::os::unix::fs::symlink("/dev/null", dir.path().join(format!("a.{}.part", ID.short()))).unwrap();
        assert!(Part::open(dir.path(), "a", ID).is_err(), "a link is not followed");
    }

    #[test]
    fn an_interrupted_file_goes_on_with_its_whole_chunks() {
        let dir = tempfile::tempdir().unwrap();
        let mut part = Part::open(dir.path(), "a", ID).unwrap();
        part.append(&vec![1; ATTACHMENT_CHUNK * 2 + 5]).unwrap();
        drop(part);
        let mut part = Part::open(dir.path(), "a", ID).unwrap();
        part.go_on(|chunk| chunk.len() == ATTACHMENT_CHUNK).unwrap();
        part.append(b"end").unwrap();
        assert_eq!(fs::metadata(part.finish().unwrap()).unwrap().len(), ATTACHMENT_CHUNK as u64 * 2 + 3);
    }

    #[test]
    fn what_is_no_file_or_too_large_is_not_sent() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Source::open(dir.path()).is_err());
        let large = dir.path().join("large");
        File::create(&large).unwrap().set_len(MAX_ATTACHMENT + 1).unwrap();
        assert!(Source::open(&large).is_err());
        fs::write(&large, "0123456789").unwrap();
        let mut source = Source::open(&large).unwrap();
        assert_eq!((source.survey().unwrap().size, source.read(3..5).unwrap()), (10, b"34".to_vec()));
    }
}

//! Files in rooms, as people want them: send one, save one. Repeating the command goes on where it stopped.

use super::{Session, SessionError, random};
use crate::{
    attachment::{
        AttachmentError, Download, Progress, Upload, UploadRecord,
        file::{Part, Source},
    },
    clock,
    transport::TransportError,
};
use firstlight_protocol::{
    AttachmentId, ErrorCode, MessageId, RoomId,
    attachment::{Attachment, FileKey, safe_name},
};
use futures_util::{
    StreamExt,
    stream::{FuturesOrdered, FuturesUnordered},
};
use std::{
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Chunks that are on their way at once where the line is quick. On a slow one they would only share it, and each would
/// come closer to its deadline.
const AT_ONCE: usize = 4;
/// A line on which a chunk takes less than this is quick.
const QUICK: Duration = Duration::from_millis(500);

/// A file that was sent.
#[derive(Debug)]
pub struct SentFile {
    /// The message that announces it.
    pub message: MessageId,
    /// Its name in the room.
    pub name: String,
    /// How far it was, in bytes, when the command began.
    pub progress: Progress,
}

impl Session {
    /// Sends a file into a room. What is done is told by `progress`.
    ///
    /// Nothing is lost when this is dropped: the same file to the same room goes on.
    pub async fn send_file(
        &self,
        room: RoomId,
        path: &Path,
        mut progress: impl FnMut(Progress),
    ) -> Result<SentFile, SessionError> {
        let unreadable = |e: io::Error| local(format!("{} can't be sent: {e}.", path.display()));
        let mut source = Source::open(path).map_err(unreadable)?;
        let survey = source.survey().map_err(unreadable)?;
        let known = self.state.read(|engine| engine.uploads()).await?;
        let record = match known.into_iter().find(|known| known.is_of(room, &source.name, &survey)) {
            Some(record) => record,
            None => {
                let ids = (AttachmentId(random()?), MessageId(random()?));
                let about = (source.name.as_str(), media_type(&source.name));
                let record = UploadRecord::new(room, ids, FileKey(random()?), survey, about, clock::now());
                self.state.apply(|engine, _| engine.begin_upload(&record)).await?;
                record
            }
        };
        let mut upload = Upload::new(record).map_err(refused)?;
        if let Err(e) = self.upload(&mut upload, &mut source, &mut progress).await {
            if !e.is_passing() {
                // What the server refuses for good, or what is another file by now, is not tried again.
                let id = upload.record().attachment.attachment;
                self.state.apply(|engine, _| engine.drop_upload(id)).await?;
            }
            return Err(e);
        }
        let UploadRecord { message, attachment, .. } = upload.record();
        let outcome = self.state.apply(|engine, now| engine.announce_upload(attachment.attachment, now)).await?;
        self.settle(outcome, *message).await?;
        Ok(SentFile { message: *message, name: attachment.name.clone(), progress: upload.progress() })
    }

    async fn upload(
        &self,
        upload: &mut Upload,
        source: &mut Source,
        progress: &mut impl FnMut(Progress),
    ) -> Result<(), SessionError> {
        let (room, id) = (upload.record().room, upload.record().attachment.attachment);
        let view = self.api.begin_attachment(room, &upload.begin()).await?;
        upload.server_has(&view).map_err(refused)?;
        progress(upload.progress());
        let (mut flying, mut width) = (FuturesUnordered::new(), 1);
        loop {
            while flying.len() < width
                && let Some(n) = upload.next_chunk()
            {
                let chunk = source.read(upload.span(n)).map_err(|e| local(format!("The file can't be read: {e}.")))?;
                let sealed = upload.seal(n, chunk).map_err(refused)?;
                flying.push(async move {
                    let began = Instant::now();
                    self.api.put_chunk(room, id, n, sealed).await.map(|()| (n, began.elapsed()))
                });
            }
            let Some(sent) = flying.next().await else { break };
            let (n, took) = sent?;
            upload.accepted(n);
            width = width_for(took);
            progress(upload.progress());
        }
        self.api.complete_attachment(room, id).await?;
        Ok(())
    }

    /// Saves a file of a room into a folder, and says where. An existing file is never overwritten.
    ///
    /// Nothing is lost when this is dropped: what was verified stands in a `.part` file, with which the next call goes on.
    pub async fn save_file(
        &self,
        room: RoomId,
        attachment: &Attachment,
        dir: &Path,
        mut progress: impl FnMut(Progress),
    ) -> Result<PathBuf, SessionError> {
        let unwritable = |e: io::Error| local(format!("It can't be saved in {}: {e}.", dir.display()));
        let mut download = Download::new(attachment).map_err(refused)?;
        let mut part = Part::open(dir, &attachment.name, attachment.attachment).map_err(unwritable)?;
        part.go_on(|chunk| download.go_on_with(chunk)).map_err(unwritable)?;
        progress(download.progress());
        let fetched = self.fetch(room, attachment.attachment, &mut download, &mut part, &mut progress).await;
        if let Err(e) = fetched {
            if download.progress().done == 0 {
                part.discard().map_err(unwritable)?;
            }
            return Err(e);
        }
        if let Err(e) = download.finish() {
            part.discard().map_err(unwritable)?;
            return Err(refused(e));
        }
        part.finish().map_err(unwritable)
    }

    async fn fetch(
        &self,
        room: RoomId,
        id: AttachmentId,
        download: &mut Download,
        part: &mut Part,
        progress: &mut impl FnMut(Progress),
    ) -> Result<(), SessionError> {
        let (mut flying, mut width, mut missing) = (FuturesOrdered::new(), 1, download.missing());
        loop {
            while flying.len() < width
                && let Some(n) = missing.next()
            {
                flying.push_back(async move {
                    let began = Instant::now();
                    self.api.chunk(room, id, n).await.map(|sealed| (sealed, began.elapsed()))
                });
            }
            let Some(came) = flying.next().await else { return Ok(()) };
            let (sealed, took) = came.map_err(gone)?;
            let chunk = download.open(sealed).map_err(refused)?;
            part.append(&chunk).map_err(|e| local(format!("It can't be saved: {e}.")))?;
            width = width_for(took);
            progress(download.progress());
        }
    }
}

fn width_for(took: Duration) -> usize {
    if took < QUICK { AT_ONCE } else { 1 }
}

/// What the server no longer has, in words that say why.
fn gone(error: TransportError) -> SessionError {
    match error.code() {
        Some(ErrorCode::NotFound) => SessionError::rule(
            ErrorCode::NotFound,
            "The server does not have this file for you: it is kept as long as its message, and for those who were in \
             the room then.",
        ),
        _ => error.into(),
    }
}

fn local(sentence: String) -> SessionError {
    SessionError::rule(ErrorCode::InvalidValue, sentence)
}

fn refused(error: AttachmentError) -> SessionError {
    let code = if error == AttachmentError::TooLarge { ErrorCode::TooLarge } else { ErrorCode::InvalidValue };
    let text = error.to_string();
    let (first, rest) = text.split_at(1);
    SessionError::rule(code, format!("{}{rest}.", first.to_uppercase()))
}

/// What a file is taken for by its name: a hint for whoever receives it, by which nothing is opened.
fn media_type(name: &str) -> &'static str {
    let ending = safe_name(name).rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    match ending.as_str() {
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "heic" => "image/heic",
        "pdf" => "application/pdf",
        "txt" => "text/plain",
        "csv" => "text/csv",
        "mp3" => "audio/mpeg",
        "m4a" => "audio/mp4",
        "mp4" => "video/mp4",
        "mov" => "video/quicktime",
        "zip" => "application/zip",
        "doc" => "application/msword",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "odt" => "application/vnd.oasis.opendocument.text",
        _ => "application/octet-stream",
    }
}

//! Files on their way into rooms. A record stands from before the first chunk is sealed until the message that announces
//! the file is wanted: both change in one step, so that a crash neither loses a file nor announces it twice.

use super::{
    Engine, EngineError, Step,
    state::{Wish, key},
};
use crate::attachment::UploadRecord;
use firstlight_protocol::{AttachmentId, Timestamp, mls::Content};
use std::time::Duration;

/// Most files that are on their way at once.
const MOST: usize = 64;
/// What was not finished after this time is given up when the next one begins: the server has deleted its chunks.
const KEPT: Duration = Duration::from_secs(7 * 86_400);

impl Engine {
    /// Keeps a file that is to be sent; only then may its chunks be sealed.
    pub fn begin_upload(&mut self, record: &UploadRecord) -> Result<Step, EngineError> {
        self.usable_room(record.room)?;
        let old: Vec<UploadRecord> = self.uploads().into_iter().filter(|known| known.at + KEPT < record.at).collect();
        if self.uploads().len() - old.len() >= MOST {
            return Err(EngineError::TooLarge { what: "too many files are being sent" });
        }
        self.step(|engine, _| {
            let store = &engine.provider.store;
            old.iter().for_each(|known| store.remove(&key::upload(known.attachment.attachment)));
            store.put(key::upload(record.attachment.attachment), record);
            Ok(())
        })
    }

    /// Files that are on their way.
    pub fn uploads(&self) -> Vec<UploadRecord> {
        // Every record was read when the engine was opened.
        self.provider.store.records(key::UPLOADS, "a file on its way").unwrap_or_default()
    }

    /// The server has all of a file: wants the message sent that announces it. Without such a file nothing changes.
    pub fn announce_upload(&mut self, attachment: AttachmentId, now: Timestamp) -> Result<Step, EngineError> {
        let Some(upload) = self.uploads().into_iter().find(|known| known.attachment.attachment == attachment) else {
            return Ok(Step::default());
        };
        let room = self.usable_room(upload.room)?;
        self.wish(room, upload.message, now, |engine, _| {
            engine.provider.store.remove(&key::upload(attachment));
            Ok(Some(Wish::Send { content: Content::Attachment(upload.attachment) }))
        })
    }

    /// Gives a file up.
    pub fn drop_upload(&mut self, attachment: AttachmentId) -> Result<Step, EngineError> {
        self.step(|engine, _| {
            engine.provider.store.remove(&key::upload(attachment));
            Ok(())
        })
    }
}

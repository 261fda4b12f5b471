//! Files in rooms: sealed chunk by chunk, sent and fetched so that a break costs one chunk.
//!
//! [`Upload`] and [`Download`] do no I/O, like the engine: they say which chunk is next, seal or open it, and are told what
//! became of it. What an upload needs to go on after a crash is its [`UploadRecord`], which the engine keeps; the server
//! says which chunks it has. A download goes on from the verified part of the file that is there.

mod download;
#[cfg(feature = "native")]
pub(crate) mod file;
mod seal;
mod survey;
mod upload;

pub use download::Download;
pub use seal::Seal;
pub use survey::{Survey, Surveyor};
pub use upload::{Upload, UploadRecord};

/// How far it has come, in bytes of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is done.
    pub done: u64,
    /// The whole.
    pub total: u64,
    /// How much was done before this time.
    pub before: u64,
}

/// Why a file is not sent or saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AttachmentError {
    /// It is too large.
    #[error("a file may have 100 MiB")]
    TooLarge,
    /// It was changed while it was being sent.
    #[error("the file was changed while it was being sent: send it again")]
    Changed,
    /// What came is not what was sealed, or what was announced.
    #[error("what came is not the file that was announced")]
    Tampered,
    /// The server speaks of another attachment than the one that was begun.
    #[error("the server's answer is about another attachment")]
    OtherShape,
}

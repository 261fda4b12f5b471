//! Attachments: what travels in the message, how a file is cut and padded, and how its name is shown.
//! The prose, with the sealing, is in `protocol/docs/attachments.md`.

use crate::{
    id::AttachmentId,
    limits::{ATTACHMENT_CHUNK, ATTACHMENT_TAG, MAX_ATTACHMENT},
    wire::Bytes,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A file in a room: everything that the server must not know, in the message that announces it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Under which the server keeps the sealed chunks.
    pub attachment: AttachmentId,
    /// What they are sealed with; of this file alone.
    pub key: FileKey,
    /// The file's size in bytes, without padding.
    pub size: u64,
    /// SHA-256 of the whole file.
    pub sha256: Bytes,
    /// Its name as the sender has it: shown and used only through [`safe_name`].
    pub name: String,
    /// What the sender takes it for, such as `image/jpeg`. A hint: nothing is opened or run by it.
    pub media_type: String,
}

/// The key of one file. Never shown: in JSON, which is for people and their scripts, it is left out.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct FileKey(pub [u8; 32]);

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileKey")
    }
}

impl Serialize for FileKey {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() { s.serialize_str("") } else { s.serialize_bytes(&self.0) }
    }
}

impl<'de> Deserialize<'de> for FileKey {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let bytes = Bytes::deserialize(d)?;
        <[u8; 32]>::try_from(bytes.as_ref()).map(Self).map_err(|_| de::Error::custom("a file's key has 32 bytes"))
    }
}

/// Smallest size that is told apart, in bytes: every smaller file looks like one of this size.
const LEAST: u64 = 4 << 10;

/// How a file is cut: into chunks of [`ATTACHMENT_CHUNK`] bytes, the last one shorter, after it was padded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    padded: u64,
}

impl Shape {
    /// Of a file of so many bytes. It is padded with zeros to a size of Padmé (Nikitin and others, PETS 2019: at most 12 %
    /// more, 2 % at 100 MiB), so that its size tells only which of few steps it is on. `None`: it is too large.
    pub fn of_file(size: u64) -> Option<Self> {
        if size > MAX_ATTACHMENT {
            return None;
        }
        let size = size.max(LEAST);
        let exponent = size.ilog2();
        let coarse = (1u64 << (exponent - (exponent.ilog2() + 1))) - 1;
        Some(Self { padded: (size + coarse) & !coarse }).filter(|shape| shape.padded <= MAX_ATTACHMENT)
    }

    /// Of so many sealed bytes: what a server sees. `None`: no file has as many.
    pub fn of_sealed(sealed: u64) -> Option<Self> {
        let chunks = sealed.div_ceil((ATTACHMENT_CHUNK + ATTACHMENT_TAG) as u64);
        let padded = sealed.checked_sub(chunks.checked_mul(ATTACHMENT_TAG as u64)?)?;
        let shape = Self { padded };
        (padded > 0 && padded <= MAX_ATTACHMENT && u64::from(shape.chunks()) == chunks).then_some(shape)
    }

    /// How many chunks there are: at least one.
    pub fn chunks(self) -> u32 {
        // At most 400 by the bound on what a file may have.
        u32::try_from(self.padded.div_ceil(ATTACHMENT_CHUNK as u64)).unwrap_or(u32::MAX)
    }

    /// Whether a chunk is the last one.
    pub fn is_last(self, n: u32) -> bool {
        n + 1 == self.chunks()
    }

    /// How many bytes a chunk has before it is sealed, padding included. `None`: there is no such chunk.
    pub fn padded_chunk(self, n: u32) -> Option<usize> {
        let begins = u64::from(n) * ATTACHMENT_CHUNK as u64;
        let rest = self.padded.checked_sub(begins).filter(|rest| *rest > 0)?;
        Some(usize::try_from(rest).map_or(ATTACHMENT_CHUNK, |rest| rest.min(ATTACHMENT_CHUNK)))
    }

    /// How many bytes a chunk has when it is sealed. `None`: there is no such chunk.
    pub fn sealed_chunk(self, n: u32) -> Option<usize> {
        self.padded_chunk(n).map(|bytes| bytes + ATTACHMENT_TAG)
    }

    /// How many bytes all sealed chunks have together.
    pub fn sealed(self) -> u64 {
        self.padded + u64::from(self.chunks()) * ATTACHMENT_TAG as u64
    }
}

/// Longest name, in bytes: with what a client puts behind it, any file system takes it.
const MAX_NAME: usize = 120;

/// A file's name as it may be shown, and stored in a folder that a person chose: the last part of what looks like a path,
/// without control characters, changes of direction and what has a meaning to a shell or a file system, never empty, never
/// hidden, never an option.
pub fn safe_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept = last.chars().filter(|c| !is_invisible(*c));
    let plain: String = kept.map(|c| if "<>:\"|?*".contains(c) { '_' } else { c }).collect();
    let plain = plain.trim_matches(|c: char| c.is_whitespace()).trim_start_matches(['.', '-', '~']);
    let plain = plain.trim_end_matches(|c: char| c == '.' || c.is_whitespace());
    // What tells what the file is stands at the end, so the middle goes.
    let (stem, ending) = match plain.rfind('.') {
        Some(dot) if plain.len() - dot <= 16 => plain.split_at(dot),
        _ => (plain, ""),
    };
    let most = MAX_NAME - ending.len();
    let cut = stem.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= most).last().unwrap_or(0);
    match &stem[..cut] {
        "" => format!("attachment{ending}"),
        stem => format!("{stem}{ending}"),
    }
}

/// Characters that show nothing, or turn around what stands beside them.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_padded_coarsely_and_both_sides_see_the_same_shape() {
        const CHUNK: u64 = ATTACHMENT_CHUNK as u64;
        for size in
            [0, 1, 4_095, 4_096, 4_097, CHUNK - 1, CHUNK, CHUNK + 1, 9_999_999, MAX_ATTACHMENT - 1, MAX_ATTACHMENT]
        {
            let shape = Shape::of_file(size).unwrap();
            assert!(shape.padded >= size.max(LEAST) && shape.padded <= (size.max(LEAST) * 112).div_ceil(100), "{size}");
            assert_eq!(Shape::of_sealed(shape.sealed()), Some(shape), "{size}");
            let all: u64 = (0..shape.chunks()).map(|n| shape.sealed_chunk(n).unwrap() as u64).sum();
            assert_eq!(all, shape.sealed());
            assert!(shape.is_last(shape.chunks() - 1) && shape.sealed_chunk(shape.chunks()).is_none());
        }
        assert_eq!(Shape::of_file(MAX_ATTACHMENT + 1), None);
        let steps: std::collections::BTreeSet<u64> =
            (0..=MAX_ATTACHMENT).step_by(9_973).map(|size| Shape::of_file(size).unwrap().padded).collect();
        assert!(steps.len() < 400, "few sizes are told apart: {}", steps.len());
        for none in [0, 1, 16, CHUNK + 17, CHUNK + 32, u64::MAX, MAX_ATTACHMENT + 400 * 16 + 1] {
            assert_eq!(Shape::of_sealed(none), None, "{none}");
        }
    }

    #[test]
    fn a_name_leads_nowhere_and_hides_nothing() {
        for (name, safe) in [
            ("plan.pdf", "plan.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\a\\niña 1.jpg", "niña 1.jpg"),
            (".bashrc", "bashrc"),
            ("-rf", "rf"),
            ("..", "attachment"),
            ("", "attachment"),
            ("   .  ", "attachment"),
            ("a\u{202e}fdp.exe", "afdp.exe"),
            ("a\nb\u{1b}[2J\0.txt", "ab[2J.txt"),
            ("a<b>:c?.txt", "a_b__c_.txt"),
            ("ends. . ", "ends"),
        ] {
            assert_eq!(safe_name(name), safe, "{name:?}");
        }
        let long = safe_name(&format!("{}.jpeg", "é".repeat(300)));
        assert!(long.len() <= MAX_NAME && long.ends_with(".jpeg"), "{long}");
        assert_eq!(safe_name(&long), long, "what is safe stays as it is");
    }
}

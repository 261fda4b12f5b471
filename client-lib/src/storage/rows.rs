//! Entries and lines as rows: what a name stands for is inside, sealed with its value.

use super::{Line, StorageError, seal::Sealer};
use firstlight_protocol::{
    RoomId,
    wire::{from_cbor, to_cbor},
};
use serde_bytes::ByteBuf;

const ENTRIES: &str = "entries";
const LINES: &str = "lines";

/// A digest under which something stands.
pub(super) type Name = [u8; 32];

impl Sealer {
    /// The name of an entry.
    pub(super) fn entry_name(&self, key: &[u8]) -> Name {
        self.name(ENTRIES, key)
    }

    /// An entry's row: the key stands only inside.
    pub(super) fn seal_entry(&self, name: &Name, key: &[u8], value: &[u8]) -> Result<Vec<u8>, StorageError> {
        self.seal(ENTRIES, name, &to_cbor(&(serde_bytes::Bytes::new(key), serde_bytes::Bytes::new(value))))
    }

    /// Key and value of an entry's row.
    pub(super) fn open_entry(&self, name: &[u8], sealed: &[u8]) -> Result<(Vec<u8>, Vec<u8>), StorageError> {
        let plaintext = self.open(ENTRIES, name, sealed)?;
        let (key, value): (ByteBuf, ByteBuf) = from_cbor(&plaintext).map_err(|_| StorageError::Damaged)?;
        Ok((key.into_vec(), value.into_vec()))
    }

    /// The name of a room among lines.
    pub(super) fn room_name(&self, room: RoomId) -> Name {
        self.name(LINES, room.as_bytes())
    }

    /// A line's row.
    pub(super) fn seal_line(&self, room: &Name, line: &Line) -> Result<Vec<u8>, StorageError> {
        self.seal(LINES, &place_of(room, line.seq), &to_cbor(line))
    }

    /// The line of a row that stands in its place.
    pub(super) fn open_line(&self, room: &Name, seq: u64, sealed: &[u8]) -> Result<Line, StorageError> {
        let plaintext = self.open(LINES, &place_of(room, seq), sealed)?;
        from_cbor(&plaintext).map_err(|_| StorageError::Damaged)
    }
}

/// What a line is bound to: its room and its place.
fn place_of(room: &Name, seq: u64) -> Vec<u8> {
    [room.as_slice(), &seq.to_be_bytes()].concat()
}

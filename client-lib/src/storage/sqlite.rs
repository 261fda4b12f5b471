//! Sealed SQLite storage: one file, write-ahead log, every commit on the disk before it counts.

use super::{
    Batch, Line, Snapshot, Storage, StorageError,
    seal::{FORMAT, Sealer, Unlock},
};
use firstlight_protocol::RoomId;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use std::{fs::OpenOptions, path::Path, time::Duration};

/// A sealed store in one SQLite file.
///
/// What stands in the clear: the envelope, how many entries and lines there are and how long, and the places of lines
/// within a room. Which room, who, what and when does not.
pub struct SqliteStorage {
    connection: Connection,
    sealer: Sealer,
}

impl std::fmt::Debug for SqliteStorage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqliteStorage")
    }
}

impl SqliteStorage {
    /// Makes a new store; [`StorageError::Exists`] if there is one.
    pub fn create(path: &Path, unlock: &Unlock) -> Result<Self, StorageError> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path).map_err(|e| match e.kind() {
            std::io::ErrorKind::AlreadyExists => StorageError::Exists(path.display().to_string()),
            _ => e.into(),
        })?;
        let sealer = Sealer::generate()?;
        let envelope = sealer.wrap(unlock)?;
        let mut connection = connect(path)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(
            "CREATE TABLE store (id INTEGER PRIMARY KEY CHECK (id = 1), format INTEGER NOT NULL,
                 generation INTEGER NOT NULL, envelope BLOB NOT NULL);
             CREATE TABLE entries (name BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
             CREATE TABLE lines (room BLOB NOT NULL, seq INTEGER NOT NULL, value BLOB NOT NULL,
                 PRIMARY KEY (room, seq)) WITHOUT ROWID;",
        )?;
        transaction.execute("INSERT INTO store VALUES (1, ?1, 0, ?2)", params![FORMAT, envelope.encode()])?;
        transaction.commit()?;
        Ok(Self { connection, sealer })
    }

    /// Opens a store; [`StorageError::WrongKey`] changes nothing.
    pub fn open(path: &Path, unlock: &Unlock) -> Result<Self, StorageError> {
        if !path.is_file() {
            return Err(StorageError::Missing(path.display().to_string()));
        }
        let connection = connect(path)?;
        let (format, envelope) = connection.query_row("SELECT format, envelope FROM store", [], |r| {
            Ok((r.get::<_, u32>(0)?, r.get::<_, Vec<u8>>(1)?))
        })?;
        if format > FORMAT {
            return Err(StorageError::Newer(format));
        }
        let sealer = Sealer::unwrap(&envelope, unlock)?;
        Ok(Self { connection, sealer })
    }

    /// Protects the same data key with another passphrase or key.
    pub fn change_unlock(&mut self, new: &Unlock) -> Result<(), StorageError> {
        let envelope = self.sealer.wrap(new)?;
        self.connection.execute("UPDATE store SET envelope = ?1", params![envelope.encode()])?;
        // The old envelope must not linger in the write-ahead log.
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    fn read_lines(&self, room: RoomId, sql: &str, from: i64, limit: usize) -> Result<Vec<Line>, StorageError> {
        let room = self.sealer.room_name(room);
        let mut statement = self.connection.prepare_cached(sql)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let read = |r: &Row<'_>| Ok((r.get::<_, i64>(0)?, r.get::<_, Vec<u8>>(1)?));
        let rows = statement.query_map(params![room, from, limit], read)?.collect::<Result<Vec<_>, _>>()?;
        let opened = |(seq, value): &(i64, Vec<u8>)| {
            self.sealer.open_line(&room, u64::try_from(*seq).map_err(|_| StorageError::Damaged)?, value)
        };
        rows.iter().map(opened).collect()
    }
}

fn connect(path: &Path) -> Result<Connection, StorageError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    // secure_delete: MLS forgets keys on purpose, so that a key that leaks later opens nothing old.
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;")?;
    Ok(connection)
}

fn place(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

fn write(transaction: &Transaction<'_>, sealer: &Sealer, batch: &Batch) -> Result<(), StorageError> {
    let mut put = transaction.prepare_cached("INSERT OR REPLACE INTO entries VALUES (?1, ?2)")?;
    let mut delete = transaction.prepare_cached("DELETE FROM entries WHERE name = ?1")?;
    for (key, value) in &batch.values {
        let name = sealer.entry_name(key);
        match value {
            Some(value) => {
                put.execute(params![name, sealer.seal_entry(&name, key, value)?])?;
            }
            None => {
                delete.execute(params![name])?;
            }
        }
    }
    let mut add = transaction.prepare_cached("INSERT OR REPLACE INTO lines VALUES (?1, ?2, ?3)")?;
    for line in &batch.lines {
        let room = sealer.room_name(line.room);
        add.execute(params![room, place(line.seq), sealer.seal_line(&room, line)?])?;
    }
    Ok(())
}

fn generation(connection: &Connection) -> Result<u64, StorageError> {
    let found: Option<i64> =
        connection.prepare_cached("SELECT generation FROM store")?.query_row([], |r| r.get(0)).optional()?;
    found.and_then(|g| u64::try_from(g).ok()).ok_or(StorageError::Damaged)
}

impl Storage for SqliteStorage {
    fn load(&mut self) -> Result<Snapshot, StorageError> {
        // One transaction, so that generation and entries are of the same moment.
        let transaction = self.connection.transaction()?;
        let generation = generation(&transaction)?;
        let mut snapshot = Snapshot { generation, ..Snapshot::default() };
        let mut statement = transaction.prepare("SELECT name, value FROM entries")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (name, value): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?);
            let (key, value) = self.sealer.open_entry(&name, &value)?;
            snapshot.values.insert(key, value);
        }
        Ok(snapshot)
    }

    fn generation(&mut self) -> Result<u64, StorageError> {
        generation(&self.connection)
    }

    fn commit(&mut self, expected: u64, batch: &Batch) -> Result<u64, StorageError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if generation(&transaction)? != expected {
            return Err(StorageError::Stale);
        }
        write(&transaction, &self.sealer, batch)?;
        transaction.execute("UPDATE store SET generation = generation + 1", [])?;
        transaction.commit()?;
        Ok(expected + 1)
    }

    fn lines(&mut self, room: RoomId, after: u64, limit: usize) -> Result<Vec<Line>, StorageError> {
        let sql = "SELECT seq, value FROM lines WHERE room = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
        self.read_lines(room, sql, place(after), limit)
    }

    fn lines_before(&mut self, room: RoomId, before: u64, limit: usize) -> Result<Vec<Line>, StorageError> {
        let sql = "SELECT seq, value FROM lines WHERE room = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3";
        let mut lines = self.read_lines(room, sql, place(before), limit)?;
        lines.reverse();
        Ok(lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{LineBody, Unreadable};
    use firstlight_protocol::{MessageId, Timestamp, mls::Content};
    use zeroize::Zeroizing;

    const MARK: &str = "MARKED-CONTENT-7f3a";
    const ROOM: RoomId = RoomId([9; 16]);

    fn key(byte: u8) -> Unlock {
        Unlock::Key(Zeroizing::new([byte; 32]))
    }

    fn line(seq: u64, body: LineBody) -> Line {
        Line { room: ROOM, seq, at: Timestamp(5), id: MessageId([1; 16]), sender: None, own: false, body }
    }

    fn batch() -> Batch {
        let text = |n: u64| LineBody::Message(Content::Text { text: format!("{MARK} {n}"), reply_to: None });
        Batch {
            values: [(MARK.as_bytes().to_vec(), Some(MARK.as_bytes().repeat(50))), (b"gone".to_vec(), None)].into(),
            lines: (1..=40).map(|n| line(n, text(n))).collect(),
        }
    }

    #[test]
    fn what_is_committed_is_read_again_and_nothing_of_it_stands_in_the_clear() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.db");
        let mut store = SqliteStorage::create(&path, &key(1)).unwrap();
        assert_eq!(store.commit(0, &batch()).unwrap(), 1);
        assert!(matches!(store.commit(0, &batch()), Err(StorageError::Stale)), "another generation");
        let scan = |when: &str| {
            for file in std::fs::read_dir(dir.path()).unwrap() {
                let file = file.unwrap().path();
                let bytes = std::fs::read(&file).unwrap();
                let found = bytes.windows(MARK.len()).any(|w| w == MARK.as_bytes());
                let room = bytes.windows(16).any(|w| w == ROOM.as_bytes());
                assert!(!found && !room, "{} shows content {when}", file.display());
            }
        };
        assert!(dir.path().join("state.db-wal").is_file(), "the write-ahead log is part of what is scanned");
        scan("while open");
        let lines = store.lines(ROOM, 38, 10).unwrap();
        assert_eq!(lines, batch().lines[38..]);
        assert_eq!(store.lines_before(ROOM, u64::MAX, 3).unwrap(), batch().lines[37..]);
        assert_eq!(store.lines_before(ROOM, 3, 3).unwrap(), batch().lines[..2]);
        drop(store);
        scan("when closed");
        let mut store = SqliteStorage::open(&path, &key(1)).unwrap();
        let snapshot = store.load().unwrap();
        assert_eq!(snapshot.generation, 1);
        assert_eq!(snapshot.values[MARK.as_bytes()], MARK.as_bytes().repeat(50));
        let gone = Batch { values: [(MARK.as_bytes().to_vec(), None)].into(), lines: Vec::new() };
        store.commit(1, &gone).unwrap();
        assert!(store.load().unwrap().values.is_empty());
    }

    #[test]
    fn a_wrong_key_changes_nothing_and_the_key_can_be_changed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.db");
        let first = Unlock::passphrase("four quiet rooms");
        let mut store = SqliteStorage::create(&path, &first).unwrap();
        store.commit(0, &batch()).unwrap();
        drop(store);
        let before = std::fs::read(&path).unwrap();
        assert!(matches!(SqliteStorage::open(&path, &Unlock::passphrase("guess")), Err(StorageError::WrongKey)));
        assert!(matches!(SqliteStorage::open(&path, &key(1)), Err(StorageError::WrongKey)));
        assert!(matches!(SqliteStorage::create(&path, &first), Err(StorageError::Exists(_))));
        assert_eq!(std::fs::read(&path).unwrap(), before);
        let mut store = SqliteStorage::open(&path, &first).unwrap();
        store.change_unlock(&key(2)).unwrap();
        drop(store);
        assert!(matches!(SqliteStorage::open(&path, &first), Err(StorageError::WrongKey)));
        let mut store = SqliteStorage::open(&path, &key(2)).unwrap();
        assert_eq!(store.load().unwrap().values.len(), 1);
    }

    #[test]
    fn a_line_in_another_place_is_damage() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = SqliteStorage::create(&dir.path().join("state.db"), &key(1)).unwrap();
        let lines = vec![
            line(1, LineBody::Unreadable(Unreadable::BadBytes)),
            line(2, LineBody::Unreadable(Unreadable::OwnUnknown)),
        ];
        store.commit(0, &Batch { lines, ..Batch::default() }).unwrap();
        store.connection.execute("UPDATE lines SET seq = 3 WHERE seq = 1", []).unwrap();
        assert!(matches!(store.lines(ROOM, 2, 5), Err(StorageError::Damaged)));
        assert_eq!(store.lines(ROOM, 1, 1).unwrap().len(), 1);
    }

    #[test]
    fn a_missing_store_is_not_made() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.db");
        assert!(matches!(SqliteStorage::open(&path, &key(1)), Err(StorageError::Missing(_))));
        assert!(!path.exists());
    }
}

-- The MLS delivery service. Bodies are MLS messages: the server can't read the private ones.

CREATE TABLE key_packages (
    n           INTEGER PRIMARY KEY,
    device      BLOB NOT NULL,
    suite       INTEGER NOT NULL,
    last_resort INTEGER NOT NULL,
    body        BLOB NOT NULL
) STRICT;
CREATE INDEX key_packages_by_device ON key_packages (device, suite, last_resort, n);

CREATE TABLE rooms (
    n              INTEGER PRIMARY KEY,
    room           BLOB NOT NULL UNIQUE,
    kind           TEXT NOT NULL,
    org            BLOB NOT NULL,
    callout        BLOB UNIQUE,
    suite          INTEGER NOT NULL,
    created_by     BLOB NOT NULL,
    created_at     INTEGER NOT NULL,
    request_digest BLOB NOT NULL,
    epoch          INTEGER NOT NULL,
    epoch_seq      INTEGER NOT NULL,
    group_info     BLOB NOT NULL,
    -- Public group state at snapshot_epoch; later epochs are this plus the commits of the log after snapshot_seq.
    snapshot       BLOB NOT NULL,
    snapshot_epoch INTEGER NOT NULL,
    snapshot_seq   INTEGER NOT NULL,
    first_seq      INTEGER NOT NULL DEFAULT 1
) STRICT;

-- One row for each time a device was a member: it may read entries after joined_seq, up to left_seq.
CREATE TABLE room_members (
    n          INTEGER PRIMARY KEY,
    room       BLOB NOT NULL,
    device     BLOB NOT NULL,
    person     BLOB NOT NULL,
    leaf       INTEGER NOT NULL,
    joined_seq INTEGER NOT NULL,
    left_seq   INTEGER,
    suspended  INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX room_members_now ON room_members (room, device) WHERE left_seq IS NULL;
CREATE INDEX room_members_by_device ON room_members (device, left_seq);

CREATE TABLE entries (
    room   INTEGER NOT NULL REFERENCES rooms (n),
    seq    INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    sender BLOB NOT NULL,
    id     BLOB NOT NULL,
    kind   INTEGER NOT NULL,
    body   BLOB NOT NULL,
    PRIMARY KEY (room, seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX entries_by_id ON entries (id);

CREATE TABLE welcomes (
    room    BLOB NOT NULL,
    epoch   INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    welcome BLOB NOT NULL,
    tree    BLOB NOT NULL,
    PRIMARY KEY (room, epoch)
) STRICT, WITHOUT ROWID;

CREATE TABLE inboxes (
    device BLOB PRIMARY KEY,
    head   INTEGER NOT NULL,
    acked  INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE inbox_items (
    device BLOB NOT NULL,
    seq    INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    notice BLOB NOT NULL,
    PRIMARY KEY (device, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX inbox_items_by_age ON inbox_items (at);

-- How far a device has stored a room's log; a hint for resuming, the device's own cursor is the truth.
CREATE TABLE cursors (
    device BLOB NOT NULL,
    room   BLOB NOT NULL,
    seq    INTEGER NOT NULL,
    PRIMARY KEY (device, room)
) STRICT, WITHOUT ROWID;

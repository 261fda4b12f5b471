-- Files in rooms, sealed by the clients; their chunks lie in a folder or a bucket. What no row names is deleted there.

CREATE TABLE attachments (
    attachment   BLOB PRIMARY KEY,
    room         BLOB NOT NULL,
    device       BLOB NOT NULL,
    -- The message of the same device that announces it: it is read and kept as that is.
    message      BLOB NOT NULL UNIQUE,
    -- Bytes of all chunks together; how many chunks follows from it.
    size         INTEGER NOT NULL,
    begun_at     INTEGER NOT NULL,
    -- When a chunk came last.
    touched_at   INTEGER NOT NULL,
    completed_at INTEGER,
    -- It is being deleted: its chunks first, then this row.
    going        INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX attachments_by_room ON attachments (room);
CREATE INDEX attachments_by_device ON attachments (device, begun_at);
CREATE INDEX attachments_by_age ON attachments (touched_at);

-- Chunks that are there. A chunk is durable before its row is.
CREATE TABLE attachment_chunks (
    attachment BLOB NOT NULL,
    n          INTEGER NOT NULL,
    PRIMARY KEY (attachment, n)
) STRICT, WITHOUT ROWID;

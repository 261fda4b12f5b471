-- Files in rooms, as in SQLite's migration of the same number.
CREATE TABLE attachments (
    attachment   BYTEA PRIMARY KEY,
    room         BYTEA NOT NULL,
    device       BYTEA NOT NULL,
    message      BYTEA NOT NULL UNIQUE,
    size         BIGINT NOT NULL,
    begun_at     BIGINT NOT NULL,
    touched_at   BIGINT NOT NULL,
    completed_at BIGINT,
    going        BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX attachments_by_room ON attachments (room);
CREATE INDEX attachments_by_device ON attachments (device, begun_at);
CREATE INDEX attachments_by_age ON attachments (touched_at);
CREATE TABLE attachment_chunks (
    attachment BYTEA NOT NULL,
    n          BIGINT NOT NULL,
    PRIMARY KEY (attachment, n)
);

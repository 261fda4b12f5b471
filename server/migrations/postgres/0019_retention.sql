-- As SQLite's migration of the same number, which says what each means.
CREATE TABLE holds (
    kind      TEXT COLLATE "C" NOT NULL,
    subject   BYTEA NOT NULL,
    reason    TEXT COLLATE "C" NOT NULL,
    placed_at BIGINT NOT NULL,
    PRIMARY KEY (kind, subject, reason)
);
CREATE VIEW held_callouts AS
    SELECT subject AS callout FROM holds WHERE kind = 'callout'
    UNION SELECT r.callout FROM rooms r JOIN holds h ON h.kind = 'room' AND h.subject = r.room WHERE r.callout IS NOT NULL;
CREATE VIEW held_rooms AS
    SELECT subject AS room FROM holds WHERE kind = 'room'
    UNION SELECT r.room FROM rooms r JOIN holds h ON h.kind = 'callout' AND h.subject = r.callout;
CREATE TABLE newest_backup (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    at  BIGINT NOT NULL
);
ALTER TABLE callout_facts DROP CONSTRAINT callout_facts_callout_fkey;

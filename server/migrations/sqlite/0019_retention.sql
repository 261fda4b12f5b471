-- Retention: legal holds, figures that outlive their callouts, and when the newest backup was made.

-- `kind`: 'callout' or 'room'; `reason`: a code word. Who placed and released one stands in the audit trail.
CREATE TABLE holds (
    kind      TEXT NOT NULL,
    subject   BLOB NOT NULL,
    reason    TEXT NOT NULL,
    placed_at INTEGER NOT NULL,
    PRIMARY KEY (kind, subject, reason)
) STRICT, WITHOUT ROWID;

-- Whoever purges anything asks these. A callout and its room are held together.
CREATE VIEW held_callouts AS
    SELECT subject AS callout FROM holds WHERE kind = 'callout'
    UNION SELECT r.callout FROM rooms r JOIN holds h ON h.kind = 'room' AND h.subject = r.room WHERE r.callout IS NOT NULL;
CREATE VIEW held_rooms AS
    SELECT subject AS room FROM holds WHERE kind = 'room'
    UNION SELECT r.room FROM rooms r JOIN holds h ON h.kind = 'callout' AND h.subject = r.callout;

-- Written by whoever made the backup, beside the server: the command, or the script of deploy/backup.
CREATE TABLE newest_backup (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    at  INTEGER NOT NULL
) STRICT;

-- The same without a reference to callouts: figures stay when the callout has gone.
CREATE TABLE callout_facts_0019 (
    callout              BLOB PRIMARY KEY,
    purpose              TEXT NOT NULL,
    agency               BLOB NOT NULL,
    zone                 TEXT NOT NULL,
    state                TEXT NOT NULL,
    first_contact_at     INTEGER NOT NULL,
    opened_at            INTEGER NOT NULL,
    first_page_at        INTEGER,
    acknowledged_at      INTEGER,
    accepted_at          INTEGER,
    en_route_at          INTEGER,
    arrived_at           INTEGER,
    with_young_person_at INTEGER,
    handed_over_at       INTEGER,
    ended_at             INTEGER,
    reviewed_at          INTEGER,
    review_due_at        INTEGER,
    target_ms            INTEGER NOT NULL,
    unanswered           INTEGER NOT NULL,
    language_match       INTEGER,
    reasons              TEXT NOT NULL,
    support              TEXT,
    kits_given           INTEGER
) STRICT, WITHOUT ROWID;
INSERT INTO callout_facts_0019 SELECT * FROM callout_facts;
DROP TABLE callout_facts;
ALTER TABLE callout_facts_0019 RENAME TO callout_facts;
CREATE INDEX callout_facts_opened ON callout_facts (purpose, opened_at);

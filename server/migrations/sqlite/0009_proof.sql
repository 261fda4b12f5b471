-- Proof before it is needed: readiness of the people on duty, and drills. Ids, codes and times.

-- When something sent to a contact method (empty: the app) was last shown to have reached its person.
CREATE TABLE readiness_proofs (
    person    BLOB NOT NULL REFERENCES people (person),
    contact   BLOB NOT NULL,
    proven_at INTEGER NOT NULL,
    PRIMARY KEY (person, contact)
) STRICT, WITHOUT ROWID;

-- A check: one test and its reminders. Only a person's newest one counts.
CREATE TABLE readiness_checks (
    check_id     BLOB PRIMARY KEY,
    person       BLOB NOT NULL REFERENCES people (person),
    begun_at     INTEGER NOT NULL,
    last_sent_at INTEGER NOT NULL,
    sent         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX readiness_checks_newest ON readiness_checks (person, begun_at);

-- The newest test by each way. `code` comes back from where it was sent; `failed`: the channel could not take it.
CREATE TABLE readiness_tests (
    person    BLOB NOT NULL REFERENCES people (person),
    contact   BLOB NOT NULL,
    check_id  BLOB NOT NULL,
    page      BLOB NOT NULL UNIQUE,
    code      INTEGER NOT NULL,
    tested_at INTEGER NOT NULL,
    failed    TEXT,
    PRIMARY KEY (person, contact)
) STRICT, WITHOUT ROWID;

-- Who was red when the supervisors were told last.
CREATE TABLE readiness_red (
    person BLOB PRIMARY KEY REFERENCES people (person),
    since  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Drills, under their callouts' ids. `routing` is in CBOR, and absent where it was opened by hand.
CREATE TABLE drills (
    callout   BLOB PRIMARY KEY,
    person    BLOB NOT NULL,
    at        INTEGER NOT NULL,
    ends_at   INTEGER NOT NULL,
    state     TEXT NOT NULL,
    problem   TEXT,
    routing   BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX drills_due ON drills (state, at);

-- Real, drill, or the server's own canary, which no list shows.
ALTER TABLE callouts ADD COLUMN purpose TEXT NOT NULL DEFAULT 'real';

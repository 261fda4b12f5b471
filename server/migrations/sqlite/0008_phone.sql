-- Officers without an app, and answers by telephone. Numbers stand here as digests alone; nothing here is content.

-- Codes are short enough to be tried out, so what is stored of one is a slow digest (Argon2id) over this salt. One salt for
-- all, because a line is found by its code.
CREATE TABLE line_salt (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    salt BLOB NOT NULL
) STRICT;
INSERT INTO line_salt (one, salt) VALUES (1, randomblob(16));

CREATE TABLE lines (
    line       BLOB PRIMARY KEY,
    agency     BLOB NOT NULL,
    zone       TEXT NOT NULL,
    site       TEXT,
    languages  TEXT NOT NULL,
    active     INTEGER NOT NULL,
    quota      INTEGER NOT NULL,
    code       BLOB NOT NULL UNIQUE,
    added_at   INTEGER NOT NULL,
    removed_at INTEGER,
    -- When supervisors heard last that its quota was used up.
    warned_at  INTEGER
) STRICT, WITHOUT ROWID;

-- What each line opened. `request`: a digest of the provider's id of the call or message, or of the key and its
-- Idempotency-Key; `content`: a digest of what was asked for; `caller`: a digest of the number, where one called.
CREATE TABLE line_callouts (
    request BLOB PRIMARY KEY,
    content BLOB NOT NULL,
    line    BLOB NOT NULL REFERENCES lines,
    callout BLOB NOT NULL,
    caller  BLOB,
    at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX line_callouts_of_line ON line_callouts (line, at);
CREATE INDEX line_callouts_of_caller ON line_callouts (caller, at) WHERE caller IS NOT NULL;
CREATE INDEX line_callouts_of_callout ON line_callouts (callout, line);

-- Keys of agencies' dispatch systems; a key has 256 bits, so its plain SHA-256 tells nothing of it.
CREATE TABLE intake_keys (
    key          BLOB PRIMARY KEY,
    line         BLOB NOT NULL REFERENCES lines,
    digest       BLOB NOT NULL UNIQUE,
    scopes       TEXT NOT NULL,
    made_at      INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    revoked_at   INTEGER,
    last_used_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX intake_keys_of_line ON intake_keys (line);

-- Calls that are going on: how far the dialogue is (CBOR). `call`: a digest of the account and the provider's id; `step`
-- rises with every answer, so that a repeated request changes nothing. Gone after a day.
CREATE TABLE phone_calls (
    call  BLOB PRIMARY KEY,
    at    INTEGER NOT NULL,
    step  INTEGER NOT NULL,
    state BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX phone_calls_by_age ON phone_calls (at);

-- What was done with an SMS, so that the same one again is answered alike. `message`: a digest like `call`. Gone after a day.
CREATE TABLE phone_messages (
    message BLOB PRIMARY KEY,
    at      INTEGER NOT NULL,
    answer  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX phone_messages_by_age ON phone_messages (at);

-- PINs for answers by telephone call: a salted, slow digest (Argon2id). `wrong`: wrong ones in a row, the last at `wrong_at`.
CREATE TABLE pins (
    person   BLOB PRIMARY KEY REFERENCES people (person),
    salt     BLOB NOT NULL,
    digest   BLOB NOT NULL,
    set_at   INTEGER NOT NULL,
    wrong    INTEGER NOT NULL DEFAULT 0,
    wrong_at INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

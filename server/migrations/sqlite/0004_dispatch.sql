-- Dispatch: callouts with their timers and outbox, the rota and the policy. No column holds content: ids, code words, times.

-- The host organisation's rota and policy, in CBOR; the version is compared before it is replaced.
CREATE TABLE dispatch_documents (
    kind    TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    body    BLOB NOT NULL
) STRICT;

-- The engine's state is `body`, in CBOR; the other columns repeat what is searched for. `wakes`: it will do something by
-- itself, so it has a row in `timers`.
CREATE TABLE callouts (
    callout   BLOB PRIMARY KEY,
    agency    BLOB NOT NULL,
    opener    BLOB NOT NULL,
    zone      TEXT NOT NULL,
    site      TEXT,
    opened_at INTEGER NOT NULL,
    state     TEXT NOT NULL,
    closed    INTEGER NOT NULL,
    wakes     INTEGER NOT NULL,
    revision  INTEGER NOT NULL,
    room      BLOB UNIQUE,
    body      BLOB NOT NULL
) STRICT;
CREATE INDEX callouts_newest ON callouts (opened_at);
CREATE INDEX callouts_of_agency ON callouts (agency, opened_at);
CREATE INDEX callouts_running ON callouts (agency, zone, opened_at) WHERE closed = 0;
CREATE INDEX callouts_waking ON callouts (callout) WHERE wakes = 1;

-- Everybody who was ever asked, so that a responder finds their callouts.
CREATE TABLE callout_people (
    person  BLOB NOT NULL,
    callout BLOB NOT NULL REFERENCES callouts,
    PRIMARY KEY (person, callout)
) STRICT, WITHOUT ROWID;

-- The next moment at which a callout does something by itself: at most one each.
CREATE TABLE timers (
    callout     BLOB PRIMARY KEY REFERENCES callouts,
    due_at      INTEGER NOT NULL,
    lease_until INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX timers_due ON timers (due_at);

-- Every page that was ordered; its id is the idempotency key that the channel gets. A row waits while `next_at` is set,
-- and is being sent while `lease_until` is. `uncertain`: an earlier try may have arrived.
CREATE TABLE outbox (
    page        BLOB PRIMARY KEY,
    callout     BLOB NOT NULL REFERENCES callouts,
    person      BLOB NOT NULL,
    contact     BLOB,
    kind        TEXT NOT NULL,
    attempt     INTEGER NOT NULL,
    ordered_at  INTEGER NOT NULL,
    tries       INTEGER NOT NULL DEFAULT 0,
    uncertain   INTEGER NOT NULL DEFAULT 0,
    next_at     INTEGER,
    lease_until INTEGER
) STRICT;
CREATE INDEX outbox_waiting ON outbox (contact, next_at) WHERE next_at IS NOT NULL;
CREATE INDEX outbox_of_callout ON outbox (callout, person);

-- After the night: what remains of a callout for its record and for figures. Codes and times; no person but the responder
-- who says how they are.

-- Written in the same transaction as the callout. First times are kept as they were first known: a callout's own history
-- is bounded and forgets.
CREATE TABLE callout_facts (
    callout              BLOB PRIMARY KEY REFERENCES callouts,
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
    -- The target that held when the callout was opened.
    target_ms            INTEGER NOT NULL,
    unanswered           INTEGER NOT NULL,
    -- NULL: no language was named, or nobody has accepted.
    language_match       INTEGER,
    -- Reason codes with spaces between.
    reasons              TEXT NOT NULL,
    support              TEXT,
    kits_given           INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX callout_facts_opened ON callout_facts (purpose, opened_at);

-- How a responder is afterwards, in their own word.
CREATE TABLE callout_welfare (
    callout BLOB NOT NULL REFERENCES callouts,
    person  BLOB NOT NULL,
    welfare TEXT NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (callout, person)
) STRICT, WITHOUT ROWID;

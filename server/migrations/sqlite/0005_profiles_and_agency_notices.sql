-- What dispatch knows about a person besides people.languages, which stays the one place for languages. `body` is CBOR
-- (server/src/profiles/store.rs); `version` rises with every change of either, and is compared before one.
CREATE TABLE profiles (
    person  BLOB PRIMARY KEY REFERENCES people (person),
    version INTEGER NOT NULL,
    body    BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Which other agencies were notified of a callout, so that an agency finds its notices. What became of them stands in the
-- callout's body.
CREATE TABLE agency_notices (
    agency      BLOB NOT NULL,
    callout     BLOB NOT NULL REFERENCES callouts,
    notified_at INTEGER NOT NULL,
    PRIMARY KEY (agency, callout)
) STRICT, WITHOUT ROWID;
CREATE INDEX agency_notices_newest ON agency_notices (notified_at);

-- The rota's part of dispatch: feeds, and what people on duty and supervisors have been told.

-- SHA-256 of `body`: what was decoded once is found by it. NULL in rows older than this column.
ALTER TABLE dispatch_documents ADD COLUMN digest BLOB;

-- Secret addresses of calendars. `digest` is SHA-256 of the secret, which stands nowhere. Of a person, of a tier, or (with
-- neither) of the whole rota.
CREATE TABLE feeds (
    feed       BLOB PRIMARY KEY,
    digest     BLOB NOT NULL UNIQUE,
    person     BLOB REFERENCES people (person),
    tier       TEXT,
    made_by    BLOB NOT NULL REFERENCES people (person),
    made_at    INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;
CREATE INDEX feeds_of_person ON feeds (person);
CREATE INDEX feeds_by_maker ON feeds (made_by);

-- What hand-off notices and the coverage check have said so far; both in CBOR. Written in the transaction of the notices,
-- so that a restart neither forgets nor repeats one.
CREATE TABLE duty_told (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    on_duty    BLOB NOT NULL,
    gaps       BLOB NOT NULL,
    gaps_until INTEGER NOT NULL,
    checked_at INTEGER NOT NULL,
    version    INTEGER NOT NULL
) STRICT;

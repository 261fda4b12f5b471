-- Organisations, people, devices, and how they sign in. No column holds a secret in the clear except webhook keys, which
-- the server has to use; tokens and claim keys stand here as digests.

-- The host, what the server trusts (protocol `Anchors`, in CBOR), and the digest of the bootstrap token that was used.
CREATE TABLE trust (
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    host      BLOB NOT NULL,
    anchors   BLOB NOT NULL,
    bootstrap BLOB NOT NULL
) STRICT;

-- `statement`, `revocations` and `founding` are signed or sealed by clients and handed on as they came, in CBOR.
CREATE TABLE orgs (
    org         BLOB PRIMARY KEY,
    kind        TEXT NOT NULL,
    name        TEXT NOT NULL,
    root        BLOB NOT NULL,
    founded_at  INTEGER NOT NULL,
    statement   BLOB,
    revocations BLOB,
    founding    BLOB
) STRICT;

CREATE TABLE people (
    person     BLOB PRIMARY KEY,
    org        BLOB NOT NULL REFERENCES orgs (org),
    work_name  TEXT NOT NULL,
    role       TEXT NOT NULL,
    languages  TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX people_by_org ON people (org, role);

-- `signer` is the fingerprint of the signer certificate in `chain`. `failures` and `locked_until` are the sign-in lockout.
CREATE TABLE devices (
    device       BLOB PRIMARY KEY,
    person       BLOB NOT NULL REFERENCES people (person),
    org          BLOB NOT NULL REFERENCES orgs (org),
    chain        BLOB NOT NULL,
    key          BLOB NOT NULL,
    signer       BLOB NOT NULL,
    enrolled_at  INTEGER NOT NULL,
    revoked_at   INTEGER,
    last_seen_at INTEGER,
    failures     INTEGER NOT NULL DEFAULT 0,
    locked_until INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX devices_by_person ON devices (person);
CREATE INDEX devices_by_org ON devices (org, signer);

CREATE VIEW known_people AS
    SELECT p.person, p.org, o.kind, p.work_name, p.role, p.languages FROM people p JOIN orgs o ON o.org = p.org;
CREATE VIEW known_devices AS
    SELECT p.*, d.device, d.chain, d.key, d.enrolled_at, d.revoked_at, d.last_seen_at
    FROM devices d JOIN known_people p ON p.person = d.person;

-- One row for each sign-in. Only the newest refresh token is good: `generation` says which, `refresh` is its digest.
CREATE TABLE sessions (
    session            BLOB PRIMARY KEY,
    device             BLOB NOT NULL REFERENCES devices (device),
    created_at         INTEGER NOT NULL,
    generation         INTEGER NOT NULL,
    refresh            BLOB NOT NULL,
    refresh_expires_at INTEGER NOT NULL,
    ended_at           INTEGER
) STRICT;
CREATE INDEX sessions_by_device ON sessions (device, created_at);
CREATE INDEX sessions_ended ON sessions (ended_at) WHERE ended_at IS NOT NULL;

-- Challenges that were answered, until they expire by themselves: a second answer is a replay.
CREATE TABLE answered_challenges (
    challenge  BLOB PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX answered_challenges_by_age ON answered_challenges (expires_at);

CREATE TABLE tickets (
    ticket     BLOB PRIMARY KEY,
    session    BLOB NOT NULL REFERENCES sessions (session) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tickets_by_age ON tickets (expires_at);
CREATE INDEX tickets_by_session ON tickets (session);

CREATE TABLE invites (
    invite       BLOB PRIMARY KEY,
    org          BLOB NOT NULL REFERENCES orgs (org),
    made_by      BLOB NOT NULL,
    made_at      INTEGER NOT NULL,
    purpose      BLOB NOT NULL,
    claim        BLOB NOT NULL,
    expires_at   INTEGER NOT NULL,
    used_at      INTEGER,
    withdrawn_at INTEGER
) STRICT;
CREATE INDEX invites_by_org ON invites (org, made_at);

CREATE TABLE enrolments (
    device  BLOB PRIMARY KEY,
    invite  BLOB NOT NULL UNIQUE REFERENCES invites (invite),
    org     BLOB NOT NULL,
    request BLOB NOT NULL,
    at      INTEGER NOT NULL,
    status  TEXT NOT NULL
) STRICT;
CREATE INDEX enrolments_waiting ON enrolments (org, at) WHERE status = 'pending';

-- Webhooks in the order in which they are tried; the app comes before them and needs no row.
CREATE TABLE contacts (
    person  BLOB NOT NULL REFERENCES people (person),
    place   INTEGER NOT NULL,
    contact BLOB NOT NULL,
    url     TEXT NOT NULL,
    key     TEXT NOT NULL,
    PRIMARY KEY (person, place)
) STRICT, WITHOUT ROWID;

-- Real channels: contact methods of every kind, verified before use; an outbox that is not for callouts alone; and for
-- each page what every try with a provider came to.

-- `address`: the web address, number or mailbox. `secret`: a webhook's key, an ntfy token, a push subscription's auth;
-- `next_secret`: a webhook's second key while keys are being changed. Only rows whose state is 'verified' are paged.
CREATE TABLE contacts_0007 (
    person      BLOB NOT NULL REFERENCES people (person),
    place       INTEGER NOT NULL,
    contact     BLOB NOT NULL,
    kind        TEXT NOT NULL,
    address     TEXT NOT NULL,
    p256dh      TEXT,
    secret      TEXT,
    next_secret TEXT,
    state       TEXT NOT NULL,
    verified_at INTEGER,
    PRIMARY KEY (person, contact)
) STRICT, WITHOUT ROWID;
-- A webhook that was in use stays in use: an upgrade must not make somebody unreachable.
INSERT INTO contacts_0007 (person, place, contact, kind, address, secret, state)
    SELECT person, place, contact, 'webhook', url, key, 'verified' FROM contacts;
DROP TABLE contacts;
ALTER TABLE contacts_0007 RENAME TO contacts;

-- When each of a person's ways is used, in order; `contact` is absent for the app.
CREATE TABLE contact_rules (
    person   BLOB NOT NULL REFERENCES people (person),
    place    INTEGER NOT NULL,
    contact  BLOB,
    after_ms INTEGER NOT NULL,
    PRIMARY KEY (person, place)
) STRICT, WITHOUT ROWID;

-- A code that was sent to a contact method to verify it, as a salted digest.
CREATE TABLE contact_checks (
    person     BLOB NOT NULL,
    contact    BLOB NOT NULL,
    salt       BLOB NOT NULL,
    digest     BLOB NOT NULL,
    sent_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    tries_left INTEGER NOT NULL,
    PRIMARY KEY (person, contact),
    FOREIGN KEY (person, contact) REFERENCES contacts (person, contact) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Every page and message that was ordered; its id is the idempotency key that the channel gets. A row waits while
-- `next_at` is set, and is being sent while `lease_until` is. `uncertain`: an earlier try may have arrived. `lane`: the
-- provider whose limit it counts against. `address`: a telephone number, or an outside webhook's code. `handed_over_at`,
-- `delivered_at`, `failed`: what became of it, as the engine was told.
CREATE TABLE outbox_0007 (
    page           BLOB PRIMARY KEY,
    callout        BLOB REFERENCES callouts,
    person         BLOB,
    destination    TEXT NOT NULL,
    contact        BLOB,
    address        TEXT,
    channel        TEXT NOT NULL,
    lane           TEXT NOT NULL,
    kind           TEXT NOT NULL,
    attempt        INTEGER NOT NULL,
    arg            INTEGER NOT NULL DEFAULT 0,
    ordered_at     INTEGER NOT NULL,
    tries          INTEGER NOT NULL DEFAULT 0,
    uncertain      INTEGER NOT NULL DEFAULT 0,
    next_at        INTEGER,
    lease_until    INTEGER,
    handed_over_at INTEGER,
    delivered_at   INTEGER,
    failed         TEXT
) STRICT;
INSERT INTO outbox_0007 (page, callout, person, destination, contact, channel, lane, kind, attempt, ordered_at, tries,
                         uncertain, next_at, lease_until)
    SELECT page, callout, person, iif(contact IS NULL, 'app', 'contact'), contact,
           iif(contact IS NULL, 'in_app', 'webhook'), iif(contact IS NULL, 'app', 'webhook'),
           kind, attempt, ordered_at, tries, uncertain, next_at, lease_until
    FROM outbox;
DROP TABLE outbox;
ALTER TABLE outbox_0007 RENAME TO outbox;
CREATE INDEX outbox_waiting ON outbox (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX outbox_of_callout ON outbox (callout, person);

-- One row for each try of a page with a provider. `reference` is the provider's own id for it.
CREATE TABLE legs (
    page       BLOB NOT NULL REFERENCES outbox (page),
    leg        INTEGER NOT NULL,
    vendor     TEXT,
    reference  TEXT,
    state      TEXT NOT NULL,
    reason     TEXT,
    detail     TEXT,
    redelivery INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (page, leg)
) STRICT, WITHOUT ROWID;
CREATE INDEX legs_by_reference ON legs (vendor, reference) WHERE reference IS NOT NULL;

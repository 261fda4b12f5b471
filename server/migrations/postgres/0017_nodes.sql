-- Who claimed a page, so that a dead node's are taken over at once (server/src/nodes).
ALTER TABLE outbox ADD COLUMN claimed_by BYTEA;

-- How many groups have been committed, by all nodes.
ALTER TABLE writer ADD COLUMN turn BIGINT NOT NULL DEFAULT 0;

-- The nodes that live. `seen_at` is the database's time: whoever was not seen for some seconds is dead to the others.
CREATE TABLE nodes (
    node       BYTEA PRIMARY KEY,
    name       TEXT COLLATE "C" NOT NULL,
    started_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL
);

-- What each group changed, for the nodes that did not hear of it (server/src/store/changes.rs): ids alone, in CBOR, for some
-- minutes. Groups are committed one after another, so whoever has read up to a turn has missed nothing before it.
CREATE TABLE changes (
    turn BIGINT PRIMARY KEY,
    node BYTEA NOT NULL,
    at   BIGINT NOT NULL,
    body BYTEA NOT NULL
);
CREATE INDEX changes_by_age ON changes (at);

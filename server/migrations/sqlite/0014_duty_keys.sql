-- A device's duty key: a second public key with which it signs in while it is locked, for its holder's own callouts alone.
-- `session` stands in the access tokens that the key signed in, so that they end with it; a row that has ended is kept as
-- long as one of them could still be good.
CREATE TABLE duty_keys (
    session  BLOB PRIMARY KEY,
    device   BLOB NOT NULL REFERENCES devices (device),
    key      BLOB NOT NULL,
    made_at  INTEGER NOT NULL,
    ended_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX duty_keys_by_device ON duty_keys (device) WHERE ended_at IS NULL;
CREATE INDEX duty_keys_ended ON duty_keys (ended_at) WHERE ended_at IS NOT NULL;

-- Key packages that were given out, by their SHA-256. A device whose publication was taken, but not answered, publishes the
-- same ones again: one that was given out meanwhile must not be given out twice, for its secret is gone by then.
CREATE TABLE spent_key_packages (
    device BLOB NOT NULL,
    digest BLOB NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (device, digest)
) STRICT, WITHOUT ROWID;

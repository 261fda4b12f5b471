-- As SQLite's migration of the same number.
CREATE TABLE spent_key_packages (
    device BYTEA NOT NULL,
    digest BYTEA NOT NULL,
    at     BIGINT NOT NULL,
    PRIMARY KEY (device, digest)
);

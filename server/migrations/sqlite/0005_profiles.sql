-- What dispatch knows about a person besides people.languages, which stays the one place for languages. `body` is CBOR
-- (server/src/profiles/store.rs); `version` rises with every change of either, and is compared before one.
CREATE TABLE profiles (
    person  BLOB PRIMARY KEY REFERENCES people (person),
    version INTEGER NOT NULL,
    body    BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The two-person rule: the first epoch in which a room no longer held a class of organisation. A consent to let that class
-- in which was given before then is worth nothing any more.
CREATE TABLE room_classes_left (
    room     BLOB NOT NULL REFERENCES rooms (room),
    org_kind TEXT NOT NULL,
    epoch    INTEGER NOT NULL,
    PRIMARY KEY (room, org_kind)
) STRICT, WITHOUT ROWID;

-- Who claimed a page, so that a dead node's are taken over at once (server/src/nodes). NULL: an earlier version.
ALTER TABLE outbox ADD COLUMN claimed_by BLOB;

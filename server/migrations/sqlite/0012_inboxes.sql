-- A restored server has forgotten the places that it gave out after the copy was made. The next item of each inbox skips
-- so many, and says which place it follows.
ALTER TABLE inboxes ADD COLUMN skip INTEGER NOT NULL DEFAULT 0;
ALTER TABLE inbox_items ADD COLUMN prev INTEGER;

-- The callout that a view shows: a newer view takes the place of those that a device has not fetched for a while.
ALTER TABLE inbox_items ADD COLUMN shows BLOB;
CREATE INDEX inbox_items_showing ON inbox_items (device, shows) WHERE shows IS NOT NULL;

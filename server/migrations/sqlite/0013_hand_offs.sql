-- The one of a person's contact methods that says when they go on duty, besides the app.
ALTER TABLE contacts ADD COLUMN hand_off INTEGER NOT NULL DEFAULT 0;

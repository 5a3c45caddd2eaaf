-- Who agreed that the revision be in force, and when; null: nobody had to.
ALTER TABLE revisions ADD COLUMN approved_by TEXT;
ALTER TABLE revisions ADD COLUMN approved_at BIGINT;

-- When a trade was rated, also where nothing was posted at once because its pay builds up. Entries of
-- before stay without: that is not known any more.
ALTER TABLE rating_entry ADD COLUMN rated_at timestamptz;
ALTER TABLE rating_entry ALTER COLUMN rated_at SET DEFAULT now();
CREATE INDEX rating_entry_rated ON rating_entry
    USING brin (rated_at) WITH (autosummarize = on);

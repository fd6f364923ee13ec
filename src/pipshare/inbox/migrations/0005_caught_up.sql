-- The last gap in which nobody polled the source: when it ended, how long it was, and how many
-- trades that had closed in it were booked afterwards. They are no lags: nobody was there.
ALTER TABLE inbox_source_lag
    ADD COLUMN gap_end   timestamptz,
    ADD COLUMN gap_ms    bigint NOT NULL DEFAULT 0,
    ADD COLUMN caught_up bigint NOT NULL DEFAULT 0;

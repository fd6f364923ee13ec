-- Trades of a span of time, for people who look for them. Trades arrive nearly in the order of
-- their closes, so ranges of pages serve; a B-tree would cost an import 7 % of its time.
CREATE INDEX trades_trade_close ON trades_trade
    USING brin (close_at) WITH (pages_per_range = 32, autosummarize = on);
-- What came since the last vacuum is read whole by every search unless it is summarised too.
ALTER INDEX trades_trade_login SET (autosummarize = on);

-- What came since the last vacuum is read whole by every statement unless it is summarised too.
ALTER INDEX rating_entry_transfer SET (autosummarize = on);

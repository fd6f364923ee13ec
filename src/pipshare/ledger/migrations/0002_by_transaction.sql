-- What was booked since a moment of the database: sums are remembered and the new is added to them.
CREATE INDEX ledger_transfer_xid ON ledger_transfer (xid);

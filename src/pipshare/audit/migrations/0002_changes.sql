-- Which kinds of reference data each transaction changed. Who booked trades with what it had read
-- before asks here whether that still holds.
CREATE TABLE audit_change (
    xid  xid8 NOT NULL DEFAULT pg_current_xact_id(),
    kind text NOT NULL,
    PRIMARY KEY (xid, kind)
);

CREATE FUNCTION audit_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_change (kind) VALUES (TG_ARGV[0]) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

-- At commit a change waits for the bookings under way, which hold this lock shared, and they wait
-- for it: a trade is booked either before the change, and found by the re-rating that follows it,
-- or with the change known. Deferred, so that a long load stops nobody while it works.
CREATE FUNCTION audit_wait_for_bookings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7100, 0);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER audit_wait_for_bookings AFTER INSERT ON audit_change
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_wait_for_bookings();

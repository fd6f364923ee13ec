-- Closed periods, per entity. What is booked afterwards of a closed period stands in the open one.
CREATE TABLE ledger_period (
    entity_id integer NOT NULL REFERENCES market_entity,
    period    text NOT NULL CHECK (period ~ '^\d{4}-(0[1-9]|1[0-2])$'),
    closed_at timestamptz NOT NULL DEFAULT now(),
    closed_by text NOT NULL,
    PRIMARY KEY (entity_id, period)
);
CREATE TRIGGER ledger_period_fixed BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_period
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();

-- The first period of an entity in which something may be booked; null = every one.
CREATE FUNCTION ledger_open_period(entity integer) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT to_char(to_date(max(period), 'YYYY-MM') + interval '1 month', 'YYYY-MM')
      FROM ledger_period WHERE entity_id = entity
$$;

-- Whoever forgets to ask is refused: a closed period never changes.
CREATE FUNCTION ledger_check_period() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong record;
BEGIN
    SELECT n.id, n.period, n.entity_id INTO wrong FROM new_transfers n
      JOIN (SELECT entity_id, max(period) AS period FROM ledger_period GROUP BY 1) c
        ON c.entity_id = n.entity_id AND n.period <= c.period LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'period % of entity % is closed: transfer % belongs into the open one',
            wrong.period, wrong.entity_id, wrong.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_transfer_open AFTER INSERT ON ledger_transfer
    REFERENCING NEW TABLE AS new_transfers
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_period();

-- closing: accrued becomes payable. payout: payable becomes paid. release, forfeit: of what is held.
ALTER TABLE ledger_transfer DROP CONSTRAINT ledger_transfer_kind_check;
ALTER TABLE ledger_transfer ADD CONSTRAINT ledger_transfer_kind_check CHECK (kind IN
    ('accrual', 'correction', 'adjustment', 'closing', 'payout', 'release', 'forfeit'));

-- The ledger: accounts, transfers, legs. Append-only; every transfer sums to zero per currency.
CREATE TABLE ledger_account (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity_id  integer NOT NULL REFERENCES market_entity,
    payee_kind text NOT NULL CHECK (payee_kind IN ('partner', 'client', 'house')),
    payee_id   integer NOT NULL,
    currency   text NOT NULL,
    state      text NOT NULL CHECK (state IN ('expense', 'accrued', 'held', 'payable',
                                              'in_payment', 'paid', 'forfeited', 'withheld')),
    cause      text NOT NULL DEFAULT '',
    UNIQUE (entity_id, payee_kind, payee_id, currency, state, cause)
);

CREATE TABLE ledger_transfer (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity_id  integer NOT NULL REFERENCES market_entity,
    kind       text NOT NULL CHECK (kind IN ('accrual', 'correction', 'adjustment')),
    earned_day date NOT NULL,
    period     text NOT NULL,
    cause      text NOT NULL DEFAULT '',
    booked_at  timestamptz NOT NULL DEFAULT now(),
    xid        xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX ledger_transfer_period ON ledger_transfer (entity_id, period);

-- A leg names a transfer and an account that exist: the check below sees to it once per statement.
-- (Foreign keys would ask once per row, at half the speed of posting; neither side can be deleted.)
CREATE TABLE ledger_leg (
    transfer_id bigint NOT NULL,
    account_id  integer NOT NULL,
    amount_e8   bigint NOT NULL,
    PRIMARY KEY (transfer_id, account_id)
);
CREATE INDEX ledger_leg_account ON ledger_leg (account_id);

-- Guards. They hold for every role, the owner included, until somebody alters the schema.
CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused. Correct by a new transfer.',
        TG_TABLE_NAME, lower(TG_OP) USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER ledger_account_fixed BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_account
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_transfer_fixed BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transfer
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_leg_fixed BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_leg
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();

-- The transaction that makes a transfer is the only one that may add legs to it, and says so
-- itself: a client cannot write another transaction's number.
CREATE FUNCTION ledger_stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.xid := pg_current_xact_id();
    NEW.booked_at := now();
    RETURN NEW;
END $$;
CREATE TRIGGER ledger_transfer_stamp BEFORE INSERT ON ledger_transfer
    FOR EACH ROW EXECUTE FUNCTION ledger_stamp();

-- Every statement that adds legs leaves each of its transfers balanced, per currency. Checked per
-- statement and not per row: a batch adds its legs with one COPY, and the check is one pass.
CREATE FUNCTION ledger_check_legs() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    bad record;
BEGIN
    SELECT n.transfer_id, a.currency, sum(n.amount_e8) AS rest,
           count(t.id) = count(*) AND count(a.id) = count(*) AS known,
           bool_and(t.xid = pg_current_xact_id()) AS ours,
           bool_and(a.entity_id = t.entity_id) AS inside INTO bad
      FROM new_legs n
      LEFT JOIN ledger_transfer t ON t.id = n.transfer_id
      LEFT JOIN ledger_account a ON a.id = n.account_id
     GROUP BY n.transfer_id, a.currency
    HAVING sum(n.amount_e8) <> 0 OR count(t.id) < count(*) OR count(a.id) < count(*)
        OR NOT bool_and(t.xid = pg_current_xact_id()) OR NOT bool_and(a.entity_id = t.entity_id)
     ORDER BY 4, 5, 6 LIMIT 1;
    IF NOT FOUND THEN
        RETURN NULL;
    ELSIF NOT bad.known THEN
        RAISE EXCEPTION 'a leg of transfer % names a transfer or an account that does not exist',
            bad.transfer_id USING ERRCODE = 'foreign_key_violation';
    ELSIF NOT bad.ours THEN
        RAISE EXCEPTION 'transfer % is closed: legs are added only by the transaction that made it',
            bad.transfer_id USING ERRCODE = 'restrict_violation';
    ELSIF NOT bad.inside THEN
        RAISE EXCEPTION 'transfer % crosses entities', bad.transfer_id
            USING ERRCODE = 'check_violation';
    END IF;
    RAISE EXCEPTION 'transfer % does not balance: % % left over (1e-8)',
        bad.transfer_id, bad.rest, bad.currency USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER ledger_leg_balanced AFTER INSERT ON ledger_leg
    REFERENCING NEW TABLE AS new_legs
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_legs();

-- And at commit the transfer has legs, and they sum to zero.
CREATE FUNCTION ledger_check_transfer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    legs integer;
BEGIN
    SELECT count(*) INTO legs FROM ledger_leg WHERE transfer_id = NEW.id;
    IF legs < 2 THEN
        RAISE EXCEPTION 'transfer % has % legs: at least two are needed', NEW.id, legs
            USING ERRCODE = 'check_violation';
    END IF;
    PERFORM 1 FROM ledger_leg l JOIN ledger_account a ON a.id = l.account_id
      WHERE l.transfer_id = NEW.id GROUP BY a.currency HAVING sum(l.amount_e8) <> 0;
    IF FOUND THEN
        RAISE EXCEPTION 'transfer % does not balance', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ledger_transfer_balanced AFTER INSERT ON ledger_transfer
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION ledger_check_transfer();

-- The lines' own table is as fixed as the ledger (it is created before this file runs).
CREATE TRIGGER rating_entry_fixed BEFORE UPDATE OR DELETE OR TRUNCATE ON rating_entry
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();

-- What each account holds, exactly. Balances are sums: no row is ever updated.
CREATE VIEW ledger_balance AS
SELECT a.id AS account_id, a.entity_id, a.payee_kind, a.payee_id, a.currency, a.state, a.cause,
       COALESCE(sum(l.amount_e8), 0) AS amount_e8
  FROM ledger_account a LEFT JOIN ledger_leg l ON l.account_id = a.id
 GROUP BY a.id;

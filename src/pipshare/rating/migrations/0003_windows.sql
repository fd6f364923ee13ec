-- What is earned by more than one trade (tiers, caps, period sums, CPA): one line per payee,
-- component and window, or client, each time that what it comes to differs from what was booked.
CREATE TABLE rating_window_line (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    component    integer NOT NULL,
    shard        integer NOT NULL,  -- lowest partner id of the tree (partners.shards), 0 = a client
    window_start timestamptz NOT NULL,
    window_end   timestamptz NOT NULL,
    client_id    integer NOT NULL DEFAULT 0,  -- of a CPA; 0 = a window of many clients
    level        smallint NOT NULL,
    payee_kind   text NOT NULL CHECK (payee_kind IN ('partner', 'client')),
    payee_id     integer NOT NULL,
    seq          integer NOT NULL,
    account      integer NOT NULL,
    transfer_id  bigint NOT NULL,
    day          date NOT NULL,
    amount_e8    bigint NOT NULL,
    currency     text NOT NULL,  -- of orig_e8, before the wallet
    orig_e8      bigint NOT NULL,
    reason       smallint NOT NULL DEFAULT 0,
    causes       json NOT NULL,  -- trades, events, because; a few of each and how many more
    booked_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX rating_window_line_subject
    ON rating_window_line (component, window_start, payee_id, client_id);
CREATE INDEX rating_window_line_transfer ON rating_window_line (transfer_id);
CREATE TRIGGER rating_window_line_fixed BEFORE UPDATE OR DELETE OR TRUNCATE ON rating_window_line
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();

-- Windows that something touched since they were last settled. Rows are only added and taken away,
-- so that who books never waits for who settles; the same window may stand here several times.
CREATE TABLE rating_due (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity_id    integer NOT NULL,
    component    integer NOT NULL,
    shard        integer NOT NULL,
    window_start timestamptz NOT NULL,
    window_end   timestamptz NOT NULL,
    client_id    integer NOT NULL DEFAULT 0,
    causes       jsonb NOT NULL DEFAULT '{}',
    since        timestamptz NOT NULL DEFAULT now()
);

-- All lines behind the legs of accruals and corrections, whatever made them.
CREATE VIEW rating_booked AS
SELECT r.transfer_id, r.account, r.component, r.level, r.amount_e8, r.day
  FROM rating_line r
UNION ALL
SELECT w.transfer_id, w.account, w.component, w.level, w.amount_e8, w.day
  FROM rating_window_line w;

-- Closed trades, one row per revision, never updated. Amounts have the client's sign; *_e8 are
-- units of 1e-8; *_ms are the server's wall clock, close_at the UTC moment derived from it.
CREATE TABLE trades_trade (
    server_id integer NOT NULL,
    ticket    bigint NOT NULL,
    revision  smallint NOT NULL,
    state     smallint NOT NULL,
    login     bigint NOT NULL,
    position  bigint NOT NULL,
    symbol    text NOT NULL,
    side      smallint NOT NULL,
    kind      smallint NOT NULL,
    reason    smallint NOT NULL,
    opening   smallint NOT NULL,
    lots_e8   bigint NOT NULL,
    open_ms   bigint NOT NULL,
    close_ms  bigint NOT NULL,
    close_at  timestamptz NOT NULL,
    open_price_e8  bigint NOT NULL,
    close_price_e8 bigint NOT NULL,
    commission_e8  bigint NOT NULL,
    fee_e8    bigint NOT NULL,
    swap_e8   bigint NOT NULL,
    profit_e8 bigint NOT NULL,
    rate_profit_e8 bigint NOT NULL,
    contract_e8 bigint NOT NULL,
    content   bigint NOT NULL,
    batch_id  bigint NOT NULL,
    PRIMARY KEY (server_id, ticket, revision)
);
CREATE INDEX trades_trade_login ON trades_trade (server_id, login, close_at);

CREATE TABLE trades_waiting (
    server_id integer NOT NULL,
    ticket    bigint NOT NULL,
    reason    text NOT NULL,
    key       text NOT NULL DEFAULT '',
    since     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (server_id, ticket)
);

CREATE VIEW trades_current AS
SELECT DISTINCT ON (server_id, ticket) *
  FROM trades_trade
 ORDER BY server_id, ticket, revision DESC;

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
-- Asked for rarely; a B-tree over random logins would halve the intake (docs/decisions/0006).
CREATE INDEX trades_trade_login ON trades_trade USING brin (login int8_bloom_ops);

-- Small: what is current is found by asking what was revised.
CREATE INDEX trades_trade_revised ON trades_trade (server_id, ticket, revision) WHERE revision > 1;

CREATE TABLE trades_waiting (
    server_id integer NOT NULL,
    ticket    bigint NOT NULL,
    reason    text NOT NULL,
    key       text NOT NULL DEFAULT '',
    since     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (server_id, ticket)
);

-- Which trades a file of a known moment repeated as they were stored already: a file that is older
-- than that moment, but newer than the one that brought them, must not revise them.
CREATE TABLE trades_seen (
    server_id    integer NOT NULL,
    batch_id     bigint NOT NULL,
    as_of        timestamptz NOT NULL,
    first_ticket bigint NOT NULL,
    last_ticket  bigint NOT NULL,
    tickets      bigint[] NOT NULL
);
CREATE INDEX trades_seen_last ON trades_seen (server_id, last_ticket);

CREATE VIEW trades_current AS
SELECT t.*
  FROM trades_trade t
 WHERE NOT EXISTS (SELECT FROM trades_trade n
                    WHERE n.server_id = t.server_id AND n.ticket = t.ticket
                      AND n.revision > t.revision AND n.revision > 1);

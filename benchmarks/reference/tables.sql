-- The tables of the naive script and of the set-based SQL: what a careful person would make for
-- this one plan. No second time, no status, no currencies, no ledger; partners by number.
CREATE TABLE script_symbol (server_id int, name text, symbol int, PRIMARY KEY (server_id, name));
CREATE TABLE script_group (grp int PRIMARY KEY, factor_percent int);
CREATE TABLE script_account (
    server_id int, login bigint, client int, grp int, PRIMARY KEY (server_id, login)
);
CREATE TABLE script_client (client int PRIMARY KEY, partner int);
CREATE TABLE script_partner (partner int PRIMARY KEY, parent int, card int);
-- Every partner's chain written out, for the set-based statement.
CREATE TABLE script_chain (
    direct int, level smallint, partner int, card int, PRIMARY KEY (direct, level)
);
CREATE TABLE script_rate (
    card int, symbol int, grp int, valid_from timestamptz, valid_to timestamptz, rate_micro bigint,
    PRIMARY KEY (card, symbol, grp, valid_from)
);
CREATE TABLE script_trade (
    server_id int, ticket bigint, login bigint, symbol text, side int, lots_e8 bigint,
    open_ms bigint, close_at timestamptz, open_price_e8 bigint, close_price_e8 bigint,
    commission_e8 bigint, swap_e8 bigint, profit_e8 bigint, PRIMARY KEY (server_id, ticket)
);
CREATE TABLE script_line (
    server_id int, ticket bigint, level smallint, partner int, amount_e8 bigint,
    PRIMARY KEY (server_id, ticket, level)
);
CREATE TABLE script_balance (partner int PRIMARY KEY, amount_e8 bigint NOT NULL DEFAULT 0);

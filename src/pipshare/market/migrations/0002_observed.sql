-- Groups and symbols as a trade server has them. Append-only: a row when something changed.
CREATE TABLE market_observed_group (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    server_id   integer NOT NULL REFERENCES market_server,
    name        text NOT NULL,
    currency    text NOT NULL DEFAULT '',
    digits      integer NOT NULL DEFAULT 2,
    margin_mode integer NOT NULL DEFAULT -1,  -- EnMarginMode; -1 = not told
    company     text NOT NULL DEFAULT '',
    observed_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX market_observed_group_name ON market_observed_group (server_id, name);

CREATE TABLE market_observed_symbol (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    server_id   integer NOT NULL REFERENCES market_server,
    symbol      text NOT NULL,
    path        text NOT NULL DEFAULT '',
    digits      integer NOT NULL,
    contract_e8 bigint NOT NULL,  -- 0 = the platform has none
    currency_base   text NOT NULL DEFAULT '',
    currency_profit text NOT NULL DEFAULT '',
    currency_margin text NOT NULL DEFAULT '',
    calc_mode   integer NOT NULL DEFAULT -1,  -- EnCalcMode; -1 = not told
    observed_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX market_observed_symbol_symbol ON market_observed_symbol (server_id, symbol);

-- What the operator loaded goes before what was only seen on the platform.
ALTER TABLE market_symbol
    ADD COLUMN source text NOT NULL DEFAULT 'load' CHECK (source IN ('load', 'platform'));

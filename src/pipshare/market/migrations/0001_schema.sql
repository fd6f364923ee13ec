-- Entities, trade servers with their clocks, account groups, symbols, quotes and FX rates.
-- Histories are append-only: a record holds from valid_from until the next valid_from of the same
-- subject; of two for the same moment the one recorded last (highest id) holds.
CREATE TABLE market_entity (
    id       integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code     text NOT NULL UNIQUE,
    name     text NOT NULL DEFAULT '',
    currency text NOT NULL DEFAULT 'USD',
    clock    text NOT NULL DEFAULT 'UTC'
);
-- Settings, not a history: they may change only until something depends on them (load_entities).
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'pipshare_app') THEN
        GRANT UPDATE (name, currency, clock) ON market_entity TO pipshare_app;
    END IF;
END $$;
INSERT INTO market_entity (code, name) VALUES ('main', 'Main entity');

CREATE TABLE market_server (
    id        integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code      text NOT NULL UNIQUE,
    entity_id integer NOT NULL REFERENCES market_entity,
    platform  text NOT NULL CHECK (platform IN ('mt4', 'mt5')),
    authority text NOT NULL DEFAULT 'files'
);

-- Symbol endings that mean nothing, separated by spaces. The newest record holds.
CREATE TABLE market_suffixes (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    server_id   integer NOT NULL REFERENCES market_server,
    suffixes    text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE market_server_clock (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    server_id  integer NOT NULL REFERENCES market_server,
    valid_from timestamptz NOT NULL DEFAULT '-infinity',
    clock      text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- The newest record holds; a server without one books nothing.
CREATE TABLE market_go_live (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    server_id   integer NOT NULL REFERENCES market_server,
    go_live     timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL,
    reason      text NOT NULL DEFAULT ''
);

CREATE TABLE market_group (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    server_id   integer NOT NULL REFERENCES market_server,
    mask        text NOT NULL,
    type        text NOT NULL DEFAULT '',
    lot_factor  text NOT NULL DEFAULT '1',
    treatment   text NOT NULL DEFAULT 'normal' CHECK (treatment IN ('normal', 'excluded', 'direct')),
    currency    text NOT NULL DEFAULT '',
    valid_from  timestamptz NOT NULL DEFAULT '-infinity',
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- The newest record of a symbol on a server (NULL: on all servers) holds.
CREATE TABLE market_symbol (
    id            integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    server_id     integer REFERENCES market_server,
    symbol        text NOT NULL,
    aliases       text NOT NULL DEFAULT '',  -- separated by spaces
    symbol_group  text NOT NULL DEFAULT '',
    digits        integer NOT NULL DEFAULT 5,
    contract_e8   bigint NOT NULL DEFAULT 10000000000000,
    currency      text NOT NULL DEFAULT 'USD',
    recorded_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE market_quote (
    server_id integer NOT NULL REFERENCES market_server,
    symbol    text NOT NULL,
    at        timestamptz NOT NULL,
    bid_e8    bigint NOT NULL CHECK (bid_e8 > 0),
    ask_e8    bigint NOT NULL CHECK (ask_e8 >= bid_e8),
    PRIMARY KEY (server_id, symbol, at)
);

-- One unit of base costs rate of quote. A rate is never edited: a new one is recorded.
CREATE TABLE market_fx (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    base        text NOT NULL,
    quote       text NOT NULL CHECK (quote <> base),
    at          timestamptz NOT NULL,
    rate        text NOT NULL,
    source      text NOT NULL DEFAULT 'file',
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX market_fx_pair ON market_fx (base, quote, at);

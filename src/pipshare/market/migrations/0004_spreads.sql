-- What spreads and points are worth per symbol; 0 and '' = not told.
ALTER TABLE market_symbol
    ADD COLUMN pip_points   integer NOT NULL DEFAULT 0 CHECK (pip_points >= 0),
    ADD COLUMN calc         text NOT NULL DEFAULT '' CHECK (calc IN ('', 'forex', 'cfd', 'futures')),
    ADD COLUMN tick_size_e8 bigint NOT NULL DEFAULT 0 CHECK (tick_size_e8 >= 0),
    ADD COLUMN tick_value_e8 bigint NOT NULL DEFAULT 0 CHECK (tick_value_e8 >= 0);

-- Whether the broker takes the other side himself ('made') or passes it on ('passed').
ALTER TABLE market_group
    ADD COLUMN book text NOT NULL DEFAULT '' CHECK (book IN ('', 'made', 'passed'));

-- Both sides of a rate where they were told; `rate` lies between.
ALTER TABLE market_fx ADD COLUMN bid text, ADD COLUMN ask text;

-- The broker's markup in points; by server (null = all), symbol or symbol group ('' = any of them)
-- and account group mask. A record holds from valid_from until the same key's next one; of two for
-- one moment the one recorded last holds.
CREATE TABLE market_markup (
    id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    server_id    integer REFERENCES market_server,
    symbol       text NOT NULL,
    symbol_group text NOT NULL,
    mask         text NOT NULL,
    points_e8    bigint NOT NULL CHECK (points_e8 >= 0),
    valid_from   timestamptz NOT NULL DEFAULT '-infinity',
    recorded_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (symbol = '' OR symbol_group = '')
);

-- Typical spreads in points, by the same keys.
CREATE TABLE market_spread (
    id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    server_id    integer REFERENCES market_server,
    symbol       text NOT NULL,
    symbol_group text NOT NULL,
    mask         text NOT NULL,
    points_e8    bigint NOT NULL CHECK (points_e8 >= 0),
    valid_from   timestamptz NOT NULL DEFAULT '-infinity',
    recorded_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (symbol = '' OR symbol_group = '')
);

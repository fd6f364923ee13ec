-- Which source's trades book, where it changed since the server was first loaded: the newest
-- record holds. Changing it moves money, so it takes two people once anything was taken in.
CREATE TABLE market_authority (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    server_id   integer NOT NULL REFERENCES market_server,
    authority   text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL,
    reason      text NOT NULL DEFAULT ''
);

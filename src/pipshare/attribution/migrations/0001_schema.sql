-- Each distinct chain of partners, from the direct IB upward, once; and trades that wait because
-- nobody knows yet whose client traded.
CREATE TABLE attribution_chain (
    id       integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partners integer[] NOT NULL UNIQUE
);

CREATE TABLE attribution_waiting (
    server_id integer NOT NULL,
    ticket    bigint NOT NULL,
    reason    text NOT NULL,
    key       text NOT NULL DEFAULT '',
    since     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (server_id, ticket)
);

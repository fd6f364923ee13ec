-- The first execution on each account, opening or closing: the earliest that is known.
CREATE TABLE clients_execution (
    server_id integer NOT NULL,
    login     bigint NOT NULL,
    at        timestamptz NOT NULL,
    ticket    bigint NOT NULL,  -- of the deal; of a trade of which no opening deal is known
    symbol    text NOT NULL,
    lots_e8   bigint NOT NULL,
    PRIMARY KEY (server_id, login)
);

-- Accounts whose first execution is news. Rows are only added and taken away.
CREATE TABLE clients_execution_due (
    id        bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    server_id integer NOT NULL,
    login     bigint NOT NULL,
    PRIMARY KEY (server_id, login)
);

-- What a client reached, and lost again: a deposit that qualified him and was charged back. What he
-- reaches anew has the next number. `said` tells whether the outside was told.
CREATE TABLE clients_milestone (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    client_id  integer NOT NULL REFERENCES clients_client,
    kind       text NOT NULL CHECK (kind IN ('registered', 'qualified', 'first_trade')),
    number     integer NOT NULL,
    at         timestamptz NOT NULL,
    source     text NOT NULL,  -- of the event; for first trades: the server's code
    event      text NOT NULL,  -- the event; for first trades: the ticket
    amount_e8  bigint NOT NULL DEFAULT 0,
    currency   text NOT NULL DEFAULT '',
    noted_at   timestamptz NOT NULL DEFAULT now(),
    undone_at  timestamptz,
    undone_by  text NOT NULL DEFAULT '',
    said       text NOT NULL CHECK (said IN ('waiting', 'said', 'history', 'nobody')),
    UNIQUE (client_id, kind, number)
);
CREATE INDEX clients_milestone_at ON clients_milestone (kind, at);

-- Deposits that were told before they were cleared: few, and looked for by the clock.
CREATE INDEX clients_event_cleared ON clients_event (cleared_at)
 WHERE kind = 'deposit' AND cleared_at > recorded_at;

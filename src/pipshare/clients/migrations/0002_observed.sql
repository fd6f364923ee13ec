-- What a trade server says of its accounts, as observed. Append-only: a row when something changed.
CREATE TABLE clients_observed (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    server_id   integer NOT NULL REFERENCES market_server,
    login       bigint NOT NULL,
    group_name  text NOT NULL DEFAULT '',
    currency    text NOT NULL DEFAULT '',  -- of the group; '' = the group was not visible
    status      text NOT NULL CHECK (status IN ('active', 'disabled')),
    rights      bigint NOT NULL DEFAULT 0,
    agent       bigint NOT NULL DEFAULT 0,  -- the platform's own agent, 0 = none
    country     text NOT NULL DEFAULT '',  -- as the platform writes it
    observed_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX clients_observed_login ON clients_observed (server_id, login);

-- Who said it: a load, the platform from the moment on, or the platform's first word for the time
-- before it. `*_told` is false where a load left it out and what was known or usual stands in.
ALTER TABLE clients_account_state
    ADD COLUMN source text NOT NULL DEFAULT 'load'
        CHECK (source IN ('load', 'platform', 'first_known')),
    ADD COLUMN group_told boolean NOT NULL DEFAULT true,
    ADD COLUMN currency_told boolean NOT NULL DEFAULT true;
UPDATE clients_account_state
   SET group_told = false, currency_told = currency <> 'USD' WHERE group_name = '';

-- Accounts for which the platform pays an agent by itself: who pays twice if pipshare pays, too.
CREATE TABLE clients_agent (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    server_id   integer NOT NULL REFERENCES market_server,
    login       bigint NOT NULL,
    agent       bigint NOT NULL,
    evidence    text NOT NULL CHECK (evidence IN ('user', 'deal')),
    detail      text NOT NULL DEFAULT '',
    first_seen  timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (server_id, login, agent, evidence)
);

-- What a person decided of such an account; of several the newest that has begun holds.
CREATE TABLE clients_agent_decision (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    server_id   integer NOT NULL REFERENCES market_server,
    login       bigint NOT NULL,
    decision    text NOT NULL CHECK (decision IN ('pay', 'none')),
    valid_from  timestamptz NOT NULL DEFAULT '-infinity',
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL CHECK (btrim(recorded_by) <> ''),
    reason      text NOT NULL CHECK (btrim(reason) <> '')
);
CREATE INDEX clients_agent_decision_login ON clients_agent_decision (server_id, login);

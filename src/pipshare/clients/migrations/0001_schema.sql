-- Clients and their trading accounts; the account's group, currency and status are histories.
CREATE TABLE clients_client (
    id        integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity_id integer NOT NULL REFERENCES market_entity,
    code      text NOT NULL,
    UNIQUE (entity_id, code)
);

-- A record holds from valid_from until the client's next one; of two for the same moment the one
-- recorded last (highest id) holds. So do account states below.
CREATE TABLE clients_country (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    client_id   integer NOT NULL REFERENCES clients_client,
    country     text NOT NULL,
    valid_from  timestamptz NOT NULL DEFAULT '-infinity',
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX clients_country_client ON clients_country (client_id);

CREATE TABLE clients_account (
    id        integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    server_id integer NOT NULL REFERENCES market_server,
    login     bigint NOT NULL,
    client_id integer NOT NULL REFERENCES clients_client,
    UNIQUE (server_id, login)
);
CREATE INDEX clients_account_client ON clients_account (client_id);

-- Corrections of who owns an account, proposed and approved; the newest record holds.
CREATE TABLE clients_owner (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id  integer NOT NULL REFERENCES clients_account,
    client_id   integer NOT NULL REFERENCES clients_client,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL,
    reason      text NOT NULL DEFAULT ''
);
CREATE INDEX clients_owner_account ON clients_owner (account_id);

CREATE TABLE clients_account_state (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id  integer NOT NULL REFERENCES clients_account,
    group_name  text NOT NULL DEFAULT '',
    currency    text NOT NULL DEFAULT 'USD',
    status      text NOT NULL DEFAULT 'active'
                CHECK (status IN ('active', 'disabled', 'excluded', 'direct')),
    valid_from  timestamptz NOT NULL DEFAULT '-infinity',
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX clients_account_state_account ON clients_account_state (account_id);

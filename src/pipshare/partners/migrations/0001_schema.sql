-- Partners, their tree and their clients. Both relations have two times: valid from/to, and
-- recorded at. Nothing is overwritten: of the records that cover a moment, the one recorded last
-- (highest id) holds. A NULL above means: a root (tree) or direct, nobody earns (clients).
CREATE TABLE partners_partner (
    id            integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity_id     integer NOT NULL REFERENCES market_entity,
    code          text NOT NULL,
    name          text NOT NULL DEFAULT '',
    currency      text NOT NULL DEFAULT 'USD',
    own_client_id integer REFERENCES clients_client,
    UNIQUE (entity_id, code)
);

CREATE TABLE partners_status (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner_id  integer NOT NULL REFERENCES partners_partner,
    status      text NOT NULL CHECK (status IN ('active', 'suspended', 'terminated')),
    valid_from  timestamptz NOT NULL DEFAULT '-infinity',
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL DEFAULT '',
    reason      text NOT NULL DEFAULT ''
);

CREATE TABLE partners_go_live (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner_id  integer NOT NULL REFERENCES partners_partner,
    go_live     timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL DEFAULT '',
    reason      text NOT NULL DEFAULT ''
);

CREATE TABLE partners_parent (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner_id  integer NOT NULL REFERENCES partners_partner,
    parent_id   integer REFERENCES partners_partner,
    valid_from  timestamptz NOT NULL DEFAULT '-infinity',
    valid_to    timestamptz NOT NULL DEFAULT 'infinity',
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL DEFAULT '',
    reason      text NOT NULL DEFAULT '',
    CHECK (valid_from < valid_to),
    CHECK (parent_id <> partner_id)
);
CREATE INDEX partners_parent_partner ON partners_parent (partner_id);

CREATE TABLE partners_client (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    client_id   integer NOT NULL REFERENCES clients_client,
    partner_id  integer REFERENCES partners_partner,
    valid_from  timestamptz NOT NULL DEFAULT '-infinity',
    valid_to    timestamptz NOT NULL DEFAULT 'infinity',
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL DEFAULT '',
    reason      text NOT NULL DEFAULT '',
    CHECK (valid_from < valid_to)
);
CREATE INDEX partners_client_client ON partners_client (client_id);
CREATE INDEX partners_client_partner ON partners_client (partner_id);

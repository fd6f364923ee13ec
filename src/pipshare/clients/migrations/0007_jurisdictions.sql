-- Countries by whose clients nobody earns. Never updated: of the records of a country that have begun
-- by a moment the one recorded last (highest id) holds.
CREATE TABLE clients_jurisdiction (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity_id   integer NOT NULL REFERENCES market_entity,
    country     text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
    blocked     boolean NOT NULL,
    counts      text NOT NULL CHECK (counts IN ('either', 'residence', 'document')),
    valid_from  timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL CHECK (btrim(recorded_by) <> ''),
    reason      text NOT NULL CHECK (btrim(reason) <> '')
);
CREATE INDEX clients_jurisdiction_country ON clients_jurisdiction (entity_id, country);
CREATE INDEX clients_event_country ON clients_event (entity_id, country) WHERE country <> '';

-- So many days before a document expires it is said; the newest record of an entity holds.
CREATE TABLE clients_expiry_days (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity_id   integer NOT NULL REFERENCES market_entity,
    days        integer[] NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL CHECK (btrim(recorded_by) <> '')
);

-- What was said of a document: once for each number of days.
CREATE TABLE clients_expiry_said (
    client_id  integer NOT NULL REFERENCES clients_client,
    expires_at timestamptz NOT NULL,
    days       integer NOT NULL,
    said_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (client_id, expires_at, days)
);
CREATE INDEX clients_event_expires ON clients_event (expires_at)
 WHERE kind = 'kyc_approved' AND expires_at > '-infinity';

-- Where links may lead, the links themselves, codes typed at registration, and each entity's
-- settings of tracking. Codes are told apart without regard to case: people type and print them.
CREATE TABLE partners_landing (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity_id  integer NOT NULL REFERENCES market_entity,
    code       text NOT NULL,
    url        text NOT NULL,
    is_default boolean NOT NULL DEFAULT false,
    state      text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'archived')),
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    CHECK (state = 'active' OR NOT is_default)
);
CREATE UNIQUE INDEX partners_landing_code ON partners_landing (entity_id, lower(code));
CREATE UNIQUE INDEX partners_landing_default ON partners_landing (entity_id) WHERE is_default;

CREATE TABLE partners_link (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner_id integer NOT NULL REFERENCES partners_partner,
    code       text NOT NULL,
    campaign   text NOT NULL DEFAULT '',
    name       text NOT NULL DEFAULT '',
    landing_id integer REFERENCES partners_landing,  -- NULL: the entity's default one
    state      text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'archived')),
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL
);
CREATE UNIQUE INDEX partners_link_code ON partners_link (lower(code));
CREATE INDEX partners_link_partner ON partners_link (partner_id);

CREATE TABLE partners_typed_code (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity_id  integer NOT NULL REFERENCES market_entity,
    partner_id integer NOT NULL REFERENCES partners_partner,
    code       text NOT NULL,
    state      text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'archived')),
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL
);
CREATE UNIQUE INDEX partners_typed_code_code ON partners_typed_code (entity_id, lower(code));

CREATE TABLE partners_tracking (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity_id   integer NOT NULL REFERENCES market_entity,
    settings    jsonb NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL
);
CREATE INDEX partners_tracking_entity ON partners_tracking (entity_id);

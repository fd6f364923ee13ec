-- Programmes with their versions (the text as applied), components and rates; and who takes part.
CREATE TABLE plans_programme (
    id        integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity_id integer NOT NULL REFERENCES market_entity,
    code      text NOT NULL,
    UNIQUE (entity_id, code)
);

CREATE TABLE plans_version (
    id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    programme_id integer NOT NULL REFERENCES plans_programme,
    number       integer NOT NULL,
    valid_from   timestamptz NOT NULL DEFAULT '-infinity',
    text         text NOT NULL,
    digest       text NOT NULL,
    recorded_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by  text NOT NULL DEFAULT '',
    UNIQUE (programme_id, number)
);

-- A component keeps its id over versions: it is part of a line's identity.
CREATE TABLE plans_component (
    id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    programme_id integer NOT NULL REFERENCES plans_programme,
    code         text NOT NULL,
    UNIQUE (programme_id, code)
);

-- One row per [[component.rate]] of a version, in the order of the file: lines point at it.
CREATE TABLE plans_rate (
    id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version_id   integer NOT NULL REFERENCES plans_version,
    component_id integer NOT NULL REFERENCES plans_component,
    ordinal      integer NOT NULL,
    UNIQUE (version_id, component_id, ordinal)
);

-- programme_id NULL = earns nothing, said on purpose (not the same as having no terms).
CREATE TABLE plans_terms (
    id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner_id   integer NOT NULL REFERENCES partners_partner,
    programme_id integer REFERENCES plans_programme,
    card         text NOT NULL DEFAULT 'standard',
    valid_from   timestamptz NOT NULL DEFAULT '-infinity',
    valid_to     timestamptz NOT NULL DEFAULT 'infinity',
    recorded_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by  text NOT NULL DEFAULT '',
    reason       text NOT NULL DEFAULT '',
    CHECK (valid_from < valid_to)
);
CREATE INDEX plans_terms_partner ON plans_terms (partner_id);

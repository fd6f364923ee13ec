-- Keys with which machines use the API. The key itself is never stored, only its digest; it is 32
-- random bytes, so a plain digest cannot be guessed back.
CREATE TABLE people_api_key (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL UNIQUE CHECK (btrim(name) <> ''),
    digest     bytea NOT NULL UNIQUE,
    scopes     text[] NOT NULL CHECK (cardinality(scopes) > 0),
    server     text NOT NULL DEFAULT '',   -- what is pushed belongs to this server
    provenance text NOT NULL DEFAULT 'client' CHECK (provenance IN ('operator', 'client')),
    partner    text NOT NULL DEFAULT '',   -- sees this partner's subtree only; empty = all
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    used_at    timestamptz,
    revoked_at timestamptz
);

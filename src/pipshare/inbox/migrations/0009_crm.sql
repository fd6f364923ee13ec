-- Connections to CRMs, what came through them as it came, and what became of every item of it.
CREATE TABLE inbox_endpoint (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity_id  integer NOT NULL REFERENCES market_entity,
    code       text NOT NULL UNIQUE,
    kind       text NOT NULL,             -- webhook, or what polls
    preset     text NOT NULL DEFAULT '',  -- that its first mapping was made of
    settings   jsonb NOT NULL,            -- no secrets
    verify     jsonb NOT NULL,            -- how senders prove who they are
    state      text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'removed')),
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL
);

CREATE TABLE inbox_endpoint_secret (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    endpoint_id integer NOT NULL REFERENCES inbox_endpoint,
    sealed      bytea NOT NULL,
    made_at     timestamptz NOT NULL DEFAULT now(),
    made_by     text NOT NULL,
    expires_at  timestamptz               -- NULL: the one in use
);
CREATE UNIQUE INDEX inbox_endpoint_secret_in_use ON inbox_endpoint_secret (endpoint_id)
 WHERE expires_at IS NULL;

-- Every version that was published; the newest holds.
CREATE TABLE inbox_endpoint_mapping (
    endpoint_id  integer NOT NULL REFERENCES inbox_endpoint,
    version      integer NOT NULL,
    mapping      json NOT NULL,           -- as somebody wrote it
    note         text NOT NULL DEFAULT '',
    published_at timestamptz NOT NULL DEFAULT now(),
    published_by text NOT NULL,
    PRIMARY KEY (endpoint_id, version)
);

-- How far a polled endpoint was read, written with what was read, and how it fares.
CREATE TABLE inbox_endpoint_status (
    endpoint_id  integer PRIMARY KEY REFERENCES inbox_endpoint,
    cursor       jsonb NOT NULL DEFAULT '{}',
    last_try     timestamptz,
    last_ok      timestamptz,
    last_news    timestamptz,
    fails        integer NOT NULL DEFAULT 0,
    outage_since timestamptz,
    error        text NOT NULL DEFAULT ''
);

-- Whatever came: a body, a page, a file. `once` is the sender's signed id of it (d:...), else its
-- digest (h:...). Nothing in here is of a person.
CREATE TABLE inbox_payload (
    id           text PRIMARY KEY,        -- sorts by time
    endpoint_id  integer NOT NULL REFERENCES inbox_endpoint,
    at           timestamptz NOT NULL,
    once         text NOT NULL,
    digest       bytea NOT NULL,
    content_type text NOT NULL,
    size         integer NOT NULL,
    sender       text NOT NULL,           -- address
    verdict      text NOT NULL CHECK (verdict IN ('accepted', 'rejected')),
    reason       text NOT NULL,
    detail       text NOT NULL,
    version      integer NOT NULL,        -- of the mapping at the door, 0 = none
    items        integer NOT NULL,
    problems     integer NOT NULL
);
CREATE UNIQUE INDEX inbox_payload_once ON inbox_payload (endpoint_id, once)
 WHERE verdict = 'accepted';
CREATE INDEX inbox_payload_of ON inbox_payload (endpoint_id, id);
CREATE INDEX inbox_payload_bad ON inbox_payload (id) WHERE problems > 0;

-- The raw bodies, compressed; apart, as they hold people's data and may be pruned.
CREATE TABLE inbox_payload_body (
    payload_id text PRIMARY KEY,
    body       bytea NOT NULL
);

-- What is to be settled. `mapped`: what the door has mapped already, compressed.
CREATE TABLE inbox_payload_due (
    payload_id text PRIMARY KEY,
    by         text NOT NULL DEFAULT '',  -- who asked for a replay
    mapped     bytea
);

-- What became of each item; of a payload the rows of its newest run hold.
CREATE TABLE inbox_payload_item (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payload_id  text NOT NULL,
    run         integer NOT NULL,
    item        integer NOT NULL,         -- 0 = the payload as a whole
    rule        text NOT NULL,
    kind        text NOT NULL,
    source      text NOT NULL,
    event       text NOT NULL,
    client      text NOT NULL,
    outcome     text NOT NULL,
    reason      text NOT NULL,
    field       text NOT NULL,
    expression  text NOT NULL,
    detail      text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX inbox_payload_item_of ON inbox_payload_item (payload_id, run);
CREATE INDEX inbox_payload_item_event ON inbox_payload_item (event, source);
CREATE INDEX inbox_payload_item_client ON inbox_payload_item (client) WHERE client <> '';
CREATE INDEX inbox_payload_item_bad ON inbox_payload_item (payload_id)
 WHERE outcome IN ('problem', 'refused');

-- Items that wait for a client, with what was mapped; settled when he is known.
CREATE TABLE inbox_payload_waiting (
    payload_id text NOT NULL,
    item       integer NOT NULL,
    entity_id  integer NOT NULL,
    place      integer NOT NULL,          -- an item may become several records
    reason     text NOT NULL,
    key        text NOT NULL,             -- the client's code
    told       jsonb NOT NULL,
    since      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (payload_id, item, place)
);

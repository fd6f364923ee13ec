-- Who may post back to us: a broker's site or tracker, with the token that it shows.
CREATE TABLE inbox_tracker (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity_id  integer NOT NULL REFERENCES market_entity,
    code       text NOT NULL UNIQUE,
    digest     bytea NOT NULL UNIQUE,     -- SHA-256 of the token
    secret     bytea,                     -- sealed; NULL = postbacks need not be signed
    networks   text[] NOT NULL,           -- addresses it may send from; none = any
    money      text[] NOT NULL,           -- kinds that book: deposit, withdrawal, reversal
    state      text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'revoked')),
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL
);

-- Every postback, also those refused. `told` has what was said by the names of fields that are
-- known: no token, no signature, nothing personal.
CREATE TABLE inbox_postback (
    id          text PRIMARY KEY,         -- sorts by time
    at          timestamptz NOT NULL,     -- when it came
    tracker_id  integer REFERENCES inbox_tracker,  -- NULL: no such token
    entity_id   integer,
    kind        text NOT NULL,
    txid        text NOT NULL,
    verdict     text NOT NULL CHECK (verdict IN ('accepted', 'duplicate', 'rejected')),
    reason      text NOT NULL,
    detail      text NOT NULL,
    happened_at timestamptz NOT NULL,     -- as told, else when it came
    client      text NOT NULL,
    click       text NOT NULL,
    partner     text NOT NULL,
    amount_e8   bigint NOT NULL,          -- 0 = not told
    currency    text NOT NULL,
    reference   text NOT NULL,
    of          text NOT NULL,
    content     bigint NOT NULL,
    sender      text NOT NULL,            -- address
    told        jsonb NOT NULL
);
CREATE UNIQUE INDEX inbox_postback_once ON inbox_postback (tracker_id, kind, txid)
 WHERE verdict = 'accepted';
CREATE INDEX inbox_postback_client ON inbox_postback (entity_id, client) WHERE client <> '';
CREATE INDEX inbox_postback_click ON inbox_postback (click) WHERE click <> '';

-- Accepted postbacks of which something is still to come; `reason` says what one waits for.
CREATE TABLE inbox_postback_due (
    postback_id text PRIMARY KEY,
    entity_id   integer NOT NULL,
    reason      text NOT NULL DEFAULT '',
    key         text NOT NULL DEFAULT ''
);
CREATE INDEX inbox_postback_due_fresh ON inbox_postback_due (postback_id) WHERE reason = '';

-- What became of accepted postbacks; the newest row of each holds.
CREATE TABLE inbox_postback_outcome (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    postback_id text NOT NULL,
    outcome     text NOT NULL,
    reason      text NOT NULL,
    detail      text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX inbox_postback_outcome_of ON inbox_postback_outcome (postback_id, id);

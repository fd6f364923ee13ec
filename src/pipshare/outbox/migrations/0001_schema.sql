-- Who is told what: receivers, messages, the order in which each receiver gets them, every attempt.
CREATE TABLE outbox_receiver (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity_id  integer NOT NULL REFERENCES market_entity,
    partner_id integer,                  -- NULL: the broker's own
    partner    text NOT NULL DEFAULT '', -- his code, as messages name him
    kind       text NOT NULL CHECK (kind IN ('postback', 'webhook')),
    name       text NOT NULL,
    settings   jsonb NOT NULL,           -- no secrets
    state      text NOT NULL DEFAULT 'active'
               CHECK (state IN ('active', 'paused', 'off', 'removed')),
    off_at     timestamptz,
    off_reason text NOT NULL DEFAULT '',
    version    integer NOT NULL DEFAULT 1, -- counts changes, so that a dispatcher sees them
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL DEFAULT '',
    CHECK ((partner_id IS NULL) = (partner = '')),
    CHECK ((state = 'off') = (off_at IS NOT NULL))
);
-- A removed receiver keeps its row, as deliveries name it; its name may be used again.
CREATE UNIQUE INDEX outbox_receiver_name ON outbox_receiver (entity_id, lower(name))
 WHERE state <> 'removed';

-- How a receiver fares. Apart from the receiver, whose changes bookings take notice of.
CREATE TABLE outbox_health (
    receiver_id   integer PRIMARY KEY REFERENCES outbox_receiver,
    failing_since timestamptz,           -- the first failure since the last success
    fails         integer NOT NULL DEFAULT 0,
    last_ok       timestamptz,
    error         text NOT NULL DEFAULT ''
);

-- Sealed: what signs webhooks (header = '') and what is sent in headers of the receiver's own.
CREATE TABLE outbox_secret (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    receiver_id integer NOT NULL REFERENCES outbox_receiver,
    header      text NOT NULL DEFAULT '',
    sealed      bytea NOT NULL,
    made_at     timestamptz NOT NULL DEFAULT now(),
    made_by     text NOT NULL DEFAULT '',
    expires_at  timestamptz              -- NULL: the one in use
);
CREATE UNIQUE INDEX outbox_secret_in_use ON outbox_secret (receiver_id, header)
 WHERE expires_at IS NULL;

-- What is to be said, written in the transaction of the fact. Said once per (type, key).
CREATE TABLE outbox_message (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity_id   integer NOT NULL,
    type        text NOT NULL,
    key         text NOT NULL,
    subject     text NOT NULL,
    at          timestamptz NOT NULL,
    data        jsonb NOT NULL,
    receiver_id integer,                 -- for this receiver only: a test
    UNIQUE (type, key)
);

-- The messages that were not handed out to receivers yet: rows are added and removed only.
CREATE TABLE outbox_unsent (
    message_id bigint PRIMARY KEY
);

-- One message to one receiver. `seq` counts a receiver's messages of one subject, from 1. Of the
-- unended ones of a receiver and subject the lowest is due, all others are behind it.
CREATE TABLE outbox_delivery (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    receiver_id integer NOT NULL,
    message_id  bigint NOT NULL,
    subject     text NOT NULL,
    seq         integer NOT NULL,
    state       text NOT NULL
                CHECK (state IN ('behind', 'due', 'delivered', 'dead', 'cancelled')),
    attempts    integer NOT NULL DEFAULT 0,
    tries       integer NOT NULL DEFAULT 0, -- attempts since it was said or replayed
    not_before  timestamptz NOT NULL,
    ended_at    timestamptz,
    reason      text NOT NULL DEFAULT '',   -- why it is dead or cancelled, or was late the last time
    CHECK ((state IN ('behind', 'due')) = (ended_at IS NULL)),
    UNIQUE (receiver_id, subject, seq),
    UNIQUE (message_id, receiver_id)
) WITH (autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX outbox_delivery_due ON outbox_delivery (receiver_id, not_before, id)
 WHERE state = 'due';
CREATE INDEX outbox_delivery_unended ON outbox_delivery (receiver_id, subject, seq)
 WHERE state IN ('behind', 'due');
CREATE INDEX outbox_delivery_dead ON outbox_delivery (receiver_id, id) WHERE state = 'dead';
CREATE INDEX outbox_delivery_receiver ON outbox_delivery (receiver_id, id);

-- Every attempt: what was sent, what came back, when. Secrets are not in it.
CREATE TABLE outbox_attempt (
    delivery_id bigint NOT NULL,
    number      integer NOT NULL,
    due_at      timestamptz NOT NULL,
    at          timestamptz NOT NULL,
    ms          integer NOT NULL,
    method      text NOT NULL,
    url         text NOT NULL,
    headers     text NOT NULL,           -- JSON
    body        text NOT NULL,           -- its first 4 KiB
    status      integer,                 -- NULL: no answer
    answer      text NOT NULL,           -- its first 4 KiB
    outcome     text NOT NULL CHECK (outcome IN ('ok', 'temporary', 'permanent')),
    error       text NOT NULL,
    PRIMARY KEY (delivery_id, number)
);

-- What a person asked of the dispatcher, who alone changes deliveries; gone when it is done.
CREATE TABLE outbox_request (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    receiver_id integer NOT NULL REFERENCES outbox_receiver,
    wanted      jsonb NOT NULL,          -- which deliveries to send again
    up_to       bigint NOT NULL,         -- delivery ids: those that were there when it was asked
    done_to     bigint NOT NULL DEFAULT 0,
    asked_at    timestamptz NOT NULL DEFAULT now(),
    asked_by    text NOT NULL
);

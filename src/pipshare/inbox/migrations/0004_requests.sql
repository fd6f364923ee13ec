-- Answers given to requests with an Idempotency-Key: the same request again gets the same answer,
-- and does nothing.
CREATE TABLE inbox_request (
    key_id   integer NOT NULL,       -- of the API key: another caller's keys are others
    name     text NOT NULL,          -- the caller's Idempotency-Key
    digest   bytea NOT NULL,         -- of what was sent
    status   integer NOT NULL,
    body     bytea NOT NULL,
    at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (key_id, name)
);
CREATE INDEX inbox_request_at ON inbox_request (at);

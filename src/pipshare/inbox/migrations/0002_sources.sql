-- What feeds an installation: its sources with their settings, secrets, cursors and how they fare;
-- what a person has to look at; and the raw records of what came by no file.
CREATE TABLE inbox_source (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code       text NOT NULL,
    server_id  integer NOT NULL REFERENCES market_server,
    kind       text NOT NULL,
    settings   jsonb NOT NULL,
    secret     bytea,  -- sealed: its keys are kept outside the database
    state      text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'removed')),
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL DEFAULT ''
);
-- A removed source keeps its row, as batches name it; its code may be used again.
CREATE UNIQUE INDEX inbox_source_code ON inbox_source (code) WHERE state <> 'removed';

-- How far a source was read, in words of its own; written with the facts, in one transaction.
CREATE TABLE inbox_cursor (
    source_id  integer PRIMARY KEY REFERENCES inbox_source,
    cursor     jsonb NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE inbox_source_status (
    source_id    integer PRIMARY KEY REFERENCES inbox_source,
    last_try     timestamptz,
    last_ok      timestamptz,
    last_news    timestamptz,
    fails        integer NOT NULL DEFAULT 0,
    outage_since timestamptz,
    error        text NOT NULL DEFAULT '',
    deals        bigint NOT NULL DEFAULT 0,
    trades       bigint NOT NULL DEFAULT 0,
    checked_at   timestamptz,
    findings     jsonb
);

-- The last thousand lags (milliseconds from close to booked), oldest first. Apart from the status:
-- a poll without news must not write them again.
CREATE TABLE inbox_source_lag (
    source_id integer PRIMARY KEY REFERENCES inbox_source,
    lags      integer[] NOT NULL
);

-- What somebody has to look at. One open row per source, server, code and subject.
CREATE TABLE inbox_alert (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_id   integer REFERENCES inbox_source,
    server_id   integer REFERENCES market_server,
    code        text NOT NULL,
    subject     text NOT NULL,
    message     text NOT NULL,
    count       integer NOT NULL DEFAULT 1,
    raised_at   timestamptz NOT NULL DEFAULT now(),
    last_at     timestamptz NOT NULL DEFAULT now(),
    resolved_at timestamptz
);
CREATE UNIQUE INDEX inbox_alert_open
    ON inbox_alert (COALESCE(source_id, 0), COALESCE(server_id, 0), code, subject)
 WHERE resolved_at IS NULL;

-- The records that were new in a batch that came by no file, as they came, one a line; compressed.
CREATE TABLE inbox_raw_record (
    batch_id bigint PRIMARY KEY REFERENCES inbox_batch,
    body     bytea NOT NULL
);

ALTER TABLE inbox_batch ADD COLUMN source_id integer REFERENCES inbox_source;

CREATE OR REPLACE VIEW inbox_batch_source AS
SELECT b.id, b.server_id, b.file_id,
       coalesce(f.name, s.code || ' batch ' || b.id, b.kind || ' ' || b.id) AS name,
       CASE WHEN b.file_id IS NULL THEN b.created_at ELSE f.as_of END AS as_of,
       coalesce(f.received_at, b.created_at) AS received_at
  FROM inbox_batch b
  LEFT JOIN inbox_file f ON f.id = b.file_id
  LEFT JOIN inbox_source s ON s.id = b.source_id;

-- Everything received, once, kept as it came; the batches that later stages claim; and facts that
-- are not yet trades (MT5 deals) or never become one (balance operations).
CREATE TABLE inbox_file (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    server_id   integer NOT NULL REFERENCES market_server,
    digest      text NOT NULL,
    name        text NOT NULL,
    size        bigint NOT NULL,
    format      text NOT NULL,
    encoding    text NOT NULL DEFAULT '',
    provenance  text NOT NULL CHECK (provenance IN ('operator', 'client')),
    trust       text NOT NULL DEFAULT '',
    as_of       timestamptz,
    booked      boolean NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    received_by text NOT NULL DEFAULT ''
);
CREATE INDEX inbox_file_digest ON inbox_file (server_id, digest);

-- The file itself, zlib-compressed, in parts of a few MiB.
CREATE TABLE inbox_raw (
    file_id bigint NOT NULL REFERENCES inbox_file,
    part    integer NOT NULL,
    body    bytea NOT NULL,
    PRIMARY KEY (file_id, part)
);

-- A batch is a queue entry: what arrived together, claimed as one.
CREATE TABLE inbox_batch (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    file_id    bigint REFERENCES inbox_file,
    server_id  integer NOT NULL REFERENCES market_server,
    kind       text NOT NULL,
    first_line integer NOT NULL DEFAULT 0,
    last_line  integer NOT NULL DEFAULT 0,
    count      integer NOT NULL,
    state      text NOT NULL DEFAULT 'done' CHECK (state IN ('new', 'claimed', 'done', 'failed')),
    attempts   integer NOT NULL DEFAULT 0,
    not_before timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX inbox_batch_open ON inbox_batch (not_before) WHERE state IN ('new', 'claimed');

-- What a batch speaks of: the name of its file and the moment up to which the file tells (null =
-- it does not say). What came from no file, from a live connection, tells of when it came.
CREATE VIEW inbox_batch_source AS
SELECT b.id, b.server_id, b.file_id, coalesce(f.name, b.kind || ' ' || b.id) AS name,
       CASE WHEN b.file_id IS NULL THEN b.created_at ELSE f.as_of END AS as_of,
       coalesce(f.received_at, b.created_at) AS received_at
  FROM inbox_batch b
  LEFT JOIN inbox_file f ON f.id = b.file_id;

CREATE TABLE inbox_refused (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    file_id bigint NOT NULL REFERENCES inbox_file,
    line    integer NOT NULL,
    code    text NOT NULL,
    reason  text NOT NULL,
    raw     text NOT NULL DEFAULT ''
);
CREATE INDEX inbox_refused_file ON inbox_refused (file_id);

CREATE TABLE inbox_deal (
    server_id integer NOT NULL,
    deal      bigint NOT NULL,
    revision  smallint NOT NULL,
    login     bigint NOT NULL,
    "order"   bigint NOT NULL,
    position  bigint NOT NULL,
    action    smallint NOT NULL,
    entry     smallint NOT NULL,
    reason    smallint NOT NULL,
    time_ms   bigint NOT NULL,
    symbol    text NOT NULL,
    volume_e8 bigint NOT NULL,
    closed_e8 bigint NOT NULL,
    price_e8  bigint NOT NULL,
    position_price_e8 bigint NOT NULL,
    gateway_price_e8  bigint NOT NULL,
    profit_e8 bigint NOT NULL,
    swap_e8   bigint NOT NULL,
    commission_e8 bigint NOT NULL,
    fee_e8    bigint NOT NULL,
    rate_profit_e8 bigint NOT NULL,
    contract_e8 bigint NOT NULL,
    bid_e8    bigint NOT NULL,
    ask_e8    bigint NOT NULL,
    content   bigint NOT NULL,
    batch_id  bigint NOT NULL,
    PRIMARY KEY (server_id, deal, revision)
);
-- Position before login: positions are numbered as they open, so new deals land side by side.
CREATE INDEX inbox_deal_position ON inbox_deal (server_id, position, login);
-- Small: what is current is found by asking what was revised.
CREATE INDEX inbox_deal_revised ON inbox_deal (server_id, deal, revision) WHERE revision > 1;

-- Which deals a file of a known moment repeated as they were stored already: a file that is older
-- than that moment, but newer than the one that brought them, must not revise them.
CREATE TABLE inbox_seen (
    server_id  integer NOT NULL,
    batch_id   bigint NOT NULL,
    as_of      timestamptz NOT NULL,
    first_deal bigint NOT NULL,
    last_deal  bigint NOT NULL,
    deals      bigint[] NOT NULL
);
CREATE INDEX inbox_seen_last ON inbox_seen (server_id, last_deal);

CREATE TABLE inbox_cash (
    server_id integer NOT NULL,
    ticket    bigint NOT NULL,
    login     bigint NOT NULL,
    time_ms   bigint NOT NULL,
    kind      text NOT NULL,
    amount_e8 bigint NOT NULL,
    comment   text NOT NULL,
    batch_id  bigint NOT NULL,
    PRIMARY KEY (server_id, ticket)
);

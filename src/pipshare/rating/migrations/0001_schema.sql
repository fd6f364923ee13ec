-- What each rating of a trade posted: one immutable row, its lines as parallel arrays. The first
-- rating (seq 1) posts the whole; later ones post differences. standing: 1 introduced, 2 direct,
-- 3 excluded, 4 history (closed before go-live: nothing posted).
CREATE TABLE rating_entry (
    server_id   integer NOT NULL,
    ticket      bigint NOT NULL,
    seq         smallint NOT NULL,
    revision    smallint NOT NULL,
    standing    smallint NOT NULL,
    login       bigint NOT NULL,
    chain_id    integer NOT NULL,
    day         date NOT NULL,
    transfer_id bigint NOT NULL,
    component   integer[],
    level       smallint[],
    partner     integer[],
    account     integer[] NOT NULL,
    rate        integer[] NOT NULL,
    reason      smallint[],  -- null: all paid
    amount_e8   bigint[] NOT NULL,
    orig_e8     bigint[],  -- null or empty: nothing was converted
    fx          integer[],
    PRIMARY KEY (server_id, ticket, seq)
);
CREATE INDEX rating_entry_transfer ON rating_entry USING brin (transfer_id);

CREATE TABLE rating_waiting (
    server_id integer NOT NULL,
    ticket    bigint NOT NULL,
    component integer NOT NULL,
    level     smallint NOT NULL,
    partner   integer NOT NULL,
    reason    text NOT NULL,
    key       text NOT NULL DEFAULT '',
    since     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (server_id, ticket, component, level)
);

-- A request to rate stored trades again (go-live, relation, terms or plan changed): a queue row.
CREATE TABLE rating_request (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    server_id  integer NOT NULL,
    logins     bigint[],
    close_from timestamptz NOT NULL DEFAULT '-infinity',
    close_to   timestamptz NOT NULL DEFAULT 'infinity',
    cause      text NOT NULL,
    state      text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'claimed', 'done', 'failed')),
    attempts   integer NOT NULL DEFAULT 0,
    not_before timestamptz NOT NULL DEFAULT now(),
    cursor_ticket bigint NOT NULL DEFAULT -9223372036854775808,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX rating_request_open ON rating_request (not_before) WHERE state IN ('new', 'claimed');

-- Where component, level and partner are null, the lines are the chain's levels from 1 up, and
-- their components are the rates'.
CREATE VIEW rating_line AS
SELECT e.server_id, e.ticket, e.seq, e.revision, e.standing, e.login, e.chain_id, e.day,
       e.transfer_id,
       COALESCE(l.component, r.component_id) AS component,
       COALESCE(l.level, l.place)::smallint AS level,
       COALESCE(l.partner, c.partners[l.place]) AS partner,
       l.account, l.rate, COALESCE(l.reason, 0::smallint) AS reason,
       l.amount_e8 AS amount_e8,
       COALESCE(l.orig_e8, l.amount_e8) AS orig_e8,
       COALESCE(l.fx, 0) AS fx
  FROM rating_entry e
  LEFT JOIN attribution_chain c ON c.id = e.chain_id AND e.partner IS NULL
  CROSS JOIN LATERAL unnest(e.component, e.level, e.partner, e.account, e.rate, e.reason,
                            e.amount_e8, e.orig_e8, e.fx) WITH ORDINALITY
         AS l(component, level, partner, account, rate, reason, amount_e8, orig_e8, fx, place)
  LEFT JOIN plans_rate r ON r.id = l.rate AND l.component IS NULL;

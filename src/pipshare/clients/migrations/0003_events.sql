-- What happened to clients beside their trades. Never updated: other content of a known (source,
-- event) is another row. Of these the highest version holds, then the latest `at`, then the highest
-- id. Clients and accounts are kept as they were named, and found when they are asked for.
CREATE TABLE clients_event (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity_id   integer NOT NULL REFERENCES market_entity,
    source      text NOT NULL,
    event       text NOT NULL,
    kind        text NOT NULL,
    client      text NOT NULL,  -- code; '' = the owner of the account
    at          timestamptz NOT NULL,
    amount_e8   bigint NOT NULL,  -- 0 = not told; the kind says which way the money went
    currency    text NOT NULL,
    reference   text NOT NULL,  -- the event of the same source that this one is about
    server      text NOT NULL,
    login       bigint NOT NULL,
    country     text NOT NULL,
    balance_e8  bigint NOT NULL,
    credit_e8   bigint NOT NULL,
    equity_e8   bigint NOT NULL,
    cleared_at  timestamptz NOT NULL,
    method      text NOT NULL,
    document    text NOT NULL,
    expires_at  timestamptz NOT NULL,  -- -infinity = does not expire
    version     bigint NOT NULL,
    content     bigint NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL,
    UNIQUE (source, event, content)
);
CREATE INDEX clients_event_client ON clients_event (entity_id, client);
CREATE INDEX clients_event_account ON clients_event (server, login, at) WHERE login <> 0;

CREATE INDEX clients_event_reference ON clients_event (source, reference) WHERE reference <> '';

-- Whose each account is now.
CREATE VIEW clients_account_owner AS
SELECT a.id AS account_id, s.code AS server, a.login, a.server_id,
       coalesce((SELECT o.client_id FROM clients_owner o WHERE o.account_id = a.id
                  ORDER BY o.id DESC LIMIT 1), a.client_id) AS client_id
  FROM clients_account a JOIN market_server s ON s.id = a.server_id;

-- The content that holds of each event, and its client as known now.
CREATE VIEW clients_event_current AS
SELECT e.*, coalesce(c.id, w.client_id) AS client_id
  FROM clients_event e
  LEFT JOIN clients_client c
         ON c.entity_id = e.entity_id AND c.code = e.client AND e.client <> ''
  LEFT JOIN clients_account_owner w
         ON e.client = '' AND w.server = e.server AND w.login = e.login
 WHERE NOT EXISTS (SELECT FROM clients_event n
                    WHERE n.source = e.source AND n.event = e.event
                      AND (n.version, n.at, n.id) > (e.version, e.at, e.id));

-- Events of a client or account, or about an event, that is not known yet.
CREATE TABLE clients_event_waiting (
    event_id bigint PRIMARY KEY REFERENCES clients_event,
    reason   text NOT NULL CHECK (reason IN
             ('unknown_client', 'unknown_account', 'unknown_reference')),
    key      text NOT NULL,
    since    timestamptz NOT NULL DEFAULT now()
);

-- Clients of whom something became known: what they earned their partners from `since` on may be
-- different. Whoever settles takes rows away and works them off in one transaction.
CREATE TABLE clients_touched (
    client_id integer PRIMARY KEY REFERENCES clients_client,
    since     timestamptz NOT NULL
);

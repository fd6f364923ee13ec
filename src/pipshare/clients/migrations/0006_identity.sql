-- Whose a client's accounts and events are, as worked out of the words told (client_merged and
-- client_unmerged). Append-only: the newest record of a client holds; NULL = his own.
CREATE TABLE clients_merge (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    client_id   integer NOT NULL REFERENCES clients_client,
    into_id     integer REFERENCES clients_client,  -- whom he ends up as, over any number of merges
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL,
    CHECK (client_id <> into_id)
);
CREATE INDEX clients_merge_client ON clients_merge (client_id, id);

-- Clients who are merged into others.
CREATE VIEW clients_same AS
SELECT client_id, into_id
  FROM (SELECT DISTINCT ON (client_id) client_id, into_id FROM clients_merge
         ORDER BY client_id, id DESC) newest
 WHERE into_id IS NOT NULL;

-- What became of each word on who a client is, or whose; `proposal`: what two people decide of it.
CREATE TABLE clients_identity (
    event_id bigint PRIMARY KEY REFERENCES clients_event,
    state    text NOT NULL CHECK (state IN ('followed', 'same', 'waits', 'proposed', 'rejected',
                                            'withdrawn', 'refused', 'outdated')),
    proposal integer,
    detail   text NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX clients_event_identity ON clients_event (kind)
 WHERE kind IN ('client_merged', 'client_unmerged', 'client_reassigned',
                'client_reassignment_cancelled');

-- Which source's events of a kind of fact count, from when on; the record made last holds. Without
-- one all sources count, and what two of them tell counts once.
CREATE TABLE clients_authority (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity_id   integer NOT NULL REFERENCES market_entity,
    fact        text NOT NULL CHECK (fact IN ('money', 'kyc')),
    source      text NOT NULL,  -- '' = all sources again
    valid_from  timestamptz NOT NULL DEFAULT '-infinity',
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by text NOT NULL CHECK (btrim(recorded_by) <> ''),
    reason      text NOT NULL CHECK (btrim(reason) <> '')
);

CREATE OR REPLACE VIEW clients_account_owner AS
SELECT o.account_id, o.server, o.login, o.server_id, coalesce(m.into_id, o.client_id) AS client_id
  FROM (SELECT a.id AS account_id, s.code AS server, a.login, a.server_id,
               coalesce((SELECT c.client_id FROM clients_owner c WHERE c.account_id = a.id
                          ORDER BY c.id DESC LIMIT 1), a.client_id) AS client_id
          FROM clients_account a JOIN market_server s ON s.id = a.server_id) o
  LEFT JOIN clients_same m ON m.client_id = o.client_id;

CREATE OR REPLACE VIEW clients_event_current AS
SELECT e.*, coalesce(m.into_id, c.id, w.client_id) AS client_id
  FROM clients_event e
  LEFT JOIN clients_client c
         ON c.entity_id = e.entity_id AND c.code = e.client AND e.client <> ''
  LEFT JOIN clients_same m ON m.client_id = c.id
  LEFT JOIN clients_account_owner w
         ON e.client = '' AND w.server = e.server AND w.login = e.login
 WHERE NOT EXISTS (SELECT FROM clients_event n
                    WHERE n.source = e.source AND n.event = e.event
                      AND (n.version, n.at, n.id) > (e.version, e.at, e.id));

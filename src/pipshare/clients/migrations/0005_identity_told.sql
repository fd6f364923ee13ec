-- What events say of who a client is and whose: duplicates, merges and re-assignments.
ALTER TABLE clients_event
    ADD COLUMN other_client text NOT NULL DEFAULT '',  -- code
    ADD COLUMN partner      text NOT NULL DEFAULT '',  -- code; 'direct' = nobody's client
    ADD COLUMN reason       text NOT NULL DEFAULT '',
    ADD COLUMN effective_at timestamptz NOT NULL DEFAULT '-infinity';  -- -infinity = `at`

-- The same as before, with the new columns.
DROP VIEW clients_event_current;
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

-- What was claimed of clients: by a code typed, a click, a CRM's field; and what became of each.
CREATE TABLE attribution_claim (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    client_id     integer NOT NULL REFERENCES clients_client,
    via           text NOT NULL,
    evidence      text NOT NULL,           -- the code as typed, the click's id
    partner_id    integer REFERENCES partners_partner,  -- NULL = nobody stands behind it
    moment        timestamptz NOT NULL,    -- of the click, else of the telling
    registered_at timestamptz NOT NULL,    -- what the click's age was held against
    told_by       text NOT NULL,           -- s2s:<tracker>
    told_id       text NOT NULL,           -- of the postback
    decision      text NOT NULL CHECK (decision IN ('attributed', 'kept', 'refused')),
    reason        text NOT NULL,
    detail        text NOT NULL,
    recorded_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX attribution_claim_client ON attribution_claim (client_id, id);

-- How somebody becomes a partner: applications and what became of them, agreements and who accepted
-- which version. What tells of a person stands apart, in rows that can be removed: the application,
-- its steps and the acceptance (which version, when, the hash of its text) stay.
CREATE TABLE partners_application (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity_id   integer NOT NULL REFERENCES market_entity,
    reference   text NOT NULL UNIQUE,           -- opens the applicant's page: never guessed, never said
    source      text NOT NULL DEFAULT 'apply',  -- the public page, or the CRM that told of it
    external    text NOT NULL DEFAULT '',       -- the IB's id there
    parent      text NOT NULL DEFAULT '',       -- the code of who brought him, as it was typed
    currency    text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX partners_application_external ON partners_application (source, external)
 WHERE external <> '';
CREATE INDEX partners_application_entity ON partners_application (entity_id, id);

-- The person; erased by removing the row.
CREATE TABLE partners_applicant (
    application_id integer PRIMARY KEY REFERENCES partners_application,
    name           text NOT NULL,
    email          text NOT NULL DEFAULT '',
    company        text NOT NULL DEFAULT '',
    country        text NOT NULL DEFAULT '',
    phone          text NOT NULL DEFAULT '',
    website        text NOT NULL DEFAULT '',
    about          text NOT NULL DEFAULT '',
    address        text NOT NULL DEFAULT '',    -- it was sent from
    agent          text NOT NULL DEFAULT '',
    at             timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX partners_applicant_email ON partners_applicant (lower(email)) WHERE email <> '';
CREATE INDEX partners_applicant_address ON partners_applicant (address, at) WHERE address <> '';

-- What was decided, and when it happened; the step that happened last holds.
CREATE TABLE partners_application_step (
    id             integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    application_id integer NOT NULL REFERENCES partners_application,
    state          text NOT NULL
                   CHECK (state IN ('applied', 'screening', 'approved', 'rejected', 'withdrawn')),
    at             timestamptz NOT NULL DEFAULT clock_timestamp(),
    partner_id     integer REFERENCES partners_partner,  -- whom it made a partner
    reason         text NOT NULL DEFAULT '',
    recorded_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by    text NOT NULL DEFAULT '',
    CHECK ((state = 'approved') = (partner_id IS NOT NULL))
);
CREATE INDEX partners_application_step_application ON partners_application_step (application_id);
CREATE INDEX partners_application_step_partner ON partners_application_step (partner_id)
 WHERE partner_id IS NOT NULL;

-- What those who screen found out; it goes with the person.
CREATE TABLE partners_application_note (
    id             integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    application_id integer NOT NULL REFERENCES partners_application,
    at             timestamptz NOT NULL DEFAULT clock_timestamp(),
    by             text NOT NULL,
    note           text NOT NULL
);
CREATE INDEX partners_application_note_application ON partners_application_note (application_id);

-- Agreements in versions; of those that have begun the highest version holds.
CREATE TABLE partners_agreement (
    id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity_id    integer NOT NULL REFERENCES market_entity,
    code         text NOT NULL,
    version      integer NOT NULL,
    title        text NOT NULL,
    text         text NOT NULL,
    digest       text NOT NULL,                 -- SHA-256 of the text in UTF-8, hex
    valid_from   timestamptz NOT NULL,
    recorded_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by  text NOT NULL,
    UNIQUE (entity_id, code, version)
);

CREATE TABLE partners_acceptance (
    id             integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agreement_id   integer NOT NULL REFERENCES partners_agreement,
    application_id integer REFERENCES partners_application,
    partner_id     integer REFERENCES partners_partner,
    digest         text NOT NULL,               -- of the text that was shown
    way            text NOT NULL CHECK (way IN ('page', 'paper', 'crm')),
    at             timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_by    text NOT NULL DEFAULT '',
    CHECK (application_id IS NOT NULL OR partner_id IS NOT NULL)
);
CREATE UNIQUE INDEX partners_acceptance_application
    ON partners_acceptance (application_id, agreement_id) WHERE application_id IS NOT NULL;
CREATE INDEX partners_acceptance_partner ON partners_acceptance (partner_id, agreement_id);
CREATE INDEX partners_acceptance_agreement ON partners_acceptance (agreement_id);

-- Who accepted, from where; erased by removing the row.
CREATE TABLE partners_acceptance_person (
    acceptance_id integer PRIMARY KEY REFERENCES partners_acceptance,
    name          text NOT NULL,
    address       text NOT NULL DEFAULT '',
    agent         text NOT NULL DEFAULT ''
);

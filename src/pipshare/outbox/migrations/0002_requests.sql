-- Receivers of kind `request`: a system of the broker's that is called in its own way, and what it
-- calls what it was told of: the id in its answer, per receiver and subject.
ALTER TABLE outbox_receiver DROP CONSTRAINT outbox_receiver_kind_check;
ALTER TABLE outbox_receiver ADD CONSTRAINT outbox_receiver_kind_check
    CHECK (kind IN ('postback', 'webhook', 'request'));

CREATE TABLE outbox_external (
    receiver_id integer NOT NULL REFERENCES outbox_receiver,
    subject     text NOT NULL,
    crm_id      text NOT NULL,
    delivery_id bigint NOT NULL,         -- whose answer it was
    at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (receiver_id, subject)
);
CREATE INDEX outbox_external_subject ON outbox_external (subject);

-- Payments made outside and recorded here by two people: payable becomes paid.
CREATE TABLE payouts_payment (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity_id   integer NOT NULL,
    partner_id  integer NOT NULL,
    currency    text NOT NULL,
    amount_e8   bigint NOT NULL CHECK (amount_e8 > 0),
    reference   text NOT NULL CHECK (reference <> ''),
    paid_on     date NOT NULL,
    transfer_id bigint NOT NULL,
    recorded_by text NOT NULL,  -- both people
    recorded_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (entity_id, reference)
);
CREATE TRIGGER payouts_payment_fixed BEFORE UPDATE OR DELETE OR TRUNCATE ON payouts_payment
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();

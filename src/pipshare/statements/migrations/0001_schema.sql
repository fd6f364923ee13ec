-- What each payee earned in a period, as it stood when the period was closed.
CREATE TABLE statements_frozen (
    entity_id    integer NOT NULL,
    period       text NOT NULL,
    payee_kind   text NOT NULL CHECK (payee_kind IN ('partner', 'client')),
    payee_id     integer NOT NULL,
    currency     text NOT NULL,
    opening_e8   bigint NOT NULL,  -- all states but paid and forfeited, before the period
    accrued_e8   bigint NOT NULL,
    corrected_e8 bigint NOT NULL,
    adjusted_e8  bigint NOT NULL,
    payable_e8   bigint NOT NULL,  -- of it became payable by the closing
    carried_e8   bigint NOT NULL,  -- stays accrued: debts, the rest below a minor unit, a minimum
    held_e8      bigint NOT NULL,
    why          text NOT NULL DEFAULT '',  -- why it is carried, where there is more to say
    transfer_id  bigint NOT NULL,  -- the closing transfer, 0 = nothing became payable
    PRIMARY KEY (entity_id, period, payee_kind, payee_id, currency)
);
CREATE TRIGGER statements_frozen_fixed BEFORE UPDATE OR DELETE OR TRUNCATE ON statements_frozen
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();

-- Who did what, and what waits for a second person. Append-only but for the decision.
CREATE TABLE audit_event (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL DEFAULT now(),
    actor    text NOT NULL,
    action   text NOT NULL,
    subject  text NOT NULL,
    reason   text NOT NULL DEFAULT '',
    detail   jsonb NOT NULL DEFAULT '{}'
);

-- The program compares names more strictly (Unicode case folding); the checks hold for all else.
CREATE TABLE audit_proposal (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind        text NOT NULL,
    subject     text NOT NULL,
    payload     jsonb NOT NULL,
    reason      text NOT NULL CHECK (btrim(reason) <> ''),
    proposed_by text NOT NULL CHECK (btrim(proposed_by) <> ''),
    proposed_at timestamptz NOT NULL DEFAULT now(),
    decided_by  text,
    decided_at  timestamptz,
    approved    boolean,
    CHECK (btrim(decided_by) <> ''),
    CONSTRAINT audit_two_people
        CHECK (NOT approved OR lower(btrim(decided_by)) <> lower(btrim(proposed_by))),
    CHECK ((decided_by IS NULL) = (decided_at IS NULL)),
    CHECK ((decided_by IS NULL) = (approved IS NULL))
);
CREATE INDEX audit_proposal_pending ON audit_proposal (id) WHERE decided_by IS NULL;

-- A proposal is born undecided, decided once, and otherwise never changed, whatever the role.
CREATE FUNCTION audit_decide_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.decided_by IS NOT NULL THEN
            RAISE EXCEPTION 'a proposal cannot be decided as it is made';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR OLD.decided_by IS NOT NULL
       OR (NEW.id, NEW.kind, NEW.subject, NEW.payload, NEW.reason, NEW.proposed_by, NEW.proposed_at)
          IS DISTINCT FROM
          (OLD.id, OLD.kind, OLD.subject, OLD.payload, OLD.reason, OLD.proposed_by, OLD.proposed_at)
    THEN
        RAISE EXCEPTION 'proposal %: a proposal is decided once and never changed', OLD.id;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER audit_decide_once BEFORE INSERT OR UPDATE OR DELETE ON audit_proposal
    FOR EACH ROW EXECUTE FUNCTION audit_decide_once();

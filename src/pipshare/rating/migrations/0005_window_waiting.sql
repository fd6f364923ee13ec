-- What waits in a window and is of no trade: a client's bonus, a cost of a period, a sum of a period
-- in which nobody traded. Settling the window again, (shard) or of the client (shard 0), takes it up.
CREATE TABLE rating_window_waiting (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity_id    integer NOT NULL,
    component    integer NOT NULL,
    shard        integer NOT NULL,
    window_start timestamptz NOT NULL,
    window_end   timestamptz NOT NULL,
    client_id    integer NOT NULL,  -- 0 = of no client
    level        smallint NOT NULL,
    partner      integer NOT NULL,  -- 0 = nobody can say yet who is paid
    event        text NOT NULL,
    earned_at    timestamptz NOT NULL,  -- 1970 = nobody can say yet when
    reason       text NOT NULL,
    key          text NOT NULL,
    since        timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX rating_window_waiting_subject ON rating_window_waiting (component, shard, client_id);

-- Deals that their platform does not show any more. Absence is not deletion: a row says what was
-- made of it. 'suspect': noticed, not asked yet; 'unseen': not seen since, its money is kept;
-- 'gone': the platform says it is deleted; 'held': that, but of too many at once, a person decides;
-- 'approved': he said yes, and the source asks once more and reverses; 'deleted': reversed. What is
-- seen again loses its row.
CREATE TABLE inbox_unseen (
    server_id  integer NOT NULL,
    deal       bigint NOT NULL,
    source_id  bigint NOT NULL,
    login      bigint NOT NULL,
    time_ms    bigint NOT NULL,
    state      text NOT NULL DEFAULT 'suspect'
               CHECK (state IN ('suspect', 'unseen', 'gone', 'held', 'approved', 'deleted')),
    why        text NOT NULL DEFAULT '',
    noticed_at timestamptz NOT NULL DEFAULT now(),
    settled_at timestamptz,
    decided_by text NOT NULL DEFAULT '',
    PRIMARY KEY (server_id, deal)
);
CREATE INDEX inbox_unseen_open ON inbox_unseen (source_id, state)
    WHERE state IN ('suspect', 'gone', 'held', 'approved');
CREATE INDEX inbox_unseen_time ON inbox_unseen (server_id, time_ms);

-- What of a window is stored, for whoever compares it with what the platform shows. Deals come
-- mostly in order of time, so that this costs next to nothing.
CREATE INDEX inbox_deal_time ON inbox_deal USING brin (time_ms int8_minmax_multi_ops)
    WITH (autosummarize = on);

-- Rows refused from a live connection have a batch and a ticket instead of a file and a line.
ALTER TABLE inbox_refused ALTER COLUMN file_id DROP NOT NULL;
ALTER TABLE inbox_refused ADD COLUMN batch_id bigint;
ALTER TABLE inbox_refused ADD COLUMN server_id integer;
ALTER TABLE inbox_refused ADD CONSTRAINT inbox_refused_from
    CHECK (file_id IS NOT NULL OR batch_id IS NOT NULL);
CREATE INDEX inbox_refused_live ON inbox_refused (server_id, code) WHERE file_id IS NULL;

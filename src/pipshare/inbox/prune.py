"""What may be pruned of clicks, of the log of postbacks and of raw bodies from CRMs."""

from __future__ import annotations

from pipshare.db.prune import BEFORE, Old

KEPT_CLICKS = """
CREATE TEMP TABLE IF NOT EXISTS inbox_kept_clicks (id text COLLATE "C" PRIMARY KEY)"""
KEEP_CLICKS = "INSERT INTO inbox_kept_clicks {} ON CONFLICT DO NOTHING"
# Clicks that the caller keeps, that an accepted postback names, or what waits for a client.
_CLICKS = """
t.id < %(first_click)s
AND NOT EXISTS (SELECT FROM inbox_postback p
                 WHERE p.click = t.id AND p.click <> '' AND p.verdict = 'accepted')
AND NOT EXISTS (SELECT FROM inbox_kept_clicks k WHERE k.id = t.id)
AND t.id NOT IN (SELECT m[1] COLLATE "C" FROM inbox_payload_waiting w,
                        regexp_matches(w.told::text, '[0-9a-v]{26}', 'g') m)"""
_SETTLED = f"""
EXISTS (SELECT FROM inbox_payload p WHERE p.id = t.payload_id AND p.at < {BEFORE})
AND NOT EXISTS (SELECT FROM inbox_payload_due d WHERE d.payload_id = t.payload_id)
AND NOT EXISTS (SELECT FROM inbox_payload_waiting w WHERE w.payload_id = t.payload_id)
AND {{}} EXISTS (
    SELECT FROM inbox_payload p WHERE p.id = t.payload_id AND (
           p.verdict = 'rejected' OR p.problems > 0 OR EXISTS (
           SELECT FROM inbox_payload_item i
            WHERE i.payload_id = p.id AND i.outcome IN ('problem', 'refused')
              AND i.run = (SELECT max(run) FROM inbox_payload_item m
                            WHERE m.payload_id = p.id))))"""

# Their conditions ask for `before_ms` (UTC) and `first_click`, the lowest click id of that moment.
OLD = (
    Old("clicks", "clicks of which nothing came",
         "those that a claim or an accepted postback names, and all in the window",
         "inbox_click", "t.id", _CLICKS),
    Old("postbacks", "postbacks that were refused or repeated", "accepted ones",
         "inbox_postback", "t.id", f"t.verdict <> 'accepted' AND t.at < {BEFORE}"),
    Old("payloads", "raw bodies from CRMs of which everything is settled",
         "bodies that are due, wait or have a problem; what was made of each",
         "inbox_payload_body", "t.payload_id", _SETTLED.format("NOT")),
    Old("problems", "raw bodies from CRMs that were refused, or that nobody mended",
         "bodies that are due or wait; what was wrong with each",
         "inbox_payload_body", "t.payload_id", _SETTLED.format("")),
)  # fmt: skip

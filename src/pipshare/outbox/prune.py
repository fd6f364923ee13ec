"""What may be pruned of deliveries and attempts. Messages stay: by them nothing is said twice."""

from __future__ import annotations

from pipshare.db.prune import BEFORE, Old

_DELIVERY = """
WITH gone AS (DELETE FROM {table} t WHERE {key} > %(after)s AND {key} <= %(last)s AND {gone}
              RETURNING id),
tried AS (DELETE FROM outbox_attempt a USING gone WHERE a.delivery_id = gone.id)
SELECT FROM gone"""

# Numbers of a receiver and subject go on from the last: that one stays. So does one whose answer
# told us the receiver's own id.
_ENDED = f"""
t.ended_at < {BEFORE}
AND EXISTS (SELECT FROM outbox_delivery n WHERE n.receiver_id = t.receiver_id
               AND n.subject = t.subject AND n.seq > t.seq)
AND NOT EXISTS (SELECT FROM outbox_external e WHERE e.delivery_id = t.id)
AND """
_ATTEMPTS = f"""
t.at < {BEFORE}
AND EXISTS (SELECT FROM outbox_delivery d
             WHERE d.id = t.delivery_id AND d.state IN ('delivered', 'cancelled'))"""

# Their conditions ask for `before_ms` (UTC).
OLD = (
    Old("attempts", "what was sent and answered, of deliveries that arrived",
         "those of deliveries that are dead or under way",
         "outbox_attempt", "t.delivery_id", _ATTEMPTS, start=0),
    Old("deliveries", "deliveries that arrived or were called off, with their attempts",
         "the messages, and the last delivery of each subject to each receiver",
         "outbox_delivery", "t.id", _ENDED + "t.state IN ('delivered', 'cancelled')",
         _DELIVERY, 0),
    Old("dead", "dead deliveries, with their attempts: nobody can send them again then",
         "the last delivery of each subject to each receiver",
         "outbox_delivery", "t.id", _ENDED + "t.state = 'dead'", _DELIVERY, 0),
)  # fmt: skip

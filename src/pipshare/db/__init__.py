"""The one door to PostgreSQL: connections, transactions, columns in and out, queues, migrations.

What comes in: columns (numpy, Polars) and SQL. What goes out: frames and connections. Guaranteed:
the application's role cannot change what is booked; the embedded server runs only while used, and
leaves nothing behind however its users end.
"""

from pipshare.db.columns import (
    Bool,
    Bytes,
    Column,
    Date,
    Int2,
    Int2Array,
    Int4,
    Int4Array,
    Int8,
    Int8Array,
    Text,
    Timestamp,
)
from pipshare.db.connection import Role, Target, connect, target, transaction, use
from pipshare.db.copy import copy_in
from pipshare.db.faults import is_passing, said_of, where
from pipshare.db.gather import Gather
from pipshare.db.migrate import migrate
from pipshare.db.queue import claim, finish, listen, postpone, wake
from pipshare.db.read import ms, read_columns
from pipshare.db.seal import reseal, seal, unseal

__all__ = [
    "Bool",
    "Bytes",
    "Column",
    "Date",
    "Gather",
    "Int2",
    "Int2Array",
    "Int4",
    "Int4Array",
    "Int8",
    "Int8Array",
    "Role",
    "Target",
    "Text",
    "Timestamp",
    "claim",
    "connect",
    "copy_in",
    "finish",
    "is_passing",
    "listen",
    "migrate",
    "ms",
    "postpone",
    "read_columns",
    "reseal",
    "said_of",
    "seal",
    "target",
    "transaction",
    "unseal",
    "use",
    "wake",
    "where",
]

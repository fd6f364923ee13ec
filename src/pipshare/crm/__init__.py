"""What CRMs say: payloads of any shape to canonical events by configuration, and proofs of sender.

What comes in: bodies and headers of webhooks, records that were polled, rows, files; a mapping and
a way of verification as JSON. What goes out: events, accounts, clients and claims as texts in the
names of facts.fields, or problems that name rule, field and expression. Guarantee: pure, it owns no
table; no payload raises anything but a named problem; amounts keep their digits.
"""

from pipshare.crm.canonical import Canonical, canonical
from pipshare.crm.mapping import CrmMapping, Mapped, Outcome, Problem, Skipped
from pipshare.crm.payload import read_payload
from pipshare.crm.presets import PRESETS, Preset, preset
from pipshare.crm.read_mapping import mapping_of, read_mapping
from pipshare.crm.read_verify import read_verification
from pipshare.crm.verify import Accepted, Refused, Request, Verification

__all__ = [
    "PRESETS",
    "Accepted",
    "Canonical",
    "CrmMapping",
    "Mapped",
    "Outcome",
    "Preset",
    "Problem",
    "Refused",
    "Request",
    "Skipped",
    "Verification",
    "canonical",
    "mapping_of",
    "preset",
    "read_mapping",
    "read_payload",
    "read_verification",
]

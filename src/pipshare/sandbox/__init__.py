"""The sandbox: a broker in a box, made from a seed.

What comes in: a seed and a size. What goes out: load files, programmes and trade exports in the
forms that real platforms write, and what every partner must have earned from them, worked out
here. Guarantee: shares no code with the connectors or the engine it is used to try; the same seed
writes the same bytes.

Beside the files: `mt5`, a trade server; `tracker`, which takes postbacks and webhooks; `crm`, with
clients, a partner API and webhooks; `visitors`, who click on links, and `site`, the broker's site
that tells of them.
"""

from pipshare.sandbox.broker import Broker, make_broker
from pipshare.sandbox.expected import expected_totals
from pipshare.sandbox.files import write_demo

__all__ = ["Broker", "expected_totals", "make_broker", "write_demo"]

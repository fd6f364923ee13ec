"""Generic CSV and XML of any shape, read by a mapping file.

What comes in: an opened file, with a mapping (TOML) that says which column or element is which
field. A CSV whose header uses pipshare's own field names needs none. What goes out: a Reading of
TRADE or DEAL frames. Guarantee: a mapping that does not fit is refused with its file, its key and
what is allowed; a row that does not fit is refused with line, field and reason.
"""

from pipshare.sources.mapped.mapping import Mapping, read_mapping
from pipshare.sources.mapped.parse import own_names, read

__all__ = ["Mapping", "own_names", "read", "read_mapping"]

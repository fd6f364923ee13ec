"""Read-only replicas of CRMs' databases: the schema in configuration, the rows as JSON.

What comes in: settings that name tables, columns and keys, and a door to the database (pipeline).
What goes out: pages of {"table", "row"} in our names, each with its watermark. Guarantee: nothing
but SELECTs of named columns is made; names are checked, values are parameters.
"""

from pipshare.crm.sql.client import Door, Replica
from pipshare.crm.sql.config import Config, Table

__all__ = ["Config", "Door", "Replica", "Table"]

"""Files that a CRM drops into a folder: JSON, lines of JSON, or CSV, cut into payloads.

Pure: pipeline/crm/folder.py watches the folder, reads the files and moves them away.
"""

from pipshare.crm.folder.parse import LARGEST, NDJSON, SUFFIXES, pieces

__all__ = ["LARGEST", "NDJSON", "SUFFIXES", "pieces"]

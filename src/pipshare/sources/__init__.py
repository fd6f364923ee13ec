"""Sources: a platform's own formats in, facts out.

What comes in: files (and later connections) in the form a platform gives them. What goes out: a
Reading, which tells what the file is and hands over facts chunk by chunk. Guarantee: pure
parsing; nothing here knows of partners, money rules or the database. One folder per format:
parse.py (pure), README.md.
"""

"""The console: the rooms of the broker's staff.

What comes in: requests of signed-in people. What goes out: pages read from the stages' own read
functions; nothing is worked out here. Guarantee: each view names its permission, each reads in one
read-only transaction and passes the scope of whoever looks; no page needs a script.
"""

"""The console: the rooms of the broker's staff.

What comes in: requests of signed-in people. What goes out: pages read from the stages' own read
functions; nothing is worked out here. Guarantee: each view names its permission, reads in one
read-only transaction and passes the scope of whoever looks; what changes something is a POST that
calls one function of a stage, which audits it; no page needs a script.
"""

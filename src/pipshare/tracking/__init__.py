"""Tracking, server to server: what trackers and brokers' sites say to us, and what is said to them.

What comes in: links, clicks and postbacks as they were sent; facts that somebody wants to hear of.
What goes out: the same as plain values; addresses and bodies to be delivered. Guarantee: pure. It
owns no table, opens no connection and knows nothing of money; the pipeline hands things over.
"""

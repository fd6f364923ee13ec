"""Delivery as the program runs it: who is told when a receiver is given up.

notices.py     a receiver was switched off: alert, mail; resumed: the alert is over
mail.py        hands a mail to the operator's server
"""

"""Delivery as the program runs it: who is told when a receiver is given up.

    set_up.py      a receiver is added or changed: only what can be sent
notices.py     a receiver was switched off: alert, mail; resumed: the alert is over
mail.py        hands a mail to the operator's server
"""

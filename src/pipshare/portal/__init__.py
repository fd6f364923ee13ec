"""The portal: pages for partners, and for those who want to become one.

What comes in: requests of people whom nobody signed in. What goes out: the page to apply on, and
each applicant's own page, opened by a reference that cannot be guessed. Guarantee: what was
accepted is kept with the text that was shown; nothing that somebody filled in is lost without a
word; robots are told from people by a field that people do not see, by haste and by number.
"""

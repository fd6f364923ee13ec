"""A CRM in a box: clients with stories, a partner API, webhooks, and a door for applicants.

    people.py, plots.py   who comes, and what becomes of him: the same for the same seed
    clock.py              stories go faster than life; nothing is dated in the future
    books.py              what happened so far, as records and webhooks
    currentdesk.py        the partner API, by date, errors as HTTP 200
    webhooks.py           what the API lacks, signed;  courier.py  sends it until it is taken
    introducers.py        applications of introducing brokers are accepted, refused or not answered
    faults.py             what goes wrong on request;  controls.py  what is done by hand
    server.py             the HTTP server on loopback;  pages.py  what a browser sees of it

It shares no code with what reads it: a misunderstanding on one side shows on the other. It keeps
nothing: started again with the same seed, the same people come, with new dates.
"""

from pipshare.sandbox.crm.books import APIS, Cast
from pipshare.sandbox.crm.controls import CONTROLS
from pipshare.sandbox.crm.currentdesk import Partner
from pipshare.sandbox.crm.faults import ANSWERS, SENDING, Fault
from pipshare.sandbox.crm.plots import PLOTS
from pipshare.sandbox.crm.server import CrmServer, Options
from pipshare.sandbox.crm.webhooks import EVENTS

__all__ = ["ANSWERS", "APIS", "CONTROLS", "EVENTS", "PLOTS", "SENDING", "Cast", "CrmServer",
           "Fault", "Options", "Partner"]  # fmt: skip

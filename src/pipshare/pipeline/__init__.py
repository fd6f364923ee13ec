"""The whole program on one page: facts come in, and what each partner earned is booked.

    file ──> inbox ──> trades ──> attribution ──> rating ──> ledger ──> statements
             (raw,     (closed,   (whose client,  (lines     (balanced
              once)    revised)    which chain)    exactly)   transfers)

Each stage writes its own tables and never calls the next. This package calls them in that order:

    book.py    attribute, rate and post a batch of trades: the main job
    files.py   a trade export goes through inbox and trades into `book`, a transaction per chunk
    admit.py, journals.py   may the file book, and is it the platform that tells?
    whose.py   the chain at the close, or at the opening where a programme says so
    place.py   a batch as the kernel takes it, with what the plans in force ask for
    windows/   what builds up (tiers, caps, CPA): noted when touched, settled by difference
    closing.py a period is closed: what each payee earned is frozen and becomes payable
    rest.py    what waited, or must be rated again, is taken up until nothing is left to do
    loads.py   reference data, plans and approvals come in; then everything is brought to rest
    run.py     what one command reads once and uses for all its batches

and what comes in and goes out beside trades:

    feeds/, work/   live sources are read, and all that is due is done, by `pipshare work`
    postbacks.py, crm/   what trackers and CRMs tell is stored at the door, then settled
    attributing.py, identity/   whose client somebody is; who is the same person, or was moved
    deposits/, compliance.py   whose deposits count; what is held, blocked, or ends soon
    onboarding.py   how somebody becomes a partner
    paying.py  what is payable now, and payments that two people book
    said/, delivering/   what is told to the outside, and sent until it arrives
    explained/, simulate/, compare/   why an amount is what it is; what another plan would pay

Guarantee: a batch and all its results are one transaction; the next run continues where the last
one committed, and a repeat changes nothing.
"""

from pipshare.pipeline.book import Booked, book
from pipshare.pipeline.rest import to_rest
from pipshare.pipeline.run import Run

__all__ = ["Booked", "Run", "book", "to_rest"]

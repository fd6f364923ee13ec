"""One client's qualification by hand: every moment of his life is asked anew whether he qualifies.

Nothing is remembered but what was paid. At each moment all facts known by then are looked at from
the start: is there a moment, up to now, at which all conditions held, with what is left of each
deposit by now? So a reversal that comes first, a dispute that is won and a deposit that clears late
need no rule of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import accumulate

from pipshare.plans.periods import Tier
from pipshare.plans.qualifying import Qualify
from pipshare.rating.twin.day import BrokerDay
from pipshare.rating.twin.rounding import units
from pipshare.rating.twin.taken_back import RANK, Event, disputed_since, left_of
from pipshare.rating.twin.tiers import band_at

HOUR_MS = 3_600_000
# (base, quote, utc_ms) -> the exact rate.
Rate = Callable[[str, str, int], Fraction]


@dataclass(frozen=True)
class Closed:
    """A closed trade of the client that passes the conditions: what it adds to each measure."""

    at_ms: int
    lots: Fraction = Fraction(0)
    spread: Fraction = Fraction(0)
    commission: Fraction = Fraction(0)
    revenue: Fraction = Fraction(0)


@dataclass(frozen=True)
class Paid:
    """Something to pay, or to take back (`clawback`): the steps from `below` up to `step`.

    `undoes_ms`: when that was paid which it takes back; `undone_ms`: when it is taken back;
    `earned_ms`: the moment of what this is a part of that is left; 0 where there is no such moment.
    `withdrawn`: it is taken back for a withdrawal.
    """

    at_ms: int
    below: int
    step: int
    clawback: bool = False
    held: bool = False
    undoes_ms: int = 0
    undone_ms: int = 0
    earned_ms: int = 0
    withdrawn: bool = False


class Client:
    """One client: his events and trades in any order, and what is asked of him."""

    def __init__(
        self, events: Sequence[Event], trades: Sequence[Closed], asked: Qualify, day: BrokerDay,
        rate: Rate | None = None,
    ) -> None:  # fmt: skip
        self.events = sorted(events, key=lambda e: (e.at_ms, RANK.get(e.kind, 0), e.name))
        self.trades, self.asked, self.day, self.rate = trades, asked, day, rate

    def moments(self) -> list[int]:
        """Return every moment at which something may change."""
        moments = {e.at_ms for e in self.events} | {e.counts_ms for e in self.events}
        return sorted(moments | {t.at_ms for t in self.trades})

    def qualified_ms(self, as_of: int, doubted: bool = False) -> int | None:
        """Return the first moment at which all held, as known at `as_of`, and after which what has
        to stay deposited stayed; None = none yet."""
        moments = [moment for moment in self.moments() if moment <= as_of]
        too_little = [one for one in moments if self._lacks(one, as_of, doubted)]
        for moment in moments:
            if moment not in too_little and self._holds(moment, as_of, doubted):
                after = (one for one in too_little if one > moment)
                if not any(self._has_to_stay(moment, one) for one in after):
                    return moment
        return None

    def withdraws(self, moment: int) -> bool:
        """Tell whether he withdraws at a moment, where something has to stay deposited."""
        if self.asked.keep_days is None or self.asked.who == "crm":
            return False
        return any(e.kind == "withdrawal" and e.counts_ms == moment for e in self.events)

    def _has_to_stay(self, moment: int, later_ms: int) -> bool:
        """Tell whether what qualified him at a moment has to be there at a later one."""
        gone_by = self.day.date(later_ms) - self.day.date(moment)
        return gone_by <= timedelta(days=self.asked.keep_days or 0)

    def _lacks(self, moment: int, as_of: int, doubted: bool) -> bool:
        """Tell whether fewer deposits less withdrawals are there than have to stay."""
        asked = self.asked
        if asked.keep_days is None or asked.who == "crm":
            return False
        least = asked.first_deposit if asked.net_deposits is None else asked.net_deposits
        return least is not None and self._net(moment, as_of, doubted) < least

    def _net(self, moment: int, as_of: int, doubted: bool) -> Fraction:
        """Return deposits less withdrawals counted by a moment."""
        out = self._counted("withdrawal", moment, as_of, doubted)
        taken_out = sum((x for _, x in out), Fraction(0))
        return self.deposits(moment, as_of, doubted) - taken_out

    def deposits(self, moment: int, as_of: int, doubted: bool = False) -> Fraction:
        """Return the sum of deposits counted by a moment, with what is left of them by `as_of`."""
        return sum((x for _, x in self._counted("deposit", moment, as_of, doubted)), Fraction(0))

    def first_sum(self, moment: int, as_of: int, doubted: bool = False) -> Fraction:
        """Return the first deposit counted by a moment, or the sum of its first hours."""
        counted = self._counted("deposit", moment, as_of, doubted)
        if not counted:
            return Fraction(0)
        first = min(counted, key=lambda x: (x[0].at_ms, x[0].name))
        if not self.asked.sum_hours:
            return first[1]
        end = first[0].at_ms + self.asked.sum_hours * HOUR_MS
        return sum((x for e, x in counted if e.at_ms <= end), Fraction(0))

    def _holds(self, moment: int, as_of: int, doubted: bool) -> bool:
        asked = self.asked
        if self._doubled(as_of):
            return False
        crm = self._named(moment, as_of) and not self._all_taken(as_of, doubted)
        if asked.who != "own" and not crm:
            return False
        if asked.who != "crm":
            if asked.kyc and not self._approved(moment, as_of):
                return False
            if not self._deposited(moment, as_of, doubted) or not self._traded(moment):
                return False
        if self._asks_nothing() and not self._registered(moment):
            return False
        return self.in_time(moment, as_of, doubted)

    def _asks_nothing(self) -> bool:
        q = self.asked
        asks = (q.first_deposit, q.net_deposits, q.lots, q.spread, q.commission, q.revenue,
                q.orders, q.active_days)  # fmt: skip
        return q.who == "own" and not q.kyc and all(one is None for one in asks)

    def _registered(self, moment: int) -> bool:
        """Where nothing else is asked the registration itself qualifies."""
        return any(e.kind == "registration" and e.at_ms <= moment for e in self.events)

    def _all_taken(self, as_of: int, doubted: bool) -> bool:
        """Tell whether there were deposits, of which nothing is left."""
        had = any(e.kind == "deposit" and e.counts_ms <= as_of for e in self.events)
        return had and not self._counted("deposit", as_of, as_of, doubted)

    def _deposited(self, moment: int, as_of: int, doubted: bool) -> bool:
        asked = self.asked
        counted = self._counted("deposit", moment, as_of, doubted)
        if asked.first_deposit is not None:
            if not counted:
                return False
            if self.first_sum(moment, as_of, doubted) < asked.first_deposit:
                return False
        if asked.net_deposits is None:
            return True
        return self._net(moment, as_of, doubted) >= asked.net_deposits

    def _traded(self, moment: int) -> bool:
        asked = self.asked
        done = sorted((t for t in self.trades if t.at_ms <= moment), key=lambda t: t.at_ms)
        sums = (
            (asked.lots, sum((t.lots for t in done), Fraction(0))),
            *(
                (needed, max(accumulate(getattr(t, name) for t in done), default=Fraction(0)))
                for name in ("spread", "commission", "revenue")
                if (needed := getattr(asked, name)) is not None
            ),
            (asked.orders, len(done)),
            (asked.active_days, len({self.day.date(t.at_ms) for t in done})),
        )
        return all(needed is None or reached >= needed for needed, reached in sums)

    def in_time(self, moment: int, as_of: int, doubted: bool) -> bool:
        """Tell whether a moment is within the days that all of it has to happen in."""
        if self.asked.within_days is None:
            return True
        known = [e.at_ms for e in self.events if e.kind == "registration"]
        if not known:
            known = [e.at_ms for e, _ in self._counted("deposit", moment, as_of, doubted)]
        if not known:
            return True
        last = later(self.day.date(min(known)), self.asked.within_days, self.asked.calendar)
        return self.day.date(moment) <= last

    def _named(self, moment: int, as_of: int) -> bool:
        """Tell whether the CRM had said by a moment that he qualifies, and not taken it back."""
        since = None
        for event in self.events:
            if event.at_ms > as_of or event.kind not in ("qualified", "unqualified"):
                continue
            if event.kind == "unqualified":
                since = None
            elif since is None:
                since = event.at_ms
        return since is not None and since <= moment

    def _doubled(self, as_of: int) -> bool:
        """Tell whether he was a client before, by the last word known then."""
        words = [e.kind for e in self.events if e.at_ms <= as_of and e.kind.endswith("_duplicate")]
        return bool(words) and words[-1] == "client_duplicate"

    def _approved(self, moment: int, as_of: int) -> bool:
        """Tell whether his KYC was approved at a moment and that was not taken back by `as_of`;
        what merely expired after the moment was true at it."""
        words = [e for e in self.events if e.kind.startswith("kyc_")]
        by_then = [e for e in words if e.at_ms <= moment]
        if not by_then or by_then[-1].kind != "kyc_approved":
            return False
        over = 0 < by_then[-1].expires_ms <= moment
        later = [e for e in words[len(by_then) :] if e.at_ms <= as_of]
        return not over and all(e.kind in ("kyc_approved", "kyc_expired") for e in later)

    def _counted(
        self, kind: str, moment: int, as_of: int, doubted: bool
    ) -> list[tuple[Event, Fraction]]:
        """Return movements counted by a moment, with what is left of them as known at `as_of`."""
        out = []
        for event in self.events:
            if event.kind == kind and event.counts_ms <= moment:
                left = left_of(event, self.events, as_of, doubted=doubted)
                if left > 0:
                    out.append((event, self._money(event, left)))
        return out

    def disputed_ms(self) -> int | None:
        """Return the moment of the first dispute that is open in the end, None = there is none."""
        deposits = [e for e in self.events if e.kind == "deposit"]
        found = [disputed_since(one, self.events) for one in deposits]
        return min((at for at in found if at is not None), default=None)

    def worth(self, movement: Event) -> Fraction:
        """Return what was moved in the currency that is asked for. Raises LookupError."""
        return self._money(movement, movement.amount)

    def _money(self, event: Event, amount: Fraction) -> Fraction:
        wanted = self.asked.currency
        if not wanted or not event.currency or wanted == event.currency or self.rate is None:
            return amount
        return amount * self.rate(event.currency, wanted, event.at_ms)


def later(start: date, days: int, calendar: str) -> date:
    """Return the last day that is within so many days of a day, itself not counted."""
    if calendar == "calendar":
        return start + timedelta(days=days)
    while days:
        start += timedelta(days=1)
        days -= start.isoweekday() <= 5
    return start


def payments(
    client: Client,
    starts: Sequence[Fraction] = (Fraction(0),),
    tier: Tier | None = None,
    clawback_days: int | None = None,
    share_of: str = "",
) -> list[Paid]:
    """Return what is to be paid for a client, and taken back, in order.

    `starts` are the steps of a ladder of deposits (one step without a ladder); with `share_of`
    (all, first) what is paid is a share of his deposits, and steps are 1e-8 of them. A step that
    falls away is taken back within `clawback_days` of its payment (None = always), else it stays
    paid.
    What would not stand if the disputes now open were lost is held.
    """
    boundary = "from" if tier is None else tier.boundary
    ladder = tier is not None and tier.of_client
    by_first = share_of == "first" or (tier is not None and tier.measure == "first_deposit")
    out: list[Paid] = []
    standing: list[int] = []  # places in `out`
    fallen: dict[int, Paid] = {}  # what was taken back, by the step from which it was paid
    moments = client.moments()

    def reached(as_of: int, doubted: bool = False, before: int | None = None) -> int:
        since = client.qualified_ms(as_of, doubted)
        if since is None or (before is not None and since >= before):
            return 0
        if not ladder and not share_of:
            return 1
        best = max(
            client.first_sum(m, as_of, doubted) if by_first else client.deposits(m, as_of, doubted)
            for m in moments
            if since <= m <= as_of
            and (before is None or m < before)
            and client.in_time(m, as_of, doubted)
        )
        if share_of:
            return units(best, None, "")
        return band_at(starts, best, boundary) + 1

    def young(paid: Paid, at_ms: int) -> bool:
        days = (client.day.date(at_ms) - client.day.date(paid.at_ms)).days
        return clawback_days is None or days <= clawback_days

    for moment in moments:
        step = reached(moment)
        top = out[standing[-1]].step if standing else 0
        known = reached(moment, before=moment) if step > top and (ladder or not tier) else 0
        risen = list(_rising(moment, top, step, known, fallen))
        standing += range(len(out), len(out) + len(risen))
        out += risen
        while standing and out[standing[-1]].step > step:
            last = out[standing[-1]]
            if not young(last, moment):
                break
            place = standing.pop()
            fallen.setdefault(last.below, last)
            out[place] = replace(last, undone_ms=moment)
            out.append(Paid(moment, last.below, last.step, clawback=True, undoes_ms=last.at_ms,
                            withdrawn=client.withdraws(moment)))  # fmt: skip
            if last.below < step:  # a part of what was paid at once still stands
                standing.append(len(out))
                out.append(Paid(moment, last.below, step, earned_ms=last.earned_ms or last.at_ms))
    disputed = client.disputed_ms()
    if disputed is not None:
        sure = reached(moments[-1], doubted=True)
        for place in standing:
            if out[place].step > sure and young(out[place], disputed):
                out[place] = replace(out[place], held=True)
    return out


def _rising(
    moment: int, top: int, step: int, known: int, fallen: Mapping[int, Paid]
) -> Iterator[Paid]:
    """Yield what is to be paid from a step up to another: what held before (`known`) is given back
    as it was paid, the rest is new."""
    while top < step:
        earned_ms, end = 0, step
        if top < known and top in fallen:
            earned_ms = fallen[top].earned_ms or fallen[top].at_ms
            end = min(known, fallen[top].step)
        elif top < known:
            end = min([known, *(below for below in fallen if below > top)])
        yield Paid(moment, top, end, earned_ms=earned_ms)
        top = end


def due(steps: Sequence[Fraction], paid: Paid) -> Fraction:
    """Return the amount of a payment on a ladder whose steps are due in all."""
    whole = [Fraction(0), *steps]
    amount = whole[paid.step] - whole[paid.below]
    return -amount if paid.clawback else amount

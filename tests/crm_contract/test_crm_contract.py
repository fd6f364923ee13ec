"""The contract of CRMs: from a registration over the real door to lines in the ledger, and back.

Each system tells the same story: a client of a partner registers, deposits 500.25, is verified, and
has his deposit taken back. What a system lacks its README says, and a second door tells.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.crm_contract import fake_systems as fakes
from tests.crm_contract.contract_polled import (
    POLLED,
    CurrentDesk,
    Dropped,
    FxBackOffice,
    Track360,
)
from tests.crm_contract.contract_sent import SENT
from tests.crm_contract.contract_systems import (
    DEPOSIT,
    KYC,
    LOOPBACK,
    REGISTRATION,
    REVERSAL,
    System,
)
from tests.crm_contract.contract_world import Broker, serving
from tests.crm_contract.mariadb_server import MariaDb, mariadb

from pipshare.crm import preset
from pipshare.errors import PipshareError

README = Path(__file__).resolve().parents[2] / "src/pipshare/crm/README.md"
ALL = (*POLLED, *SENT, Dropped)
HTTP = tuple(one for one in POLLED if one is not FxBackOffice)
Begin = Callable[[type[System]], Any]


@pytest.fixture(scope="module")
def broker(module_db: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    from pipshare import settings

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "ENV", replace(settings.ENV, egress_allow=LOOPBACK))
        yield from _broker(module_db, tmp_path_factory)


def _broker(module_db: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with serving(module_db.environment) as port, module_db.app() as conn:
        yield Broker(conn, tmp_path_factory.mktemp("broker"), port)


@pytest.fixture(scope="module")
def maria() -> Iterator[MariaDb]:
    with mariadb() as made:
        yield made


@pytest.fixture
def begin(broker: Broker, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Begin]:
    """Set up a system with a client and a partner of its own."""
    made: list[Any] = []

    def start(kind: type[System]) -> Any:
        more: list[Any] = []
        if issubclass(kind, FxBackOffice):
            more = [request.getfixturevalue("maria")]
        elif issubclass(kind, Dropped):
            more = [tmp_path]
        make: Any = kind
        made.append(make(broker, next(broker.numbers), *more))
        return made[-1]

    yield start
    for one in made:
        one.close()


def _told(system: System, *steps: str) -> dict[str, float]:
    for step in steps:
        system.tell(step)
    if not steps:
        system.broker.settle()
    return system.broker.stands(system.partner_code)


@pytest.mark.parametrize("kind", ALL)
def test_from_the_registration_to_the_ledger_and_back(kind: type[System], begin: Begin) -> None:
    """What came comes again after each step, and changes nothing."""
    system = begin(kind)
    story = (
        (REGISTRATION, {}),
        (DEPOSIT, {"held": 200}),  # not verified yet
        (KYC, {"accrued": 200}),
        (REVERSAL, {}),
    )
    for number, (step, stands) in enumerate(story, 1):
        assert _told(system, step) == stands
        system.again()
        assert _told(system) == stands
        assert system.broker.events(system.client) == number
    assert system.broker.problems(system.endpoint) == []


# B2CORE's and Broctagon's KYC is a word in the record of the client: it cannot come before him.
@pytest.mark.parametrize("kind", [CurrentDesk, Track360, *SENT, Dropped])
def test_in_another_order_it_ends_the_same(kind: type[System], begin: Begin) -> None:
    system = begin(kind)
    assert _told(system, KYC, DEPOSIT, REVERSAL, REGISTRATION) == {}
    assert system.broker.events(system.client) == 4


@pytest.mark.parametrize("kind", HTTP)
def test_it_comes_in_pages(kind: type[System], begin: Begin) -> None:
    system = begin(kind)
    system.crowd(7)
    assert _told(system, REGISTRATION, DEPOSIT) == {"held": 200}
    assert system.broker.problems(system.endpoint) == []
    others = [system.broker.events(f"{system.client}{other:03}") for other in range(7)]
    assert others == [1] * 7


@pytest.mark.parametrize("fault", [fakes.HALF, fakes.TEXT])
@pytest.mark.parametrize("kind", HTTP)
def test_a_bad_answer_brings_nothing_and_loses_nothing(
    kind: type[System], fault: str, begin: Begin
) -> None:
    system = begin(kind)
    _told(system, REGISTRATION)
    stored = system.broker.payloads(system.endpoint)
    system.fake.fault = fault
    system.deposit()
    with pytest.raises(PipshareError):
        system.deliver()
    system.broker.settle()
    assert system.broker.payloads(system.endpoint) == stored
    system.fake.fault = ""
    system.deliver()
    system.broker.settle()
    assert system.broker.stands(system.partner_code) == {"held": 200}


@pytest.mark.parametrize("kind", SENT)
def test_half_a_webhook_is_refused_and_the_whole_one_taken(
    kind: type[System], begin: Begin
) -> None:
    system = begin(kind)
    stored = system.broker.payloads(system.endpoint)
    assert b"bad_json" in system.send(b'{"half": "of', status=400)
    assert system.broker.payloads(system.endpoint) == stored
    assert _told(system, REGISTRATION, DEPOSIT) == {"held": 200}


@pytest.mark.parametrize("kind", SENT)
def test_a_webhook_that_nobody_proved_is_not_taken(kind: type[System], begin: Begin) -> None:
    system = begin(kind)
    path = f"/hooks/{system.endpoint.code}"
    assert system.broker.post(path, b"{}", {})[0] in (401, 403)
    assert system.broker.payloads(system.endpoint) == 0


@pytest.mark.parametrize("kind", [*POLLED, *SENT])
def test_the_readme_says_what_it_lacks(kind: type[System]) -> None:
    cells = re.search(rf"^\| `{kind.name}` \| (.*) \|$", README.read_text(), re.MULTILINE)
    assert cells
    registration, deposit, reversal, kyc = cells[1].split(" | ")
    told = {REGISTRATION: registration, DEPOSIT: deposit, REVERSAL: reversal, KYC: kyc}
    for step, cell in told.items():
        assert (step in kind.lacks) == (cell in ("-", "claim only")), (step, cell)
    assert preset(kind.name).lacks
    folder = README.parent / (kind.kind or "")
    assert not kind.kind or (folder / "README.md").exists()

"""A CRM in a box for each test: started as the test wants it, stopped whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from crm_calls import Start

from pipshare.sandbox.crm import Cast, CrmServer, Options


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as stack:

        def run(cast: Cast | None = None, **options: Any) -> CrmServer:
            told = {"day_s": 0.001, **options}  # a story is over at once
            return stack.enter_context(
                CrmServer(options=Options(cast or Cast(every_s=0), **told))
            )  # fmt: skip

        yield run

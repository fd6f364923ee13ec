"""How tests make up examples: `make test` the same ones in every run, `make test-long` new ones.

So a commit is red by what it changed, never by a chance find; finds are the long run's to make.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

LONG = bool(os.environ.get("PIPSHARE_TEST_LONG"))
TIMES_AS_MANY = 10
_SETTINGS = "_hypothesis_internal_use_settings"  # as its own plugin for pytest sets them


def prepare() -> None:
    """Choose the profile every @given starts from; before test modules are imported."""
    slow = [HealthCheck.too_slow]  # a machine that is busy is no fault of a test's
    settings.register_profile(
        "same", derandomize=True, database=None, deadline=None, print_blob=True,
        suppress_health_check=slow,
    )  # fmt: skip
    settings.register_profile(
        "fresh", max_examples=100 * TIMES_AS_MANY, deadline=None, print_blob=True,
        suppress_health_check=slow,
    )  # fmt: skip
    settings.load_profile("fresh" if LONG else "same")
    if not LONG:
        # Examples also hold constants of the modules imported so far: another selection or order
        # of tests made up others, derandomized or not. Fails when Hypothesis renames it.
        none = providers.Constants()
        patch.object(providers, "_get_local_constants", lambda: none).start()


def multiply(tests: Iterable[Any]) -> None:
    """Give tests that name a number of examples themselves as many times more in the long run."""
    if not LONG:
        return
    for function in {getattr(test.obj, "__func__", test.obj) for test in tests}:
        own = getattr(function, _SETTINGS, settings.default)
        if own.max_examples != settings.default.max_examples:
            more = settings(own, max_examples=own.max_examples * TIMES_AS_MANY)
            setattr(function, _SETTINGS, more)

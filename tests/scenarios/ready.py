"""Brokers that are loaded once in a session: each test works on a copy of the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any


@contextmanager
def standing(
    templates: Any,
    folder: Path,
    kind: Callable[..., Any],
    *args: Any,
    then: Callable[[Any], object] | None = None,
) -> Iterator[Any]:
    """Yield a broker of a kind, loaded by its class and `then` when first asked for.

    `kind(conn, folder, *args)` loads it; so does `then(broker)`, a function of a module. `kept` of
    it is what `kind(..., kept=kept)` takes to stand on a loaded database, True where it is nothing.
    """

    def load(database: Any) -> Any:
        with database.app() as conn, TemporaryDirectory() as place:
            made = kind(conn, Path(place), *args)
            if then is not None:
                then(made)
            conn.commit()
            return made.kept

    what = (kind, args, then and (then.__module__, then.__qualname__))
    name = f"ready_{sha256(repr(what).encode()).hexdigest()[:16]}"
    with templates.copy(name, load) as database, database.app() as conn:
        made = kind(conn, folder, *args, kept=database.made)
        conn.commit()
        yield made

"""Set up an endpoint: settings and proofs that can be used, a secret, a mapping that reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from pipshare import inbox
from pipshare.crm import Preset, mapping_of, read_verification
from pipshare.crm.verify import check_secret
from pipshare.errors import BadInput
from pipshare.inbox.endpoint_secrets import ROTATION_H
from pipshare.inbox.endpoints import WEBHOOK, Endpoint
from pipshare.pipeline.crm.hook_settings import INVITE, hook_settings
from pipshare.pipeline.crm.pollers import POLLED, check_settings

KINDS = (WEBHOOK, *POLLED)
_STANDARD = ({"method": "standard-webhooks"},)


@dataclass(frozen=True)
class Made:
    """An endpoint that was set up. `secret`: made for it, to be shown this once; "" = none was."""

    endpoint: Endpoint
    secret: str
    version: int


def set_up(
    conn: psycopg.Connection[Any], entity_id: int, code: str, kind: str = WEBHOOK, *,
    preset: Preset | None = None, values: Mapping[str, str] | None = None,
    settings: Mapping[str, Any] | None = None, verify: Sequence[Mapping[str, Any]] | None = None,
    mapping: Mapping[str, Any] | None = None, secret: str = "", by: str,
) -> Made:  # fmt: skip
    """Add an endpoint in the caller's transaction, ready for what its CRM sends or is asked for.

    `preset` with `values` for what it asks gives proofs and mapping where they are not told;
    `secret` is the CRM's own, else a webhook gets one. Without a mapping payloads are kept until
    one is published. Raises BadInput that names what is wrong, Conflict when the code is taken.
    """
    told = dict(settings or {})
    proofs: list[Mapping[str, Any]] = list(verify or ())
    if mapping is None and preset is not None:
        mapping = preset.mapping_with(values or {})
    if mapping is not None:
        mapping_of(mapping)
    if kind != WEBHOOK:
        check_settings(kind, told, secret)
        made = secret
    else:
        if not proofs:
            proofs = [*(preset.verify_with(values or {}) if preset is not None else _STANDARD)]
        if preset is not None and preset.name == INVITE:
            told = {"answer": INVITE, **told}
        hook_settings(told)
        made = _proven(proofs, secret)
    endpoint = inbox.add_endpoint(
        conn, entity_id, code, kind, preset=preset.name if preset is not None else "",
        settings=told, verify=proofs, by=by,
    )  # fmt: skip
    if made:
        inbox.set_endpoint_secret(conn, endpoint, made, by=by)
    version = 0
    if mapping is not None:
        note = f"preset {preset.name}" if preset is not None else ""
        version = inbox.publish_mapping(conn, endpoint, mapping, note=note, by=by)
    return Made(endpoint, made if made != secret else "", version)


def rotate(
    conn: psycopg.Connection[Any], endpoint: Endpoint, secret: str = "", *, now: bool = False,
    by: str,
) -> str:  # fmt: skip
    """Give an endpoint a new secret in the caller's transaction; return it where one was made.

    The one before holds for a day on, unless `now`: it has leaked.
    """
    if endpoint.kind == WEBHOOK:
        made = _proven(endpoint.verify, secret)
    elif not secret:
        raise BadInput("no_secret", f"endpoint {endpoint.code} asks its CRM: give the password or"
                                    " key that the CRM has for it")  # fmt: skip
    else:
        check_settings(endpoint.kind, endpoint.settings, secret)
        made = secret
    inbox.set_endpoint_secret(conn, endpoint, made, by=by, overlap_h=0 if now else ROTATION_H)
    return made if made != secret else ""


def _proven(proofs: Sequence[Mapping[str, Any]], secret: str) -> str:
    """Return the secret that proves requests, "" where addresses do; made where none is told."""
    verification = read_verification(list(proofs))
    if secret or not verification.needs_secret:
        if secret:
            check_secret(verification, secret)
        return secret
    return inbox.new_endpoint_secret()

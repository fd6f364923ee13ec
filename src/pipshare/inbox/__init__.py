"""The inbox: everything received, once, kept as it came; and facts that are not yet trades.

What comes in: files and what a source read of them (deals, balance operations, refused rows); and
what is set up: sources and CRM endpoints with settings, secrets and cursors; clicks on links.
What goes out: the numbers of stored files and batches, the positions that new deals touch, how each
source fares, and alerts for what somebody has to look at.
Guaranteed: nothing received is lost; the same again changes nothing; a deal that comes with other
content is a new revision beside the old, or refused by name when nobody can tell which is newer.
"""

from pipshare.inbox.alerts import (
    Alert,
    alerts,
    close_alert,
    open_subjects,
    raise_alert,
    resolve_alert,
)
from pipshare.inbox.batch import open_batch
from pipshare.inbox.cash import store_cash
from pipshare.inbox.clicks import clicks_of, clicks_of_visitors, count_clicks, store_clicks
from pipshare.inbox.cursor import (
    Gap,
    SourceStatus,
    cursor,
    note_check,
    note_fault,
    note_ok,
    save_cursor,
    statuses,
)
from pipshare.inbox.deals import DealIntake, store_deals
from pipshare.inbox.endpoint_secrets import (
    endpoint_secrets,
    new_endpoint_secret,
    set_endpoint_secret,
)
from pipshare.inbox.endpoint_status import (
    EndpointStatus,
    endpoint_cursor,
    endpoint_statuses,
    note_endpoint_fault,
    note_endpoint_ok,
    save_endpoint_cursor,
)
from pipshare.inbox.endpoints import (
    Endpoint,
    MappingVersion,
    add_endpoint,
    change_endpoint,
    endpoint,
    endpoints,
    endpoints_by_id,
    mapping_text,
    mapping_versions,
    publish_mapping,
    published,
    set_endpoint_state,
)
from pipshare.inbox.lease import held, lease, lease_endpoint, release
from pipshare.inbox.payloads import NewPayload, StoredBefore, payload_body, store_payloads
from pipshare.inbox.payloads_due import (
    DuePayload,
    WaitingItem,
    any_payload_due,
    forget_waiting,
    let_items_wait,
    settle_payloads_again,
    take_due_payloads,
    take_ready_items,
)
from pipshare.inbox.payloads_log import (
    LoggedPayload,
    PayloadItem,
    items_of_event,
    note_items,
    payload_items,
    payloads,
    payloads_of_events,
    proposed_before,
)
from pipshare.inbox.postbacks import accepted_before, note_outcomes, store_postbacks
from pipshare.inbox.postbacks_due import (
    any_postback_fresh,
    clients_of_clicks,
    let_wait,
    take_due_postbacks,
)
from pipshare.inbox.postbacks_log import LoggedPostback, postbacks
from pipshare.inbox.raw_record import keep_raw, raw_record
from pipshare.inbox.receive import raw, receive_file
from pipshare.inbox.refuse import store_refused
from pipshare.inbox.refuse_live import refuse_live
from pipshare.inbox.requests import MOST_CHARACTERS, Answer, answered, keep_answer
from pipshare.inbox.sources import (
    Source,
    add_source,
    rekey,
    secret_of,
    set_secret,
    set_state,
    source,
    sources,
    taken_in,
)
from pipshare.inbox.trackers import (
    MONEY_KINDS,
    Tracker,
    add_tracker,
    revoke_tracker,
    token_digest,
    tracker,
    trackers,
)
from pipshare.inbox.unlike import unlike
from pipshare.inbox.unseen import (
    DELETED,
    UNSEEN,
    count_between,
    count_unseen,
    decide_unseen,
    notice_unseen,
    reversed_today,
    seen_again,
    settle_unseen,
    stored_between,
    tombstones,
    unseen_between,
    unsettled,
)

__all__ = [
    "DELETED",
    "MONEY_KINDS",
    "MOST_CHARACTERS",
    "UNSEEN",
    "Alert",
    "Answer",
    "DealIntake",
    "DuePayload",
    "Endpoint",
    "EndpointStatus",
    "Gap",
    "LoggedPayload",
    "LoggedPostback",
    "MappingVersion",
    "NewPayload",
    "PayloadItem",
    "Source",
    "SourceStatus",
    "StoredBefore",
    "Tracker",
    "WaitingItem",
    "accepted_before",
    "add_endpoint",
    "add_source",
    "add_tracker",
    "alerts",
    "answered",
    "any_payload_due",
    "any_postback_fresh",
    "change_endpoint",
    "clicks_of",
    "clicks_of_visitors",
    "clients_of_clicks",
    "close_alert",
    "count_between",
    "count_clicks",
    "count_unseen",
    "cursor",
    "decide_unseen",
    "endpoint",
    "endpoint_cursor",
    "endpoint_secrets",
    "endpoint_statuses",
    "endpoints",
    "endpoints_by_id",
    "forget_waiting",
    "held",
    "items_of_event",
    "keep_answer",
    "keep_raw",
    "lease",
    "lease_endpoint",
    "let_items_wait",
    "let_wait",
    "mapping_text",
    "mapping_versions",
    "new_endpoint_secret",
    "note_check",
    "note_endpoint_fault",
    "note_endpoint_ok",
    "note_fault",
    "note_items",
    "note_ok",
    "note_outcomes",
    "notice_unseen",
    "open_batch",
    "open_subjects",
    "payload_body",
    "payload_items",
    "payloads",
    "payloads_of_events",
    "postbacks",
    "proposed_before",
    "publish_mapping",
    "published",
    "raise_alert",
    "raw",
    "raw_record",
    "receive_file",
    "refuse_live",
    "rekey",
    "release",
    "resolve_alert",
    "reversed_today",
    "revoke_tracker",
    "save_cursor",
    "save_endpoint_cursor",
    "secret_of",
    "seen_again",
    "set_endpoint_secret",
    "set_endpoint_state",
    "set_secret",
    "set_state",
    "settle_payloads_again",
    "settle_unseen",
    "source",
    "sources",
    "statuses",
    "store_cash",
    "store_clicks",
    "store_deals",
    "store_payloads",
    "store_postbacks",
    "store_refused",
    "stored_between",
    "take_due_payloads",
    "take_due_postbacks",
    "take_ready_items",
    "taken_in",
    "token_digest",
    "tombstones",
    "tracker",
    "trackers",
    "unlike",
    "unseen_between",
    "unsettled",
]

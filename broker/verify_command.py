"""Verifying the broker's own log: its entries, its newest checkpoint and every stored group."""

from collections.abc import Mapping
from contextlib import closing
from typing import Any

from audit.policy_file import parse_policy
from audit.stored_log import StoredLog
from audit.verify_groups import group_wire, verify_groups
from broker.settings import Settings
from broker.starting import database_of, read_payload_keys, told
from broker.store.connection import open_connection, snapshot


def verify(settings: Settings) -> Mapping[str, Any]:
    """Return how every group stands: ok, erased by an entry, MISSING or MISMATCH; `holds` says whether none alarms.

    Raises:
        SettingsError: keys, policy or database cannot be read.
        AuditError: the newest checkpoint is not this log's.
    """
    keys = read_payload_keys(settings)
    with told("log_policy", "place the policy file that names this log and its witnesses"):
        policy = parse_policy(settings.path(settings.log_policy).read_text(encoding="utf-8"))
    with told("database", "run `sluis-broker migrate`"):
        opened = open_connection(database_of(settings))
    with closing(opened), snapshot(opened) as connection:
        return group_wire(verify_groups(StoredLog(connection), keys, policy))

"""What a broker found, read from its log with its own keys: each permitted hit of each check, and which were silenced.

An answer tells the strongest kind per holder and team only. The entry's group `hits` has every decision by itself.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit.entry import Leaf
from audit.key_ring import KeyRing
from audit.seal import open_group
from audit.stored_log import StoredLog
from broker.settings import Settings
from tests.simulators.databases import at

_CONTACT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One permitted hit that was not silenced: its kind, whose signal it is (OIN) and that signal's id."""

    kind: str
    holder: str
    signal_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLog:
    """The checks of a log by their index."""

    checks: Mapping[int, tuple[Hit, ...]]
    mute: frozenset[int]
    size: int


def read_checks(folder: Path) -> ReadLog:
    """Return every check of the broker in this folder, each opened payload compared with its leaf's commitment."""
    settings = Settings.read(folder)
    key = KeyRing.open(settings.path(settings.payload_keys))
    checks: dict[int, tuple[Hit, ...]] = {}
    mute: set[int] = set()
    with at(settings.database, folder).session() as connection:
        connection.execute(connection.dialect.begin_read)
        by_handle = {row[0]: row[1] for row in connection.execute("SELECT handle, id FROM signals")}
        log = StoredLog(connection)
        size = log.size()
        for index, text in enumerate(log.entries(0, size)):
            leaf = Leaf.parse(text)
            if leaf.kind == "check":
                payload = _hits(log, leaf, index, key)
                checks[index] = _heard(payload, by_handle)
                mute |= {index} if payload.get("mute") else set()
    return ReadLog(checks=checks, mute=frozenset(mute), size=size)


def _hits(log: StoredLog, leaf: Leaf, index: int, key: KeyRing) -> Mapping[str, Any]:
    row = log.sealed_row(index, "hits")
    if row is None:
        raise ValueError("an entry has no payload of its hits")
    opening = open_group(
        group="hits", key=key.unwrap(row.wrapped_key, epoch=row.epoch, index=index, group="hits"), nonce=row.nonce,
        ciphertext=row.ciphertext,
    )  # fmt: skip
    if opening.commitment(leaf.kind, "hits") not in leaf.commitments:
        raise ValueError("a payload is not the one that its leaf commits to")
    return dict(json.loads(opening.payload))


def _heard(payload: Mapping[str, Any], by_handle: Mapping[str, str]) -> tuple[Hit, ...]:
    """Return the permitted hits of an entry, without those by an address that was mute."""
    silent = "address" if payload.get("mute") else None
    return tuple(
        Hit(
            kind=one["decision"]["facts"]["hit"]["kind"],
            holder=one["decision"]["facts"]["hit"]["holder"],
            signal_id=by_handle[handle],
        )
        for one in payload["decisions"]
        if one["decision"]["outcome"] == "permit"
        and one["decision"]["level"] >= _CONTACT
        and one["decision"]["facts"]["hit"]["kind"] != silent
        for handle in one["signals"]
    )

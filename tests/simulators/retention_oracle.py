"""What the log says has ended and what the store says, read side by side past the broker."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit.entry import Leaf
from audit.key_ring import KeyRing
from audit.seal import open_group
from tests.simulators.broker_memory import MemoryBroker
from tests.simulators.broker_world import World, held_in
from tests.simulators.databases import Database
from tests.simulators.memory_keys import MemoryKeys

Sealed = tuple[bytes, bytes, bytes, int]
"""Nonce, ciphertext, wrapped key and its epoch of one payload."""
_OPENED = ("meta", "actor", "subject", "hits", "shielded")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionEntry:
    """One entry of kind `retention`, opened."""

    payloads: dict[str, dict[str, Any]]

    def handles(self, group: str) -> list[str]:
        """Return the handles that a group says have ended."""
        payload = self.payloads[group]
        return [*payload["expiry"], *payload["age"], *payload["rules"], *payload["consent"]]


def check_ended(database: Database, kek: Path, *, expected: Iterable[str] = ()) -> int:
    """Hold only when every ended signal stands in exactly one entry, with one task, and no entry names another.

    Args:
        database: the broker's.
        kek: the folder of the key-encryption keys.
        expected: ids of signals that must have ended.

    Returns the number of entries of kind `retention`.
    """
    entries = entries_in(database, KeyRing.open(kek))
    ended = {row[0]: row[1] for row in database.rows("SELECT id, handle FROM signals WHERE state = 'ended'")}
    tasks = [row[0] for row in database.rows("SELECT signal_id FROM tasks WHERE kind = 'signal-ended'")]
    named = [handle for entry in entries for group in ("subject", "shielded") for handle in entry.handles(group)]
    assert Counter(named) == Counter(ended.values())
    assert Counter(tasks) == Counter(list(ended))
    assert set(expected) <= set(ended)
    return len(entries)


def entries_in(database: Database, key: KeyRing) -> list[RetentionEntry]:
    """Return the entries of kind `retention` in a database."""
    leaves = [(row[0], bytes(row[1])) for row in database.rows("SELECT idx, leaf FROM log_entries ORDER BY idx")]
    query = """SELECT p.idx, p.grp, p.nonce, p.ciphertext, k.wrapped, k.epoch FROM log_payloads p
        JOIN log_payload_keys k ON k.idx = p.idx AND k.grp = p.grp"""
    sealed = {(row[0], row[1]): (bytes(row[2]), bytes(row[3]), bytes(row[4]), row[5]) for row in database.rows(query)}
    return _opened(leaves, sealed, key)


async def entries_of(world: World, kek: Path) -> list[RetentionEntry]:
    """Return the entries of kind `retention` of a world, in memory or in a database with this folder of keys."""
    if isinstance(world.ledger, MemoryBroker):
        log = world.ledger.log
        sealed = {place: (row.nonce, row.ciphertext, row.wrapped_key, row.epoch) for place, row in log.payloads.items()}
        return _opened(enumerate(log.leaves), sealed, world.ledger.keys)
    return entries_in(held_in(world), KeyRing.open(kek))


def _opened(
    leaves: Iterable[tuple[int, bytes]], sealed: Mapping[tuple[int, str], Sealed], key: KeyRing | MemoryKeys
) -> list[RetentionEntry]:
    entries = []
    for index, leaf in leaves:
        if Leaf.parse(leaf).kind != "retention":
            continue
        payloads = {}
        for group in _OPENED:
            nonce, ciphertext, wrapped, epoch = sealed[index, group]
            unwrapped = key.unwrap(wrapped, epoch=epoch, index=index, group=group)
            opening = open_group(group=group, key=unwrapped, nonce=nonce, ciphertext=ciphertext)
            payloads[group] = json.loads(opening.payload)
        # What is overdue and whom an import met is told at the same pace, and ends nothing.
        if payloads["meta"].get("type") not in {"sweep_overdue", "meet_imported"}:
            entries.append(RetentionEntry(payloads=payloads))
    return entries

"""A cosigned log with one entry of each sort that an export must tell, opened for whoever may read it."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from audit.entry import GROUPS
from audit.export.bundle import Export, Files, build_export
from audit.export.committed import erased_sha256
from audit.export.content import Content, Stated
from audit.export.opened import OpenedEntry, verify_entries
from audit.policy_file import Policy, parse_policy
from tests.unit.audit.log_simulator import NOW, LogInFolder, policy_text, sealed, witness_key

WIJKTEAM = "00000099000000001000"
GI = "00000099000000002000"
BUNDLE = "ab" * 32
WORKER = "k5uqhzxw4mz6vqkq2ypk2yq7aa"
HANDLES = ["11" * 16, "22" * 16]
TRACE = {"id": "4bf92f3577b34da6a3ce929d0e0e4736", "parent": "00f067aa0ba902b7"}
W1 = witness_key()

Erased = Mapping[int, tuple[str, ...]]
NOTHING: Erased = MappingProxyType({})

DECISION: dict[str, Any] = {
    "schema": "decision/v1",
    "question": "may_ask",
    "bundle": BUNDLE,
    "facts": {"organisation": WIJKTEAM, "operation": "check", "purpose": "verwijsindex"},
    "outcome": "permit",
    "level": 2,
    "ground": "JW-7.1.4.1",
    "rule": "aa.check.1",
    "rules": ["aa.check.1"],
    "near_miss": None,
    "obligations": ["informeren"],
    "text": {"id": "vragen.mag", "params": {}},
}
SEEN: dict[str, Any] = {**DECISION, "question": "may_see", "outcome": "refuse", "rule": None, "level": 0}


def meta(kind: str = "check_household", **changes: object) -> dict[str, object]:
    """Return the `meta` payload of a request."""
    return {
        "schema": "entry-meta/v1",
        "request": {
            "type": kind,
            "sha256": "cd" * 32,
            "purpose": "verwijsindex",
            "grounds": ["JW-7.1.4.1"],
            "controller": WIJKTEAM,
            "team": "west",
            "epoch": 1,
            "counts": {"nlbsn": 3, "fam": 2},
            "ends_on": None,
        },
        "register": 1,
        "bundle": BUNDLE,
        "grant": None,
        "decision": DECISION,
        "outcome": "shown",
        "reason": None,
        "shown": [{"oin": GI, "team": "jb", "kind": "member", "level": 2}],
        "result_sha256": "ef" * 32,
        **changes,
    }


def actor(**changes: object) -> dict[str, object]:
    """Return the `actor` payload of a request."""
    return {
        "schema": "entry-actor/v1",
        "organisation": WIJKTEAM,
        "parent_org": None,
        "worker": WORKER,
        "role": "worker",
        "acr": "2fa",
        "jti": "00" * 16,
        "approver": None,
        "tickets": [],
        **changes,
    }


ENTRIES: tuple[tuple[str, Mapping[str, Mapping[str, object]]], ...] = (
    (
        "check",
        {
            "meta": meta(trace=TRACE),
            "actor": actor(approver={"worker": "approver", "jti": "01" * 16}),
            "subject": {"schema": "entry-subject/v1", "handles": HANDLES},
            "hits": {"schema": "entry-hits/v1", "decisions": [{"decision": SEEN, "signals": HANDLES}]},
        },
    ),
    ("read", {}),  # another organisation's: not among the exported ones
    ("signal", {"meta": meta("withdraw_signal", outcome="refused", reason="used-for-standing", decision=None, shown=[]),
                "actor": actor()}),
    ("signal", {"meta": meta("register_signal", outcome="error", reason="error"), "actor": actor(worker="=1+1")}),
    ("policy", {"meta": {"schema": "entry-policy/v1", "bundle": BUNDLE}}),
    ("retention", {
        "meta": {"schema": "entry-retention/v1", "type": "sweep_signals", "outcome": "done", "bundle": BUNDLE},
        "actor": {"schema": "entry-actor/v1", "organisation": None, "role": "housekeeping"},
        "subject": {"schema": "entry-ended/v1", "expiry": HANDLES[:1], "age": []},
    }),
    ("exception", {"meta": meta("invoke_exception", outcome="done", shown=[], decision=None), "actor": actor()}),
)  # fmt: skip
EXPORTED = (0, 2, 3, 4, 5, 6)

STATED = Stated(
    made_at=NOW,
    organisation=WIJKTEAM,
    worker="privacy",
    reader="organisation",
    reason="maandcontrole",
    selection={"van": "2026-11-01", "tot": "2026-11-30"},
    names={WORKER: "Noor de Wit", "privacy": "Ali Vos"},
)


class OpenedLog:
    """The log of `ENTRIES`, with the entry of an export as its last, all under one cosigned checkpoint."""

    def __init__(
        self, log: LogInFolder, *, format_name: str = "csv", stated: Stated = STATED, erased: Erased = NOTHING
    ) -> None:
        """Make it; `erased` says of which exported entries, by their place, the broker found groups erased."""
        self.policy_text = policy_text(log.verifier, W1.verifier, quorum="enough")
        self.policy: Policy = parse_policy(self.policy_text)
        self.stated = stated
        entries = [sealed(kind, **payloads) for kind, payloads in ENTRIES]
        hashes = b"".join(entries[index].leaf(NOW).leaf_hash for index in EXPORTED)
        exported = {
            "format": format_name,
            "reader": stated.reader,
            "reason": stated.reason,
            "selection": dict(stated.selection),
            "entries": len(EXPORTED),
            "leaves_sha256": hashlib.sha256(hashes).hexdigest(),
        }
        if erased:
            at = [(entries[index].leaf(NOW).leaf_hash, erased.get(place, ())) for place, index in enumerate(EXPORTED)]
            exported["erased_sha256"] = erased_sha256(at)
        own = sealed(
            "export",
            meta={"schema": "entry-export/v1", "outcome": "done", "exported": exported},
            actor=actor(worker=stated.worker, role="privacyfunctionaris"),
        )
        self.appended = log.tick(*entries, own)
        self.line = W1.sign(self.appended.checkpoint.encode(), time=NOW)
        self.every = [self.opened(position) for position in range(len(entries))]
        self.entries = [self.every[index] for index in EXPORTED]
        self.receipt = self.appended.receipt(len(entries), cosignatures=[self.line])

    def opened(self, position: int, *, cosigned: bool = True) -> OpenedEntry:
        """Return an entry with all its groups opened."""
        receipt = self.appended.receipt(position, cosignatures=[self.line] if cosigned else [])
        groups = self.appended.entries[position].sealed.groups
        return OpenedEntry(
            receipt=replace(receipt, openings=MappingProxyType({group: groups[group].opening() for group in GROUPS}))
        )

    def content(self, stated: Stated | None = None) -> Content:
        """Return what every format of an export writes down."""
        stated = stated or self.stated
        found = verify_entries(self.entries, self.policy, reader=stated.reader)
        return Content(stated=stated, checkpoint=found.checkpoint, records=found.records)

    def export(self, format_name: str = "csv", **changes: Any) -> Export:  # noqa: ANN401 - any member of an export
        """Return an export of the entries in this format."""
        made: dict[str, Any] = {"stated": self.stated, "policy_text": self.policy_text, "entries": self.entries}
        return Export(format=format_name, **{**made, **changes})

    def files(self, format_name: str = "csv", **changes: Any) -> Files:  # noqa: ANN401 - any member of an export
        """Return its files."""
        return build_export(self.export(format_name, **changes), self.policy)


def in_folder(path: Path, *, erased: Erased = NOTHING) -> OpenedLog:
    """Return the log made in a folder, which is closed again: everything an export needs is in memory."""
    path.mkdir()
    log = LogInFolder(path)
    try:
        return OpenedLog(log, erased=erased)
    finally:
        log.close()

"""What one opened entry says, in plain values: parsed once, here, for every format."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from audit.verify import VerifiedReceipt

_NOTHING: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One line that the asker was shown: which organisation and team, why it matched, and how much was told (D6)."""

    organisation: str
    team: str
    kind: str
    level: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceContext:
    """The W3C trace of the request: 32 hex digits, and the 16 of the caller's own step."""

    trace_id: str
    parent_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One entry of the log as an export tells it.

    None, or an empty tuple, where the entry says nothing, where its group is not for this reader, and where the group
    was erased; `erased` names the last ones. `persons` is how many persons the request itself named, never how many
    were found. `leaf_sha256` is the leaf's hash in the tree.
    """

    index: int
    time: int
    kind: str
    leaf_sha256: str
    erased: tuple[str, ...]
    type: str | None
    purpose: str | None
    grounds: tuple[str, ...]
    controller: str | None
    team: str | None
    persons: int
    outcome: str | None
    reason: str | None
    bundle: str | None
    decision: Mapping[str, object] | None
    shown: tuple[Shown, ...]
    trace: TraceContext | None
    organisation: str | None
    parent_organisation: str | None
    worker: str | None
    role: str | None
    approver: str | None
    handles: tuple[str, ...]
    seen: tuple[Mapping[str, object], ...]


def record_of(verified: VerifiedReceipt, *, erased: tuple[str, ...]) -> Record:
    """Return what a verified entry says. Payloads of kinds that this version does not know give what they share."""
    meta = verified.payloads.get("meta", _NOTHING)
    actor = verified.payloads.get("actor", _NOTHING)
    request = {**meta, **_object(meta, "request")}
    return Record(
        index=verified.index,
        time=verified.leaf.time,
        kind=verified.leaf.kind,
        leaf_sha256=verified.leaf.leaf_hash.hex(),
        erased=erased,
        type=_text(request, "type"),
        purpose=_text(request, "purpose"),
        grounds=_texts(request, "grounds"),
        controller=_text(request, "controller"),
        team=_text(request, "team"),
        persons=_count(_object(request, "counts"), "nlbsn"),
        outcome=_text(meta, "outcome"),
        reason=_text(meta, "reason"),
        bundle=_text(meta, "bundle"),
        decision=_object(meta, "decision") or None,
        shown=tuple(_shown(line) for line in _objects(meta, "shown")),
        trace=_trace(_object(meta, "trace")),
        organisation=_text(actor, "organisation"),
        parent_organisation=_text(actor, "parent_org"),
        worker=_text(actor, "worker"),
        role=_text(actor, "role"),
        approver=_text(_object(actor, "approver"), "worker"),
        handles=_handles(verified.payloads.get("subject", _NOTHING)),
        seen=tuple(
            _object(line, "decision")
            for group in ("hits", "shielded")
            for line in _objects(verified.payloads.get(group, _NOTHING), "decisions")
        ),
    )


def _handles(subject: Mapping[str, object]) -> tuple[str, ...]:
    """Return the search handles of an entry: of a request, or of the signals that a sweep ended."""
    return tuple(handle for name in ("handles", "expiry", "age", "rules", "frozen") for handle in _texts(subject, name))


def _shown(line: Mapping[str, object]) -> Shown:
    return Shown(
        organisation=_text(line, "oin") or "",
        team=_text(line, "team") or "",
        kind=_text(line, "kind") or "",
        level=_count(line, "level"),
    )


def _trace(value: Mapping[str, object]) -> TraceContext | None:
    trace_id, parent_id = _text(value, "id"), _text(value, "parent")
    return TraceContext(trace_id=trace_id, parent_id=parent_id) if trace_id and parent_id else None


def _text(payload: Mapping[str, object], name: str) -> str | None:
    value = payload.get(name)
    return value if isinstance(value, str) else None


def _texts(payload: Mapping[str, object], name: str) -> tuple[str, ...]:
    value = payload.get(name)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _count(payload: Mapping[str, object], name: str) -> int:
    value = payload.get(name)
    return value if type(value) is int else 0


def _object(payload: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = payload.get(name)
    return value if isinstance(value, dict) else _NOTHING


def _objects(payload: Mapping[str, object], name: str) -> tuple[Mapping[str, object], ...]:
    value = payload.get(name)
    return tuple(item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()

"""The five payloads of an entry, exactly as docs/formats.md section 7 has them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from broker.domain.changes import TicketId
from broker.domain.disclosures import MatchRow
from broker.flows.act import Act
from broker.flows.canonical import canonical, sha256_of

COORDINATED_ROOM = 2_000
"""Bytes of `hits` that are kept for whom of municipalities a match is told to, whatever else was decided."""
HITS_ROOM = 32_700 - COORDINATED_ROOM
"""Bytes a `hits` payload may take else: docs/audit-format.md gives it 32,768 with its padding."""
SHIELDED_ROOM = 8_100
"""The same for `shielded`, of 8,192."""
SMALL_SUBJECT_ROOM = 1_000
"""Bytes a `subject` payload may take in an entry of a small kind: it has 1,024 with its padding."""
_HANDLE_SIZE = len('"",') + 32
MAX_HANDLES = 55
"""Search handles that fit a `subject` payload of 2,048 bytes."""

HITS_SCHEMA = "entry-hits/v1"
SHIELDED_SCHEMA = "entry-shielded/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """How an act ended, in the terms an entry records.

    `outcome` is shown, nothing, done, refused or error; `reason` a code for the last two; `decision` the `decision/v1`
    of `may_ask`, or None where nothing is asked; `document` what the asker is told, without its receipt; `grant` the
    import grant under which it was asked; `more` what else this kind of act says in `meta`; `proposer` the other of two
    people who decide. `own_handles` are those of the asker's own signals, which are never left out; `subject` says
    what an entry is about that is about something else than signals; of handles it has the own ones beside that.
    """

    outcome: str
    bundle: str
    register: int | None
    document: Mapping[str, object]
    reason: str | None = None
    decision: Mapping[str, object] | None = None
    shown: tuple[MatchRow, ...] = ()
    tickets: tuple[TicketId, ...] = ()
    handles: Iterable[str] = ()
    own_handles: Iterable[str] = ()
    subject: Mapping[str, object] | None = None
    hits: Mapping[str, object] | None = None
    shielded: Mapping[str, object] | None = None
    grant: str | None = None
    more: Mapping[str, object] = field(default_factory=dict)
    proposer: str | None = None


def entry_payloads(act: Act, recording: Recording) -> dict[str, Mapping[str, object]]:
    """Return the payload of each group; groups that say nothing are there too, so every entry has the same shape."""
    return {
        "meta": _meta(act, recording),
        "actor": _actor(act, recording),
        "subject": _stated(recording) if recording.subject else _subject(recording.own_handles, recording.handles),
        "hits": recording.hits or {"schema": HITS_SCHEMA, "decisions": []},
        "shielded": recording.shielded or {"schema": SHIELDED_SCHEMA, "decisions": []},
    }


def _meta(act: Act, recording: Recording) -> dict[str, object]:
    return {
        "schema": "entry-meta/v1",
        "request": {
            "type": act.type,
            "sha256": act.sha256,
            "purpose": act.purpose,
            "grounds": list(act.grounds),
            "controller": act.controller,
            "team": act.team,
            "epoch": act.epoch,
            "counts": dict(act.counts),
            "ends_on": None if act.ends_on is None else act.ends_on.isoformat(),
            **({} if act.proof_reference is None else {"proof_reference": act.proof_reference}),
            **({} if act.case_ref is None else {"case_ref": act.case_ref}),
        },
        "register": recording.register,
        "bundle": recording.bundle,
        "grant": recording.grant,
        "decision": None if recording.decision is None else dict(recording.decision),
        "outcome": recording.outcome,
        "reason": recording.reason,
        "shown": [
            {"oin": row.organisation, "team": row.team, "kind": row.kind.value, "level": row.level}
            for row in recording.shown
        ],
        "result_sha256": sha256_of(dict(recording.document)),
        "trace": _trace(act, recording.tickets),
        **recording.more,
    }


def _trace(act: Act, tickets: tuple[TicketId, ...]) -> dict[str, object] | None:
    """Return the trace of the request, if it is an id that this request alone has anyway (ADR 26)."""
    requester = act.requester
    trace = requester.trace and requester.trace.known({ticket.batch for ticket in tickets} or {requester.jti})
    return {"id": trace.id, "parent": trace.parent} if trace else None


def _actor(act: Act, recording: Recording) -> dict[str, object]:
    approval = act.approval
    return {
        "schema": "entry-actor/v1",
        "organisation": act.requester.organisation,
        "parent_org": act.requester.parent_org,
        "worker": act.requester.worker,
        "role": act.requester.role,
        "acr": act.requester.acr,
        "jti": act.requester.jti,
        "approver": None if approval is None else {"worker": approval.worker, "jti": approval.jti},
        "tickets": [{"custodian": ticket.custodian, "id": ticket.id} for ticket in recording.tickets],
        **({} if recording.proposer is None else {"proposer": recording.proposer}),
    }


def _subject(own: Iterable[str], handles: Iterable[str]) -> dict[str, object]:
    first = sorted(set(own))
    listed = [*first, *sorted(set(handles) - set(first))]
    listed_own = first[:MAX_HANDLES]
    payload: dict[str, object] = {
        "schema": "entry-subject/v1",
        "own": len(listed_own),
        "handles": listed[:MAX_HANDLES],
    }
    if len(listed) > MAX_HANDLES:
        payload["omitted"] = len(listed) - MAX_HANDLES
    return payload


def _stated(recording: Recording) -> dict[str, object]:
    """Return what an entry says it is about, with the own signals as far as they fit: by these it is reviewed."""
    stated = dict(recording.subject or {})
    own = sorted(set(recording.own_handles))
    if not own or "handles" in stated:
        return stated
    room = SMALL_SUBJECT_ROOM - len(canonical({**stated, "own": len(own), "handles": []}))
    listed = own[: max(room // _HANDLE_SIZE, 0)]
    return {**stated, "own": len(listed), "handles": listed}

"""A receipt is checked before its answer is shown, and kept: without tokens, for whoever asks later."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import rfc8785

from audit.errors import AuditError
from audit.verify import Policy, Receipt, VerifiedReceipt, verify_receipt
from broker.protocol import strict_json
from broker.protocol.errors import MalformedError
from connectors.answers import VerifiedEntry
from connectors.errors import ReceiptError

SCHEMA = "stored-receipt/v1"
_MAX_FILE = 4_194_304
_SEALED = ("box", "chunk")
_HEX_LENGTH = 64
_WHOLE, _ACTOR = frozenset({"meta", "actor"}), frozenset({"actor"})
REFUSED, ERROR = "refused", "error"
"""How an entry ends that answers with a problem."""
Row = tuple[str, str, str, int]
NO_BODY_SHA256 = hashlib.sha256(b"").hexdigest()
"""What stands for the body of a request without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a receipt must be about: the request that was really sent, and the answer that really came.

    `shown_sha256` is None where the first answer was withheld on a replay: nobody here has it, and the receipt opens
    only who asked. `outcome` is then unknown too. `shown` are rows of organisation, team, kind and level. `jti` is that
    of the request token where the answer is a direct one, None where it was stored. `tickets` are pairs of custodian
    and ticket id.
    """

    kind: str
    organisation: str
    worker: str
    request_sha256: str
    shown_sha256: str | None
    outcome: str | None
    shown: tuple[Row, ...]
    jti: str | None
    tickets: frozenset[tuple[str, str]]


def digest(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 in hex of a document's canonical JSON (RFC 8785)."""
    return hashlib.sha256(rfc8785.dumps(dict(document))).hexdigest()


def request_digest(body: Mapping[str, Any]) -> str:
    """Return the digest of a request's body without its tickets (docs/formats.md §6)."""
    return digest({name: value for name, value in body.items() if name != "tickets"})


def shown_in(answer: Mapping[str, Any]) -> tuple[Row, ...]:
    """Return who an answer shows: organisation, team, kind and level, in order. A problem shows nobody."""
    matches = answer.get("matches") or ()
    rows = [(match["holder"]["oin"], match["holder"]["team"], match["kind"], match["level"]) for match in matches]
    return tuple(sorted(rows))


def verify_answer(wire: object, *, policy: Policy, expected: Expected) -> VerifiedEntry:
    """Return the entry, if the receipt holds and is about exactly this request and this answer.

    Raises:
        ReceiptError: names the step that failed (docs/formats.md §7).
    """
    # (1) The leaf recomputes from the openings, (2) and stands in the pinned log, under no bad signature.
    withheld = expected.shown_sha256 is None
    verified = _verified(wire, policy, opened=_ACTOR if withheld else _WHOLE)
    if verified.leaf.kind != expected.kind:
        raise ReceiptError("the entry is of another kind")
    # (3) It is about the own request and this answer, as far as the broker may still tell.
    if not withheld:
        _check_meta(verified.payloads["meta"], expected)
    # (4) It states the request as the own organisation's and worker's, made with the token that was just sent.
    actor = verified.payloads["actor"]
    if (actor.get("organisation"), actor.get("worker")) != (expected.organisation, expected.worker):
        raise ReceiptError("the entry names another sender")
    if not withheld and expected.jti is not None and actor.get("jti") != expected.jti:
        raise ReceiptError("the entry names another request token")
    # (5) The tickets it spent are those that were sent; an act that failed spends none, so that it can be tried again.
    if _tickets(actor) != (frozenset() if expected.outcome == ERROR else expected.tickets):
        raise ReceiptError("the entry names other tickets")
    # (6) Cosignatures count under the own policy only; `_entry` says how many there are.
    return _entry(verified, policy)


def _check_meta(meta: Mapping[str, object], expected: Expected) -> None:
    """Hold if the entry is about this request, and tells the same story as the answer. Raises ReceiptError."""
    if meta.get("schema") != "entry-meta/v1":
        raise ReceiptError("the entry is of another kind")
    # (3a) The own request.
    request = meta.get("request")
    if not isinstance(request, dict) or request.get("sha256") != expected.request_sha256:
        raise ReceiptError("the entry is about another request")
    # (3b) The very answer that came, (3c) which ended as the log says, (3d) and shows whom the log says.
    if meta.get("result_sha256") != expected.shown_sha256:
        raise ReceiptError("the entry commits to another answer")
    if meta.get("outcome") != expected.outcome:
        raise ReceiptError("the entry ended in another way")
    if _rows(meta.get("shown")) != expected.shown:
        raise ReceiptError("the entry shows others")
    # (3e) It states under which rules was decided.
    if not _is_digest(meta.get("bundle")) or not isinstance(meta.get("decision"), dict | None):
        raise ReceiptError("the entry states no bundle")


def store_receipt(
    folder: Path, entry: VerifiedEntry, *, wire: object, answer: Mapping[str, Any], expected: Expected
) -> Path:
    """Return the file `<index>.json` in which the answer and its receipt are kept durably; it holds no token.

    An answer that held a sealed letter, or a part of an attachment, is kept as its hash: what was opened stands in the
    mailbox, and what is sealed must not outlive the key that opens it.
    """
    sealed = any(answer.get(member) is not None for member in _SEALED)
    document = {
        "schema": SCHEMA,
        "index": entry.index,
        "answer": None if sealed else dict(answer),
        "receipt": wire,
        "expected": {
            "kind": expected.kind,
            "organisation": expected.organisation,
            "worker": expected.worker,
            "requestSha256": expected.request_sha256,
            "shownSha256": expected.shown_sha256,
            "outcome": expected.outcome,
            "jti": expected.jti,
            "tickets": sorted([custodian, ticket] for custodian, ticket in expected.tickets),
        },
    }
    path = folder / f"{entry.index}.json"
    temporary = folder / f".{entry.index}.new"
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(json.dumps(document, ensure_ascii=False).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    _sync_folder(folder)
    return path


def verify_stored(path: Path, *, policy: Policy) -> VerifiedEntry:
    """Return the entry of a stored receipt, verified anew: receipt, request, answer and tickets.

    Raises:
        ReceiptError: the file is no stored receipt, or something of it does not hold.
    """
    try:
        document = strict_json.load_object(path.read_bytes(), field=path.name, max_bytes=_MAX_FILE)
        stated, answer, wire = document["expected"], document["answer"], document["receipt"]
        expected = Expected(
            kind=stated["kind"],
            organisation=stated["organisation"],
            worker=stated["worker"],
            request_sha256=stated["requestSha256"],
            shown_sha256=stated["shownSha256"],
            outcome=stated["outcome"],
            shown=(),
            jti=stated["jti"],
            tickets=frozenset((custodian, ticket) for custodian, ticket in stated["tickets"]),
        )
        if expected.shown_sha256 is not None and answer is not None:
            expected = replace(expected, shown_sha256=digest(answer), shown=shown_in(answer))
    except (OSError, MalformedError, LookupError, TypeError, ValueError, AttributeError):
        raise ReceiptError("the file is no stored receipt") from None
    return verify_answer(wire, policy=policy, expected=expected)


def _sync_folder(folder: Path) -> None:
    """The folder's entries are on disk: a file that was renamed into it is still there after a crash."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _verified(wire: object, policy: Policy, *, opened: frozenset[str]) -> VerifiedReceipt:
    try:
        verified = verify_receipt(Receipt.from_wire(wire), policy, require=opened)
    except AuditError:
        raise ReceiptError("the log's signature, the proof or an opening does not hold") from None
    if frozenset(verified.payloads) != opened:
        raise ReceiptError("the receipt opens more than it should")
    return verified


def _rows(shown: object) -> tuple[Row, ...] | None:
    """Return the rows of an entry in order, or None where they are none."""
    try:
        rows = [(row["oin"], row["team"], row["kind"], row["level"]) for row in shown]  # type: ignore[attr-defined]  # what is no list of rows raises
        return tuple(sorted(rows))
    except (TypeError, LookupError):
        return None


def _tickets(actor: Mapping[str, object]) -> frozenset[tuple[str, str]]:
    listed = actor.get("tickets")
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise ReceiptError("the entry names other tickets")
    return frozenset((str(item.get("custodian")), str(item.get("id"))) for item in listed)


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and len(value) == _HEX_LENGTH and set(value) <= set("0123456789abcdef")


def _entry(verified: VerifiedReceipt, policy: Policy) -> VerifiedEntry:
    meta = verified.payloads.get("meta", {})
    bundle, outcome, decision = meta.get("bundle"), meta.get("outcome"), meta.get("decision")
    return VerifiedEntry(
        index=verified.index,
        kind=verified.leaf.kind,
        status=verified.status,
        cosigned_by=verified.cosigned_by,
        witnesses=len(policy.witnesses),
        uncosigned_since=verified.uncosigned_since,
        bundle_sha256=bundle if isinstance(bundle, str) else None,
        outcome=outcome if isinstance(outcome, str) else None,
        decision=decision if isinstance(decision, dict) else {},
    )


def stored_indexes(folder: Path) -> Sequence[int]:
    """Return the indexes of the receipts that are kept, in order."""
    return sorted(int(path.stem) for path in folder.glob("*.json") if path.stem.isdecimal())

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
_HEX_LENGTH = 64
NO_BODY_SHA256 = hashlib.sha256(b"").hexdigest()
"""What stands for the body of a request without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a receipt must be about: the request that was really sent, and the answer that really came.

    `shown_sha256` is None where the first answer was withheld on a replay, so that nobody here has it.
    `tickets` are pairs of custodian and ticket id.
    """

    kind: str
    organisation: str
    worker: str
    request_sha256: str
    shown_sha256: str | None
    tickets: frozenset[tuple[str, str]]


def digest(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 in hex of a document's canonical JSON (RFC 8785)."""
    return hashlib.sha256(rfc8785.dumps(dict(document))).hexdigest()


def request_digest(body: Mapping[str, Any]) -> str:
    """Return the digest of a request's body without its tickets (docs/formats.md §6)."""
    return digest({name: value for name, value in body.items() if name != "tickets"})


def verify_answer(wire: object, *, policy: Policy, expected: Expected) -> VerifiedEntry:
    """Return the entry, if the receipt holds and is about exactly this request and this answer.

    Raises:
        ReceiptError: names the step that failed (docs/formats.md §7).
    """
    # (1) The leaf recomputes from the openings, (2) and stands in the pinned log, under no bad signature.
    verified = _verified(wire, policy)
    meta, actor = verified.payloads["meta"], verified.payloads["actor"]
    if verified.leaf.kind != expected.kind or meta.get("schema") != "entry-meta/v1":
        raise ReceiptError("the entry is of another kind")
    # (3) It is about the own request, and states it as the own organisation's and worker's.
    request = meta.get("request")
    if not isinstance(request, dict) or request.get("sha256") != expected.request_sha256:
        raise ReceiptError("the entry is about another request")
    if (actor.get("organisation"), actor.get("worker")) != (expected.organisation, expected.worker):
        raise ReceiptError("the entry names another sender")
    # (4) It commits to the very answer that came.
    if expected.shown_sha256 is not None and meta.get("result_sha256") != expected.shown_sha256:
        raise ReceiptError("the entry commits to another answer")
    # (5) The tickets it spent are those that were sent; an act that failed spends none, so that it can be tried again.
    spent = frozenset() if meta.get("outcome") == "error" else expected.tickets
    if _tickets(actor) != spent:
        raise ReceiptError("the entry names other tickets")
    # (6) It states under which rules was decided.
    if not _is_digest(meta.get("bundle")) or not isinstance(meta.get("decision"), dict | None):
        raise ReceiptError("the entry states no bundle")
    # (7) Cosignatures count under the own policy only; `_entry` says how many there are.
    return _entry(verified, policy)


def store_receipt(
    folder: Path, entry: VerifiedEntry, *, wire: object, answer: Mapping[str, Any], expected: Expected
) -> Path:
    """Return the file `<index>.json` in which the answer and its receipt are kept durably; it holds no token."""
    document = {
        "schema": SCHEMA,
        "index": entry.index,
        "answer": dict(answer),
        "receipt": wire,
        "expected": {
            "kind": expected.kind,
            "organisation": expected.organisation,
            "worker": expected.worker,
            "requestSha256": expected.request_sha256,
            "shownSha256": expected.shown_sha256,
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
            tickets=frozenset((custodian, ticket) for custodian, ticket in stated["tickets"]),
        )
        shown = None if expected.shown_sha256 is None else digest(answer)
    except (OSError, MalformedError, LookupError, TypeError, ValueError):
        raise ReceiptError("the file is no stored receipt") from None
    return verify_answer(wire, policy=policy, expected=replace(expected, shown_sha256=shown))


def _verified(wire: object, policy: Policy) -> VerifiedReceipt:
    try:
        return verify_receipt(Receipt.from_wire(wire), policy)
    except AuditError:
        raise ReceiptError("the log's signature, the proof or an opening does not hold") from None


def _tickets(actor: Mapping[str, object]) -> frozenset[tuple[str, str]]:
    listed = actor.get("tickets")
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise ReceiptError("the entry names other tickets")
    return frozenset((str(item.get("custodian")), str(item.get("id"))) for item in listed)


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and len(value) == _HEX_LENGTH and set(value) <= set("0123456789abcdef")


def _entry(verified: VerifiedReceipt, policy: Policy) -> VerifiedEntry:
    meta = verified.payloads["meta"]
    decision = meta.get("decision")
    return VerifiedEntry(
        index=verified.index,
        kind=verified.leaf.kind,
        status=verified.status,
        cosigned_by=verified.cosigned_by,
        witnesses=len(policy.witnesses),
        uncosigned_since=verified.uncosigned_since,
        bundle_sha256=str(meta["bundle"]),
        outcome=str(meta.get("outcome")),
        decision=decision if isinstance(decision, dict) else {},
    )


def stored_indexes(folder: Path) -> Sequence[int]:
    """Return the indexes of the receipts that are kept, in order."""
    return sorted(int(path.stem) for path in folder.glob("*.json") if path.stem.isdecimal())

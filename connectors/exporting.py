"""Taking entries of the own organisation out of the log, as files that anybody can check offline (`audit/export`).

period, reason ──► broker: opens them, and records that ──► receipt verified ──► records, proofs, names ──► files
"""

import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from audit.errors import AuditError
from audit.export.bundle import Export, Files, build_export
from audit.export.content import Stated
from audit.export.formats import FORMATS
from audit.export.opened import OpenedEntry
from audit.export.pdf import renderer
from audit.receipt import Receipt
from broker.protocol import strict_json
from broker.protocol.errors import MalformedError
from broker.protocol.export_messages import ExportResult
from broker.protocol.request_signing import is_word
from connectors.answering import problem_in
from connectors.answers import ProblemDocument, VerifiedEntry
from connectors.errors import FolderError, NotDoneError, ReceiptError, RefusedError
from connectors.exchange import MAX_ANSWER, Exchange, Reply
from connectors.folder import PartnerFolder
from connectors.receipts import ERROR, NO_BODY_SHA256, REFUSED, Expected, digest, store_receipt, verify_answer
from connectors.workers import pairwise_id, roles_of

PATH = "/v1/review/exports"
KIND, POLICY = "export", "log-policy"
ROLES = ("privacyfunctionaris", "fg")
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be exported: `since` and `until` are unix seconds, the second is the first one after the period."""

    format: str
    reason: str
    since: int
    until: int
    after: int | None = None

    def query(self) -> dict[str, str]:
        """Return the parameters of the request."""
        stated = {"format": self.format, "reason": self.reason, "since": self.since, "until": self.until}
        return {name: str(value) for name, value in stated.items()} | (
            {} if self.after is None else {"after": str(self.after)}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """One export as files, None where there is no entry; `more_after` is what to go on from, None at the end."""

    files: Files | None
    entries: int
    entry: VerifiedEntry
    more_after: int | None


async def export_entries(folder: PartnerFolder, exchange: Exchange, asked: Asked, *, worker: str) -> Exported:
    """Return at most one page of own entries as an export that holds, once the broker's entry of it was verified.

    Args:
        worker: local id of a privacyfunctionaris or FG.

    Raises:
        FolderError: he is neither, format or reason is not one, or a PDF cannot be set here.
        RefusedError, NotDoneError: nothing was opened. ReceiptError: what came is not believed.
    """
    if asked.format not in FORMATS:
        raise FolderError("format", "must be one of " + ", ".join(FORMATS))
    if not is_word(asked.reason):
        raise FolderError("reason", "must be a short name without blanks")
    if FORMATS[asked.format].is_set and renderer() is None:
        raise FolderError("format", "pdf needs Typst: pip install 'sluis[pdf]'")
    # (1) In the role that may: one of both, the privacyfunctionaris first.
    roles = roles_of(folder, worker)
    role = next((role for role in ROLES if role in roles), None)
    if role is None:
        raise FolderError("worker", "is neither privacyfunctionaris nor fg")
    path = f"{PATH}?{urllib.parse.urlencode(asked.query())}"
    reply = await exchange.send(folder.settings.broker, path, method="GET", body=b"", worker=worker, role=role)
    # (2) The entry of this export holds, and commits to this very answer.
    problem = problem_in(reply)
    if problem is not None:
        raise _told(folder, problem, reply, worker=worker)
    result, members, wire = _answer(reply)
    entry = _verified(folder, wire, members, worker=worker, jti=reply.jti, outcome="done")
    if {"format": result.format, "reason": result.reason, **result.selection} != asked.query():
        raise ReceiptError("the export is of another selection")
    # (3) Every entry is made to prove itself before anything is written.
    files = _files(folder, result, Receipt.from_wire(wire), asked, worker=worker) if result.entries else None
    return Exported(files=files, entries=len(result.entries), entry=entry, more_after=result.more_after)


def _files(folder: PartnerFolder, result: ExportResult, receipt: Receipt, asked: Asked, *, worker: str) -> Files:
    settings = folder.settings
    stated = Stated(
        made_at=receipt.leaf.time,
        organisation=settings.oin,
        worker=pairwise_id(folder.pairwise_key, audience=settings.broker.id, local_id=worker),
        reader="organisation",
        reason=asked.reason,
        selection=result.selection,
        names=_names(folder),
        more_after=result.more_after,
    )
    try:
        export = Export(
            format=asked.format,
            stated=stated,
            policy_text=(folder.path / POLICY).read_text(encoding="utf-8"),
            entries=[_opened(entry.model_dump(mode="json")) for entry in result.entries],
            receipt=receipt,
        )
        return build_export(export, folder.log_policy)
    except AuditError as error:
        raise ReceiptError(str(error)) from None


def _opened(entry: Mapping[str, Any]) -> OpenedEntry:
    wire = {"leaf": entry["leaf"], "proof": entry["proof"], "openings": entry["openings"], "uncosignedSince": None}
    return OpenedEntry(receipt=Receipt.from_wire(wire), erased=tuple(entry["erased"]))


def _names(folder: PartnerFolder) -> dict[str, str]:
    """Return the names of the own workers by their ids at the broker, which knows none of them."""
    key, audience = folder.pairwise_key, folder.settings.broker.id
    with folder.casebook() as book:
        return {pairwise_id(key, audience=audience, local_id=local_id): name for local_id, name, _ in book.workers()}


def _answer(reply: Reply) -> tuple[ExportResult, dict[str, Any], object]:
    """Return the parts of an answer; what is no answer of a broker is an outage."""
    try:
        members = strict_json.load_object(reply.body, max_bytes=MAX_ANSWER)
        result = members["result"]
        return ExportResult.model_validate(result, by_alias=True, by_name=False), result, members["receipt"]
    except (MalformedError, ValidationError, LookupError):
        raise NotDoneError("not-done") from None


def _told(
    folder: PartnerFolder, problem: ProblemDocument, reply: Reply, *, worker: str
) -> RefusedError | NotDoneError:  # fmt: skip
    """Return what a problem means; one that is recorded counts by its entry."""
    broker, recorded, failed = folder.settings.broker.id, None, problem.status >= _SERVER_ERROR
    if problem.receipt is not None:
        members = {name: value for name, value in problem.members.items() if name != "receipt"}
        outcome = ERROR if failed else REFUSED
        recorded = _verified(folder, problem.receipt, members, worker=worker, jti=reply.jti, outcome=outcome)
    if failed:
        return NotDoneError("not-done", party=broker, receipt=recorded)
    return RefusedError(problem, party=broker, receipt=recorded)


def _verified(
    folder: PartnerFolder, wire: object, members: Mapping[str, Any], *, worker: str, jti: str, outcome: str
) -> VerifiedEntry:
    settings = folder.settings
    expected = Expected(
        kind=KIND,
        organisation=settings.oin,
        worker=pairwise_id(folder.pairwise_key, audience=settings.broker.id, local_id=worker),
        request_sha256=NO_BODY_SHA256,
        shown_sha256=digest(members),
        outcome=outcome,
        shown=(),
        jti=jti,
        tickets=frozenset(),
    )
    entry = verify_answer(wire, policy=folder.log_policy, expected=expected)
    # An export has its receipt in it; one without an entry is kept as any other answer.
    if not members.get("entries"):
        store_receipt(folder.receipts, entry, wire=wire, answer=members, expected=expected)
    return entry

"""What each custodian tells an organisation's FG about tickets that did not come back, or that nobody handed out.

The FG asks the custodians themselves; the broker is not in the way and does not learn of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broker.protocol import strict_json
from broker.protocol.errors import MalformedError
from broker.protocol.problems import render, texts
from connectors.answers import ProblemDocument
from connectors.errors import FolderError, NotDoneError, RefusedError
from connectors.exchange import Exchange, Surroundings
from connectors.folder import PartnerFolder
from connectors.settings import Party
from connectors.workers import pairwise_id, roles_of

PATH = "/v1/ticket-reports"
FG = "fg"
MAX_BYTES = 1_048_576
NORMAL = frozenset({"unspent", "cited-later", "unknown"})
"""What happens without anybody's fault, and is no alarm by itself."""
_PREFIX = "watch."
_OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One kind of finding: how often, at which custodian, in Dutch, and the workers it is about, by the own list."""

    custodian: str
    kind: str
    count: int
    text_nl: str
    workers: Mapping[str, int]
    entries: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodianReport:
    """What one custodian says: how far it saw the log, its alarms, its counts of the last thirty days."""

    custodian: str
    seen_at: int | None
    alarms: tuple[str, ...]
    counts: Mapping[str, int]
    told: tuple[Told, ...]

    @property
    def calm(self) -> bool:
        """Whether nothing stands in it that somebody has to look at now."""
        return not self.alarms and all(one.kind in NORMAL for one in self.told)


async def fetch_reports(
    folder: PartnerFolder | Path, *, worker: str, surroundings: Surroundings | None = None
) -> list[CustodianReport]:
    """Return what every custodian tells this organisation's FG.

    Raises:
        FolderError: the worker is no FG here. RefusedError: a custodian does not know him as one.
        NotDoneError: a custodian does not answer: nothing is known then, also not that all is well.
    """
    own = folder if isinstance(folder, PartnerFolder) else PartnerFolder(folder)
    if FG not in roles_of(own, worker):
        raise FolderError("worker", "does not have the role fg")
    names = _names_at_broker(own)
    async with Exchange(own, surroundings or Surroundings()) as exchange:
        return [await _report(exchange, party, worker, names) for party in own.settings.custodians]


async def _report(exchange: Exchange, party: Party, worker: str, names: Mapping[str, str]) -> CustodianReport:
    findings: list[dict[str, Any]] = []
    while True:
        after = findings[-1]["number"] if findings else 0
        page = await _page(exchange, party, f"{PATH}?after={after}", worker)
        findings += page["findings"]
        if not page["findings"]:
            break
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for one in findings:
        by_kind.setdefault(str(one["kind"]), []).append(one)
    return CustodianReport(
        custodian=party.id,
        seen_at=page["seenAt"],
        alarms=tuple(str(alarm["kind"]) for alarm in page["alarms"]),
        counts=page["counts"],
        told=tuple(_told(party.id, kind, listed, names) for kind, listed in sorted(by_kind.items())),
    )


async def _page(exchange: Exchange, party: Party, path: str, worker: str) -> dict[str, Any]:
    reply = await exchange.send(party, path, method="GET", body=b"", worker=worker, role=FG)
    if reply.status != _OK:
        problem = ProblemDocument.parse(reply.body, status=reply.status)
        if problem is None or problem.status >= 500:  # noqa: PLR2004 - RFC 9110 §15.6: its own failure
            raise NotDoneError("custodian-unreachable", party=party.id)
        raise RefusedError(problem, party=party.id)
    try:
        page = strict_json.load_object(reply.body, max_bytes=MAX_BYTES)
    except MalformedError:
        raise NotDoneError("custodian-unreachable", party=party.id) from None
    if not {"findings", "alarms", "counts", "seenAt"} <= set(page) or not isinstance(page["findings"], list):
        raise NotDoneError("custodian-unreachable", party=party.id)
    return page


def _told(custodian: str, kind: str, listed: list[dict[str, Any]], names: Mapping[str, str]) -> Told:
    workers: dict[str, int] = {}
    for one in listed:
        if one["worker"] is not None:
            name = names.get(str(one["worker"]), "onbekend")
            workers[name] = workers.get(name, 0) + 1
    text_id = _PREFIX + kind
    return Told(
        custodian=custodian,
        kind=kind,
        count=len(listed),
        text_nl=render(text_id if text_id in texts() else _PREFIX + "other", {"count": str(len(listed))}),
        workers=workers,
        entries=tuple(int(one["entry"]) for one in listed if one["entry"] is not None),
    )


def _names_at_broker(folder: PartnerFolder) -> dict[str, str]:
    """Return the names of the own workers by their ids at the broker: tickets carry those, and no names."""
    with folder.casebook() as book:
        known = book.workers()
    key, broker = folder.pairwise_key, folder.settings.broker.id
    return {pairwise_id(key, audience=broker, local_id=local_id): name for local_id, name, _ in known}

"""What each custodian tells an organisation's FG about tickets that did not come back, or that nobody handed out.

The FG asks the custodians themselves; the broker is not in the way and does not learn of it. What one custodian told
the other and not the FG stands out; what the FG has looked into once stays quiet, and everything after it does not.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broker.protocol import strict_json
from broker.protocol.errors import MalformedError
from broker.protocol.problems import render, texts
from connectors.answers import ProblemDocument
from connectors.errors import FolderError, NotDoneError, RefusedError
from connectors.exchange import Exchange, Surroundings
from connectors.folder import PartnerFolder, write_durably
from connectors.settings import Party
from connectors.workers import pairwise_id, roles_of

PATH = "/v1/ticket-reports"
FG = "fg"
MAX_BYTES = 1_048_576
NORMAL = frozenset({"unspent", "cited-later", "unknown"})
"""What happens without anybody's fault, and is no alarm by itself."""
STALE_S = 900
"""Seconds that a custodian's clock may differ from ours before what it says of the present is not believed."""
UNWITNESSED_S = 86_400
"""Seconds without the word of enough witnesses after which it counts that nobody confirms what a custodian sees."""
LOOKED_INTO = "custodian-reports.json"
_MEMBERS = frozenset({"asOf", "store", "findings", "fromPeers", "alarms", "counts", "seenAt", "witnessedAt", "blind"})
_PREFIX = "watch."
_OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One kind of finding: how often, at which custodian, in Dutch, and the workers it is about, by the own list.

    `fresh` counts those that the FG has not noted as looked into.
    """

    custodian: str
    kind: str
    count: int
    fresh: int
    text_nl: str
    workers: Mapping[str, int]
    entries: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodianReport:
    """What one custodian says: how far it saw the log, its alarms, its counts of the last thirty days.

    `blind`: it does not see the log, never did, or has not for too long. `witnessed_at`: when enough witnesses last
    said that they saw the same. `hidden` are numbers of findings that it told the other custodian only. `newest` and
    `store` say how far it told.
    """

    custodian: str
    seen_at: int | None
    witnessed_at: int | None
    blind: bool
    unwitnessed: bool
    hidden: tuple[int, ...]
    store: int
    newest: int
    alarms: tuple[str, ...]
    counts: Mapping[str, int]
    told: tuple[Told, ...]

    @property
    def calm(self) -> bool:
        """Whether nothing stands in it that somebody has to look at now."""
        loud = self.blind or self.unwitnessed or self.alarms or self.hidden
        return not loud and all(one.kind in NORMAL or not one.fresh for one in self.told)


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
    around = surroundings or Surroundings()
    async with Exchange(own, around) as exchange:
        pages = {party.id: await _everything(exchange, party, worker) for party in own.settings.custodians}
    noted = _noted(own)
    try:
        return [_report(name, pages, noted.get(name, {}), names, now=around.now()) for name in pages]
    except (LookupError, TypeError, ValueError):
        raise NotDoneError("custodian-unreachable") from None


async def _everything(exchange: Exchange, party: Party, worker: str) -> dict[str, Any]:
    """Return what a custodian tells, with the findings of all its pages."""
    findings: list[dict[str, Any]] = []
    while True:
        after = findings[-1]["number"] if findings else 0
        page = await _page(exchange, party, f"{PATH}?after={after}", worker)
        findings += page["findings"]
        if not page["findings"]:
            return {**page, "findings": findings}


def _report(
    name: str, pages: Mapping[str, dict[str, Any]], noted: Mapping[str, int], names: Mapping[str, str], *, now: int
) -> CustodianReport:
    page = pages[name]
    store, findings = int(page["store"]), page["findings"]
    looked_into = noted.get("newest", 0) if noted.get("store") == store else 0
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for one in findings:
        by_kind.setdefault(str(one["kind"]), []).append(one)
    told = {int(one["number"]) for one in findings}
    copies = [one for other, of in pages.items() if other != name for one in of["fromPeers"]]
    known = {int(one["number"]) for one in copies if one["peer"] == name and one["store"] == store}
    return CustodianReport(
        custodian=name,
        seen_at=page["seenAt"],
        witnessed_at=page["witnessedAt"],
        blind=bool(page["blind"]) or not page["seenAt"] or abs(now - page["asOf"]) > STALE_S,
        unwitnessed=now - (page["witnessedAt"] or 0) > UNWITNESSED_S,
        hidden=tuple(sorted(known - told)),
        store=store,
        newest=max(told, default=0),
        alarms=tuple(str(alarm["kind"]) for alarm in page["alarms"]),
        counts=page["counts"],
        told=tuple(
            _told(name, kind, listed, names, looked_into=looked_into) for kind, listed in sorted(by_kind.items())
        ),
    )


def note_looked_into(folder: PartnerFolder, reports: Sequence[CustodianReport]) -> None:
    """What these reports tell has been looked into; the next ones stay calm about it. Raises FolderError."""
    kept = {report.custodian: {"store": report.store, "newest": report.newest} for report in reports}
    write_durably(folder.path / LOOKED_INTO, json.dumps({**_noted(folder), **kept}, sort_keys=True).encode())


def _noted(folder: PartnerFolder) -> dict[str, dict[str, int]]:
    try:
        return dict(strict_json.load_object((folder.path / LOOKED_INTO).read_bytes(), field=LOOKED_INTO))
    except FileNotFoundError:
        return {}
    except MalformedError:
        raise FolderError(LOOKED_INTO, "cannot be read") from None


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
    if not set(page) >= _MEMBERS or not isinstance(page["findings"], list):
        raise NotDoneError("custodian-unreachable", party=party.id)
    return page


def _told(
    custodian: str, kind: str, listed: list[dict[str, Any]], names: Mapping[str, str], *, looked_into: int
) -> Told:  # fmt: skip
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
        fresh=sum(one["number"] > looked_into for one in listed),
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

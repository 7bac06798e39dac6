"""Plays what people do beyond signals and looks: they call, ask, answer, agree, and say how far they are.

Each act is one command of `sluis-connect`, held to what it must lead to, with the receipt it left, verified once more.
"""

import datetime
import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from broker.protocol import strict_json
from connectors.answers import VerifiedEntry, rendered
from connectors.demo.cast import Partner
from connectors.demo.errors import ClaimError
from connectors.demo.households import DOSSIERS, Household, write_case
from connectors.demo.play import rules_of
from connectors.demo.processes import Processes
from connectors.demo.work_folder import WorkFolder
from connectors.folder import PartnerFolder
from connectors.receipts import stored_indexes, verify_stored

Outcome = Literal["shown", "nothing", "refused", "sent", "done"]
Printed = Mapping[str, Any]
Word = Callable[["Scene"], object]
_DONE, _REFUSED = 0, 1
_MAX_RECEIPT = 4_194_304
_LEVELS = {"shown": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act of one worker.

    Attributes:
        action: the command and its verb, for the report.
        words: the rest of the command; a callable is asked for its word when it is played.
        keeps: what of the printed result later acts need, under this name.
        holds: what must be so, each with a sentence that says it.
    """

    actor: Partner
    role: str
    action: str
    story: str
    outcome: Outcome
    words: tuple["str | Word", ...] = ()
    purpose: str | None = None
    worker: str | None = None
    keeps: Mapping[str, Callable[[Printed], str]] = field(default_factory=dict)
    holds: Mapping[str, Callable[[Printed, "Scene"], bool]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """That somebody asked for advice: a counter of the own organisation, and no step anywhere else."""

    actor: Partner
    role: str
    story: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """An act that held, with its verified entry."""

    number: int
    act: Act
    entry: VerifiedEntry
    text_nl: str
    receipt: Path

    def document(self, work: WorkFolder) -> dict[str, Any]:
        """Return the act as `report/v1` states a step; it holds no identifier and no content."""
        decision = self.entry.decision
        return {
            "n": self.number,
            "actor_org": self.act.actor.name,
            "actor_role": self.act.role,
            "action": self.act.action,
            "purpose": self.act.purpose,
            "outcome": self.act.outcome,
            "level": _LEVELS.get(self.act.outcome, 0),
            "rule_ids": rules_of(decision),
            "ground": decision.get("ground"),
            "bundle_sha256": self.entry.bundle_sha256,
            "text_nl": self.text_nl,
            "leaf_index": self.entry.index,
            "receipt_path": str(self.receipt.relative_to(work.path)),
            "receipt_verified": True,
        }


class Scene:
    """Where acts are played; it remembers what later acts need: ids, and what was written to whom."""

    def __init__(self, work: WorkFolder, processes: Processes, numbers: Iterator[int]) -> None:
        self.work = work
        self._processes = processes
        self._numbers = numbers
        self.kept: dict[str, str] = {}

    def file(self, partner: Partner, name: str, text: str) -> Path:
        """Return a file with this text in a partner's own dossiers, as its case system would have it."""
        folder = self.work.partner(partner.slug) / DOSSIERS
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def today(self) -> datetime.date:
        """Return the calendar day."""
        return datetime.datetime.now(datetime.UTC).date()

    def case(self, partner: Partner, household: Household) -> Path:
        """Return the file in which a partner keeps what it knows of this household."""
        reference = f"{partner.slug}/{household.slug}"
        case = household.case(today=self.today(), assessed_by=partner.worker, case_ref=reference)
        return write_case(self.work.partner(partner.slug), household.slug, case)

    def play(self, act: Act) -> Acted:
        """Return the act as it went. Raises ClaimError: it went otherwise than it must, ProcessError."""
        folder = self.work.partner(act.actor.slug)
        receipts = PartnerFolder(folder).receipts
        before = set(stored_indexes(receipts))
        words = [word(self) if callable(word) else word for word in act.words]
        who = ["--org", folder, "--worker", act.worker or act.actor.worker]
        expected = _REFUSED if act.outcome == "refused" else _DONE
        printed = self._processes.run(
            "sluis-connect", *act.action.split(), *words, *who, "--json", expect=(expected,)
        )  # fmt: skip
        told: Printed = json.loads(printed.output)
        new = sorted(set(stored_indexes(receipts)) - before)
        _claim(act, bool(new), "there is a receipt")
        self.kept.update({name: read(told) for name, read in act.keeps.items()})
        for sentence, holds in act.holds.items():
            _claim(act, holds(told, self), sentence)
        return self._verified(act, folder, receipts / f"{new[-1]}.json")

    def advise(self, advice: Advice) -> int:
        """Return how often advice was asked this month, having held that a counter moved and nothing else did.

        No request was kept, in receipts or outbox, and the log has no entry more. Custodians read the log meanwhile,
        so bytes on the line say nothing.
        """
        folder = self.work.partner(advice.actor.slug)
        before = self._traces(folder)
        printed = self._processes.run("sluis-connect", "advice", "--org", folder, "--json")
        if self._traces(folder) != before:
            raise ClaimError(f"{advice.actor.slug}, advice: it is not so that nothing but a counter moves")
        return int(json.loads(printed.output)["asked"])

    def _traces(self, folder: Path) -> tuple[object, ...]:
        """Return what a request of this partner would leave: a receipt, a changed book or outbox, an entry."""
        books = [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.sqlite*"))]
        database = self.work.party("broker") / "broker.sqlite"
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as log:
            ((entries,),) = log.execute("SELECT count(*) FROM log_entries").fetchall()
        return stored_indexes(PartnerFolder(folder).receipts), books, entries

    def _verified(self, act: Act, folder: Path, path: Path) -> Acted:
        entry = verify_stored(path, policy=PartnerFolder(folder).log_policy)
        answer = strict_json.load_object(path.read_bytes(), field=path.name, max_bytes=_MAX_RECEIPT)["answer"]
        return Acted(number=next(self._numbers), act=act, entry=entry, text_nl=_text(answer), receipt=path)


def _text(answer: Mapping[str, Any]) -> str:
    """Return what the receipt commits to having been said: a problem's own sentence, or a text of the catalogue."""
    if "detail" in answer:
        return str(answer["detail"])
    text = answer["text"]
    return rendered(text["id"], text["params"], otherwise=text["id"])


def _claim(act: Act, holds: bool, what: str) -> None:  # noqa: FBT001 - a claim is a sentence about a condition
    if not holds:
        raise ClaimError(f"{act.actor.slug}, {act.action}: it is not so that {what}")

"""Plays the steps of a scenario through `sluis-connect` and holds each to what it must lead to.

What is reported of a step comes from its receipt, verified once more here, and from the answer the receipt commits to.
"""

import datetime
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rfc8785

from broker.protocol import strict_json
from connectors.answers import VerifiedEntry
from connectors.demo.cast import PARTNERS, Partner
from connectors.demo.errors import ClaimError
from connectors.demo.households import write_case
from connectors.demo.processes import Processes
from connectors.demo.relay import Relays
from connectors.demo.scenario_mieke import GROUND, PURPOSE, Step
from connectors.demo.work_folder import WorkFolder
from connectors.folder import PartnerFolder
from connectors.receipts import verify_stored

_MATCH_MEMBERS = {"kind", "level", "holder"}
_HOLDER_MEMBERS = {"oin", "name", "team", "contact"}
_DONE, _REFUSED = 0, 1
_WITH_CONTACT = 2
_MAX_RECEIPT = 4_194_304


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A step that held: the verified entry, the answer it commits to, and how long the answer was on the wire."""

    number: int
    step: Step
    entry: VerifiedEntry
    text_nl: str
    matches: tuple[Mapping[str, Any], ...]
    possible: tuple[str, ...]
    answer: Mapping[str, Any]
    answered_bytes: int
    receipt: Path

    def document(self, work: WorkFolder) -> dict[str, Any]:
        """Return the step as `report/v1` states it; it holds no identifier."""
        decision = self.entry.decision
        return {
            "n": self.number,
            "actor_org": self.step.actor.name,
            "actor_role": self.step.role,
            "action": self.step.action,
            "purpose": PURPOSE,
            "outcome": self.step.outcome,
            "level": max((match["level"] for match in self.matches), default=0),
            "rule_ids": rules_of(decision),
            "ground": decision.get("ground"),
            "bundle_sha256": self.entry.bundle_sha256,
            "text_nl": self.text_nl,
            "leaf_index": self.entry.index,
            "receipt_path": str(self.receipt.relative_to(work.path)),
            "receipt_verified": True,
        }


class Stage:
    """Where steps are played; it remembers the named ones, so that a later step can be compared with them."""

    def __init__(self, work: WorkFolder, processes: Processes, relays: Relays, numbers: Iterator[int]) -> None:
        self._work = work
        self._processes = processes
        self._relays = relays
        self._named: dict[str, Played] = {}
        self._numbers = numbers

    def play(self, step: Step) -> Played:
        """Return the step as it went. Raises ClaimError: it went otherwise than it must, ProcessError."""
        folder = self._work.partner(step.actor.slug)
        before = self._relays.answered_bytes("broker")
        printed = self._processes.run("sluis-connect", *self._command(step, folder), expect=(_expected_code(step),))
        played = self._verified(step, folder, json.loads(printed.output), before)
        hold(step, played)
        if step.name is not None:
            self._named[step.name] = played
        if step.same_as is not None:
            hold_same(self._named[step.same_as], played)
        return played

    def _command(self, step: Step, folder: Path) -> list[object]:
        case = self._case_file(step, folder)
        options: list[object] = ["--org", folder, "--purpose", PURPOSE, "--ground", GROUND, "--json"]
        options += ["--worker", step.actor.worker, "--team", step.actor.team]
        if step.approved:
            options += ["--approver", step.actor.workers[1].local_id]
        if step.by_address:
            options += ["--families", "addr"]
        if step.action == "register":
            return ["register", "--source", "case", case, *options]
        return ["check", "--case", case, *options]

    def _case_file(self, step: Step, folder: Path) -> Path:
        """Return the file in which this worker's organisation keeps what it knows of the household."""
        reference = f"{step.actor.slug}/{step.household.slug}"
        if step.by_address:
            return write_case(folder, step.household.slug, step.household.address_only(case_ref=reference))
        today = datetime.datetime.now(datetime.UTC).date()
        case = step.household.case(today=today, assessed_by=step.actor.worker, case_ref=reference)
        return write_case(folder, step.household.slug, case)

    def _verified(self, step: Step, folder: Path, printed: Mapping[str, Any], before: int) -> Played:
        told = [*printed["results"], *printed["failed"]]
        _claim(len(told) == 1, step, "exactly one case is told about")
        receipts = told[0]["receipts"] if printed["results"] else [told[0]["receipt"]]
        _claim(len(receipts) == 1 and receipts[0] is not None, step, "there is one receipt")
        path = folder / receipts[0]["path"]
        entry = verify_stored(path, policy=PartnerFolder(folder).log_policy)
        stored = strict_json.load_object(path.read_bytes(), field=path.name, max_bytes=_MAX_RECEIPT)
        return Played(
            number=next(self._numbers),
            step=step,
            entry=entry,
            text_nl=told[0]["text_nl"],
            matches=tuple(told[0].get("matches", ())),
            possible=tuple(told[0].get("possible", ())),
            answer=stored["answer"],
            answered_bytes=self._relays.answered_bytes("broker") - before,
            receipt=path,
        )


def rules_of(decision: Mapping[str, Any]) -> list[str]:
    """Return the rules that spoke, the deciding one first."""
    deciding = [decision["rule"]] if isinstance(decision.get("rule"), str) else []
    return [*deciding, *(rule for rule in decision.get("rules", ()) if rule not in deciding)]


def name_of(oin: str) -> str:
    """Return the name of a partner by its number."""
    return next(partner.name for partner in PARTNERS if partner.oin == oin)


def _expected_code(step: Step) -> int:
    return _REFUSED if step.outcome == "refused" else _DONE


def hold(step: Step, played: Played) -> None:
    """Hold the step to its outcome, to whom it shows, and to showing organisation and contact only (D6)."""
    entry = played.entry
    expected = "refuse" if step.outcome == "refused" else "permit"
    _claim(entry.decision.get("outcome") == expected, step, "may_ask decides as the policy says")
    recorded = "done" if (step.action, step.outcome) == ("register", "nothing") else step.outcome
    _claim(entry.outcome in {recorded, step.outcome}, step, "the entry records the outcome")
    _claim(
        sorted(match["holder"]["oin"] for match in played.matches) == sorted(partner.oin for partner in step.sees),
        step,
        "exactly the expected organisations are shown",
    )
    for match in played.matches:
        _claim(
            match.keys() == _MATCH_MEMBERS
            and match["holder"].keys() == _HOLDER_MEMBERS
            and match["level"] == _WITH_CONTACT,
            step,
            "organisation and contact are shown, nothing else",
        )
        card = {name: value for name, value in _partner(match).card.items() if name != "code"}
        _claim(match["holder"]["contact"] == card, step, "the contact is the team's own card")
    if step.reason is not None:
        text = entry.decision.get("text", {}).get("id", "")
        _claim(text.endswith(f".{step.reason}"), step, "the refusal gives its reason")
    said = " ".join(played.possible)
    _claim(all(words in said for words in step.possible), step, "the refusal says what is possible")


def _partner(match: Mapping[str, Any]) -> Partner:
    return next(partner for partner in PARTNERS if partner.oin == match["holder"]["oin"])


def hold_same(first: Played, second: Played) -> None:
    """Hold two answers to be the same bytes, once the id of the own signal is taken out, and as long on the wire."""
    plain = [rfc8785.dumps({**played.answer, "signalId": None}) for played in (first, second)]
    _claim(plain[0] == plain[1], second.step, f"the answer is that of step {first.number}, byte for byte")
    _claim(
        first.answered_bytes == second.answered_bytes,
        second.step,
        f"the answer is as long on the wire as that of step {first.number}",
    )


def _claim(holds: bool, step: Step, what: str) -> None:  # noqa: FBT001 - a claim is a sentence about a condition
    if not holds:
        raise ClaimError(f"{step.actor.slug}, {step.action} {step.household.slug}: it is not so that {what}")

"""How a command ended, and how the parts of one question wait for each other: none is told before all have ended."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from broker.protocol.messages import Match, OwnSignal
from connectors.answers import Outcome, ProblemDocument, VerifiedEntry
from connectors.contacts import is_unsigned, unsigned
from connectors.errors import ConnectorError, FolderError, RefusedError
from connectors.outbox import Command, Person

Conclusion = Outcome | RefusedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """A command of the outbox that did not end well; `error` says whether it was refused or waits on.

    `person` is whom a registration was about, as in `Resumed.persons`.
    """

    row: str
    error: ConnectorError
    person: Person | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """What became of every command that waited: outcomes to show, and beside them what did not end well."""

    outcomes: tuple[Outcome, ...]
    unfinished: tuple[Unfinished, ...]
    persons: frozenset[Person] = frozenset()
    """Whom a registration was about, as HMAC with purpose and team: none is asked about again in the same run."""


def concluded(command: Command, conclusion: Conclusion) -> Command:
    """Return the command with how it ended instead of what it asked: it holds no token and no ticket any more."""
    return replace(command, body={}, tickets=(), evaluation="", conclusion=members_of(conclusion))


def members_of(conclusion: Conclusion) -> dict[str, Any]:
    """Return a conclusion as JSON members, for `conclusion_of` to read; it holds no token."""
    return _refusal(conclusion) if isinstance(conclusion, RefusedError) else _outcome(conclusion)


def conclusion_of(members: Mapping[str, Any]) -> Conclusion:
    """Return how a part ended. Raises FolderError: the row holds something else."""
    try:
        if "refused" in members:
            return _read_refusal(members["refused"])
        return _read_outcome(members["outcome"])
    except (LookupError, TypeError, ValueError):
        raise FolderError("outbox.sqlite", "has a row that is no command") from None


def _outcome(outcome: Outcome) -> dict[str, Any]:
    members = {
        "row": outcome.row,
        "outcome": outcome.outcome,
        "text_nl": outcome.text_nl,
        "matches": [match.model_dump(mode="json", by_alias=True) for match in outcome.matches],
        "unsigned": [is_unsigned(match) for match in outcome.matches],
        "signal_id": outcome.signal_id,
        "signals": [signal.model_dump(mode="json", by_alias=True) for signal in outcome.signals],
        "receipts": [asdict(entry) for entry in outcome.receipts],
    }
    return {"outcome": members}


def _read_outcome(members: Mapping[str, Any]) -> Outcome:
    matches = [Match.model_validate(match, by_alias=True, by_name=False) for match in members["matches"]]
    # A row of before says nothing of who signed a number: then nobody did.
    marks = members.get("unsigned", [True] * len(matches))
    matches = [unsigned(match) if mark else match for match, mark in zip(matches, marks, strict=True)]
    signals = [OwnSignal.model_validate(signal, by_alias=True, by_name=False) for signal in members["signals"]]
    receipts = [_entry(entry) for entry in members["receipts"]]
    kept = {name: value for name, value in members.items() if name != "unsigned"}
    return Outcome(
        **{**kept, "matches": tuple(matches), "signals": tuple(signals), "receipts": tuple(receipts)}
    )  # fmt: skip


def _refusal(refusal: RefusedError) -> dict[str, Any]:
    receipt = None if refusal.receipt is None else asdict(refusal.receipt)
    return {"refused": {"problem": asdict(refusal.problem), "party": refusal.party, "receipt": receipt}}


def _read_refusal(members: Mapping[str, Any]) -> RefusedError:
    problem = {**members["problem"], "possible": tuple(members["problem"]["possible"])}
    receipt = members["receipt"]
    entry = None if receipt is None else _entry(receipt)
    return RefusedError(ProblemDocument(**problem), party=members["party"], receipt=entry)


def _entry(members: Mapping[str, Any]) -> VerifiedEntry:
    return VerifiedEntry(**{**members, "cosigned_by": tuple(members["cosigned_by"])})

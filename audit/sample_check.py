"""Whether a sample is the one that the log itself picked: from the published log, a policy and two receipts alone.

`docs/audit-format.md` describes both files; `audit.sample` draws.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from audit import merkle
from audit.entry import Leaf, canonical_json
from audit.errors import AuditError, ReceiptError
from audit.note import parse_note
from audit.published import published_entries
from audit.receipt import Receipt
from audit.sample import REJUDGED, draw, pick, seed_of
from audit.strict_json import loads
from audit.verify import Policy, verify_checkpoint, verify_directory, verify_receipt

ASKING_KINDS = frozenset({"signal", "check", "oproep", "request", "answer", "consent", "exception"})
"""Kinds of entries that a sample is drawn from: those in which somebody does something with a household."""
LATEST_SEED_S = 26 * 3_600
"""Seconds after its month was closed within which the day of a seed begins: the next day, an hour's margin and a
change of the clocks."""
SEED_S = 8 * 86_400
"""Seconds in which the first cosigned checkpoint was looked for, at most."""
_SHARED = (
    "schema",
    "organisation",
    "month",
    "since",
    "until",
    "population",
    "flagged",
    "verdicts",
    "seedFrom",
    "seedUntil",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """One answer about a sample, with the entry that commits to it."""

    index: int
    leaf: Leaf
    sample: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleReport:
    """What a sample turned out to be. `delay_s` is how long after the start of its day the seed was signed."""

    holds: bool
    organisation: str
    month: str
    population: int
    drawn: tuple[int, ...]
    seed_size: int
    delay_s: int
    cosigned_by: tuple[str, ...]
    problems: tuple[str, ...]


def read_stated(data: bytes, policy: Policy) -> Stated:
    """Return the sample in a stored receipt, whose entry holds and commits to it.

    Raises:
        AuditError: the file is none, the receipt does not hold, or it commits to another answer.
    """
    wire = loads(data.decode("utf-8", errors="replace"))
    if not isinstance(wire, dict) or not isinstance(wire.get("answer"), dict):
        raise ReceiptError("sample: a file holds an answer and its receipt")
    verified = verify_receipt(Receipt.from_wire(wire.get("receipt")), policy)
    answer, meta, actor = wire["answer"], verified.payloads["meta"], verified.payloads["actor"]
    if hashlib.sha256(canonical_json(answer)).hexdigest() != meta.get("result_sha256"):
        raise ReceiptError("sample: the entry commits to another answer")
    sample = answer.get("sample")
    if not isinstance(sample, dict) or sample.get("organisation") != actor.get("organisation"):
        raise ReceiptError("sample: the answer has no sample of the organisation that asked")
    if not all(_is_indexes(sample.get(name)) for name in ("population", "flagged", "drawn", "verdicts", "rejudge")):
        raise ReceiptError("sample: indexes stand once, ascending")
    if not all(type(sample.get(name)) is int for name in ("since", "until", "seedFrom", "seedUntil")):
        raise ReceiptError("sample: times are unix seconds")
    return Stated(index=verified.index, leaf=verified.leaf, sample=sample)


def check_sample(directory: Path, policy: Policy, *, closed: Stated, drawn: Stated) -> SampleReport:
    """Return whether the log itself picked this sample of this month: each step is a problem or none.

    Args:
        directory: the published log.
        policy: the reader's own.
        closed: the answer that closed the month.
        drawn: the answer that drew its sample.
    """
    # (1) The published log holds.
    log = verify_directory(directory, policy)
    problems = [f"log: {problem}" for problem in log.problems]
    leaves = [Leaf.parse(entry) for entry in published_entries(directory, log.size)] if log.holds else []
    # (2) Both entries stand in it, one after the other, and are about the same month.
    problems += _entry_problems(leaves, closed, drawn)
    # (3) The month was closed over entries of that month, before the day of its seed.
    problems += _closing_problems(leaves, closed)
    # (4) The seed is a checkpoint of that day, which witnesses cosigned.
    seed_problems, size, delay, cosigned_by = _seed(leaves, policy, drawn.sample)
    problems += seed_problems
    # (5) And it gives this sample.
    if not problems:
        seed = seed_of(str(drawn.sample["seed"]), policy.log.key)
        again = draw(seed, closed.sample["population"], closed.sample["flagged"])
        rejudged = pick(seed, closed.sample["verdicts"], REJUDGED)
        if [list(again), list(rejudged)] != [drawn.sample["drawn"], drawn.sample["rejudge"]]:
            problems.append("sample: the seed draws other entries")
    return SampleReport(
        holds=not problems,
        organisation=str(closed.sample.get("organisation")),
        month=str(closed.sample.get("month")),
        population=len(closed.sample["population"]),
        drawn=tuple(drawn.sample["drawn"]),
        seed_size=size,
        delay_s=delay,
        cosigned_by=cosigned_by,
        problems=tuple(problems),
    )


def _entry_problems(leaves: Sequence[Leaf], closed: Stated, drawn: Stated) -> list[str]:
    problems = [
        f"{name}: the published log has another entry there"
        for name, stated in (("closed", closed), ("drawn", drawn))
        if stated.index >= len(leaves) or leaves[stated.index] != stated.leaf
    ]
    same = all(closed.sample.get(name) == drawn.sample.get(name) for name in _SHARED)
    if not same or drawn.sample.get("closed") != closed.index or drawn.index <= closed.index:
        problems.append("drawn: is not of the month that was closed")
    return problems


def _closing_problems(leaves: Sequence[Leaf], closed: Stated) -> list[str]:
    sample, problems = closed.sample, []
    known = [index for index in sample["population"] if index < min(closed.index, len(leaves))]
    within = all(sample["since"] <= leaves[index].time < sample["until"] for index in known)
    asking = all(leaves[index].kind in ASKING_KINDS for index in known)
    if known != sample["population"] or not within or not asking:
        problems.append("closed: the population has an entry that is not of that month, or none to draw from")
    if not set(sample["flagged"]) <= set(sample["population"]):
        problems.append("closed: an entry stands out that is not of the population")
    if not 0 < sample["seedFrom"] - closed.leaf.time <= LATEST_SEED_S or not _fits(sample):
        problems.append("closed: the seed is not of the next day")
    return problems


def _seed(
    leaves: Sequence[Leaf], policy: Policy, sample: Mapping[str, Any]
) -> tuple[list[str], int, int, tuple[str, ...]]:  # fmt: skip
    """Return the problems with the seed, its size, its delay in seconds and who cosigned it."""
    try:
        note = str(sample.get("seed"))
        verified = verify_checkpoint(note, policy)
        lines = parse_note(note.encode("utf-8")).signatures
    except AuditError:
        return ["seed: no checkpoint of this log"], 0, 0, ()
    head, problems = verified.checkpoint.head, []
    # A line of somebody unknown, or one twice, could be chosen freely; the log's own does not count in the seed.
    if not verified.cosigned_by or len(lines) != 1 + len(verified.cosigned_by):
        problems.append("seed: it needs the cosignatures of witnesses that the policy names, and no other line")
    if not 0 < head.size <= len(leaves):
        return [*problems, "seed: a tree that is not published"], head.size, 0, verified.cosigned_by
    if merkle.root_of([leaf.leaf_hash for leaf in leaves[: head.size]]) != head.root:
        problems.append("seed: another tree than the published one")
    delay = leaves[head.size - 1].time - sample["seedFrom"]
    if not 0 <= delay < sample["seedUntil"] - sample["seedFrom"]:
        problems.append("seed: its newest entry is not of the days after the month was closed")
    return problems, head.size, delay, verified.cosigned_by


def _fits(sample: Mapping[str, Any]) -> bool:
    return bool(0 < sample["seedUntil"] - sample["seedFrom"] <= SEED_S)


def _is_indexes(value: object) -> bool:
    """Return whether this is an ascending list of different indexes."""
    if not isinstance(value, list) or not all(type(one) is int and one >= 0 for one in value):
        return False
    return all(one < next_one for one, next_one in pairwise(value))

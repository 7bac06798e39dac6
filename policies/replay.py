"""Past decisions made again from their records: byte for byte with their own bundle, compared with another one."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import rfc8785

from policies.beyond import unversioned
from policies.decide import DecisionPoint
from policies.errors import FactsError, RecordError
from policies.facts import UNKNOWN, Json
from policies.question import read_question
from policies.ruleset import RuleSet
from policies.schema import validator
from policies.verdict import Permit, Refusal

SCHEMA = "decision/v1"
_SOME_DAY = "0001-01-01"

Verdict = Literal["reproduced", "broken", "same", "opens", "closes", "otherwise", "failure", "unreadable"]
"""How one record fares.

``reproduced`` and ``broken`` are of the bundle itself: the same bytes or not. The next four are of another bundle:
``otherwise`` keeps the level and changes ground, rule or duties. ``failure`` was an error of the service, which no fact
reproduces. ``unreadable`` has facts this version cannot read.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What became of all records.

    Attributes:
        counts: records by verdict.
        worst: places in the input, counted from 1, of at most 20 records that are broken or unreadable.
    """

    bundle: str
    counts: dict[Verdict, int]
    worst: tuple[int, ...]

    @property
    def holds(self) -> bool:
        """Whether every record of this bundle came out the same."""
        return not (self.counts.get("broken") or self.counts.get("unreadable"))

    @property
    def changed(self) -> int:
        """How many past decisions this bundle would change."""
        return sum(self.counts.get(name, 0) for name in ("opens", "closes", "otherwise"))

    def document(self) -> dict[str, Json]:
        """The result as JSON values."""
        counts: dict[str, Json] = {**dict(sorted(self.counts.items()))}
        return {"bundle": self.bundle, "changed": self.changed, "counts": counts, "worst": list(self.worst)}


def read_records(lines: Iterable[str]) -> Iterator[dict[str, Json]]:
    """The decisions in lines of JSON: records, or payloads of log entries that hold them.

    Raises:
        RecordError: naming the line.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            content = json.loads(line)
        except (ValueError, RecursionError):
            raise RecordError(f"line {number}: must be JSON") from None
        yield from _records(content, number)


def _records(content: Any, number: int) -> Iterator[dict[str, Json]]:  # noqa: ANN401 - JSON of any shape, checked here
    """A record itself, the ``decision`` of group meta, or the ``decisions`` of group hits or shielded."""
    if not isinstance(content, dict):
        raise RecordError(f"line {number}: must be an object")
    if content.get("schema") == SCHEMA:
        found = [content]
    elif isinstance(content.get("decisions"), list):
        found = [
            one["decision"] if isinstance(one, dict) and "decision" in one else one for one in content["decisions"]
        ]
    elif "decision" in content:
        found = [] if content["decision"] is None else [content["decision"]]
    else:
        raise RecordError(f"line {number}: must be a {SCHEMA} or hold one")
    for record in found:
        if list(validator(SCHEMA).iter_errors(record)):
            raise RecordError(f"line {number}: must follow {SCHEMA}")
        yield record


def decide_again(point: DecisionPoint, facts: Json) -> Permit | Refusal:
    """The decision on the facts of a record.

    Raises:
        FactsError: they are not facts this version knows.
    """
    if not isinstance(facts, dict):
        raise FactsError("facts: must be an object")
    no_day = facts.get("day") == UNKNOWN
    ask, hit = read_question({**facts, "day": _SOME_DAY} if no_day else facts)
    if no_day:
        unknown: Any = None  # a day that was no day is one again: it stands as unknown in the record
        ask = replace(ask, day=unknown)
    return point.may_ask(ask) if hit is None else point.may_see(ask, hit)


def replay(rules: RuleSet, records: Iterable[dict[str, Json]]) -> Replay:
    """Every record decided again with this bundle."""
    point = DecisionPoint(rules)
    verdicts = [_verdict(rules, point, record) for record in records]
    worst = [place for place, verdict in enumerate(verdicts, start=1) if verdict in ("broken", "unreadable")]
    return Replay(bundle=rules.sha256, counts=dict(Counter(verdicts)), worst=tuple(worst[:20]))


def _verdict(rules: RuleSet, point: DecisionPoint, record: dict[str, Json]) -> Verdict:
    if _reason(record) == "error":
        return "failure"
    try:
        again = decide_again(point, record["facts"]).record()
    except FactsError:
        return "unreadable"
    if record["bundle"] == rules.sha256:
        return "reproduced" if rfc8785.dumps(again) == rfc8785.dumps(record) else "broken"
    was, now = _level(record), _level(again)
    if was != now:
        return "opens" if now > was else "closes"
    return "same" if _core(again) == _core(record) else "otherwise"


def _reason(record: dict[str, Json]) -> str:
    text = record["text"]
    return str(text["id"]).partition(".")[2] if isinstance(text, dict) else ""


def _unversioned(rule: Json) -> Json:
    return unversioned(rule) if isinstance(rule, str) else None


def _level(record: dict[str, Json]) -> int:
    level = record["level"]
    return level if isinstance(level, int) else 0


def _core(record: dict[str, Json]) -> Sequence[Json]:
    """What matters of a decision apart from its level, whatever version its document has."""
    return [record["ground"], _unversioned(record["rule"]), record["obligations"], _reason(record)]

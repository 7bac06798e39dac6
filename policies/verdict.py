"""What a decision is: a permit or a refusal, each able to stand in the log as ``decision/v1``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from policies.facts import Json

Question = Literal["may_ask", "may_see"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One Dutch sentence for a user; ``id`` and ``params`` are what the log keeps.

    Attributes:
        id: text id in the documents.
        params: placeholder to vocabulary word, never free text.
        nl: the rendered sentence.
    """

    id: str
    params: Mapping[str, str]
    nl: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Obligation:
    """A duty that comes with a permit.

    Attributes:
        id: obligation id.
        phase: ``vooraf`` (unmet means nothing is disclosed) or ``achteraf`` (becomes a task).
        term: ISO 8601 duration for ``achteraf``, or None.
        working_days: the term counts working days.
        to: who is informed, ``person`` or ``guardian``, where age decides that.
        deferred_on: the ground on which it is put off; the term is then that of the next look.
    """

    id: str
    phase: Literal["vooraf", "achteraf"]
    term: str | None
    working_days: bool = False
    to: tuple[str, ...] = ()
    deferred_on: str | None = None

    def record(self) -> dict[str, Json]:
        """The obligation as it stands in ``decision/v1``; what does not apply is left out."""
        record: dict[str, Json] = {"id": self.id, "phase": self.phase, "term": self.term}
        if self.working_days:
            record["working_days"] = True
        if self.to:
            record["to"] = list(self.to)
        if self.deferred_on is not None:
            record["deferred_on"] = self.deferred_on
        return record


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """The question was answered with yes, up to ``level``.

    Attributes:
        level: 0 (it may be done and shows nothing) to 4 (content); the broker itself shows 2 at most.
        ground: the winning ground.
        rule: the deciding rule, ``document@version/clause``.
        rules: every rule that spoke, sorted.
        obligations: duties of the winning ground's rules, sorted.
    """

    question: Question
    bundle: str
    facts: Mapping[str, Json]
    level: int
    ground: str
    rule: str
    rules: tuple[str, ...]
    obligations: tuple[Obligation, ...]
    text: Text

    def record(self) -> dict[str, Json]:
        """This decision as a ``decision/v1`` mapping."""
        return {
            **_head(self.question, self.bundle, self.facts),
            "outcome": "permit",
            "level": self.level,
            "ground": self.ground,
            "rule": self.rule,
            "rules": list(self.rules),
            "near_miss": [],
            "obligations": [duty.record() for duty in self.obligations],
            "text": _text(self.text),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The question was answered with no.

    Attributes:
        reason: code, see ``docs/policy.md``.
        rule: the prohibition that decided, or None on a default deny.
        rules: every rule that spoke, sorted.
        near_miss: the columns in which the nearest rule failed, or the unknown facts.
        possible: what the asker can do instead; ``may_ask`` only.
    """

    question: Question
    bundle: str
    facts: Mapping[str, Json]
    reason: str
    rule: str | None
    rules: tuple[str, ...]
    near_miss: tuple[str, ...]
    text: Text
    possible: tuple[Text, ...] = field(default=())

    def record(self) -> dict[str, Json]:
        """This decision as a ``decision/v1`` mapping."""
        return {
            **_head(self.question, self.bundle, self.facts),
            "outcome": "refuse",
            "level": 0,
            "ground": None,
            "rule": self.rule,
            "rules": list(self.rules),
            "near_miss": list(self.near_miss),
            "obligations": [],
            "text": _text(self.text),
        }


def _head(question: Question, bundle: str, facts: Mapping[str, Json]) -> dict[str, Json]:
    return {"schema": "decision/v1", "question": question, "bundle": bundle, "facts": dict(facts)}


def _text(text: Text) -> dict[str, Json]:
    return {"id": text.id, "params": dict(text.params)}

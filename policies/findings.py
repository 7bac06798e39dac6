"""What a jurist looks at before anyone signs: clauses that change nothing, marks that are wrong, open questions."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from policies.cells import allowed, cells, groups
from policies.convenant import Duty
from policies.facts import Json
from policies.ruleset import RuleSet

FindingKind = Literal["dead", "not-redundant", "untranslated", "test"]

BLOCKING: frozenset[FindingKind] = frozenset({"dead", "not-redundant", "untranslated", "test"})
"""What may not stand in a bundle that people sign."""
WRONG: frozenset[FindingKind] = frozenset({"dead", "not-redundant"})
"""What is a mistake in the documents themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to look at; ``where`` is a rule id, or a document with an article."""

    kind: FindingKind
    where: str
    says: str

    def document(self) -> dict[str, Json]:
        """The finding as JSON values."""
        return {"kind": self.kind, "where": self.where, "says": self.says}


def findings(rules: RuleSet) -> tuple[Finding, ...]:
    """Everything to look at in these documents, sorted."""
    found = (*_clauses(rules), *untranslated(rules), *_tests(rules))
    return tuple(sorted(found, key=lambda one: (one.kind, one.where)))


def load_bearing(rules: RuleSet) -> frozenset[str]:
    """The rules without which some request would be answered otherwise."""
    needed: set[str] = set()
    seen: set[tuple[int, ...]] = set()
    for group, numbers in groups(rules.lines, rules.vocabulary):
        if numbers in seen:
            continue
        seen.add(numbers)
        for cell in cells(rules.lines, numbers, rules.vocabulary, act=group[0]):
            needed.update(_needed_in(rules, cell.spoken))
    return frozenset(needed)


def _needed_in(rules: RuleSet, spoken: frozenset[int]) -> Iterator[str]:
    """The rules without which this cell is answered otherwise, or brings other duties."""
    answer = _answer(rules, spoken)
    for rid in {rules.lines[number].rid for number in spoken}:
        if _answer(rules, frozenset(number for number in spoken if rules.lines[number].rid != rid)) != answer:
            yield rid


def _answer(rules: RuleSet, spoken: frozenset[int]) -> frozenset[Duty] | None:
    """The duties that come with a yes; None for a no."""
    if not allowed(rules.lines, spoken):
        return None
    return frozenset(duty for number in spoken for duty in rules.clauses[rules.lines[number].rid].obligations)


def _clauses(rules: RuleSet) -> Iterator[Finding]:
    needed = load_bearing(rules)
    for rid, clause in rules.clauses.items():
        if clause.redundant and rid in needed:
            yield Finding(kind="not-redundant", where=rid, says="is marked vangnet, and some request depends on it")
        if not clause.redundant and rid not in needed:
            yield Finding(kind="dead", where=rid, says="decides no request by itself, and is not marked vangnet")


def untranslated(rules: RuleSet) -> Iterator[Finding]:
    """Every article that no rule expresses and nobody has accepted as such."""
    for convenant in rules.convenants:
        rows = convenant.document.content.get("onvertaalbaar")
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict) and row["geaccepteerd_door"] is None:
                where = f"{convenant.label} {row['artikel']}"
                yield Finding(kind="untranslated", where=where, says="cannot be expressed, and nobody accepted that")


def _tests(rules: RuleSet) -> Iterator[Finding]:
    for convenant in rules.convenants:
        if convenant.is_test:
            yield Finding(kind="test", where=convenant.label, says="is a test document; its grounds are not law")

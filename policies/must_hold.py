"""What no document may make untrue, looked for in every cell of a set of lines: P1 to P7, TE, levels that only grow.

The clause that made it untrue may be anybody's: a jurist reads a clause, this reads what all clauses together allow.
What statute gives each class of organisation stands beside it (``policies/per_partner.py``).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from policies.catalogue import Validity
from policies.cells import GROUPED_BY, Assignment, Cell, allowed, cells, groups
from policies.lines import PolicyLine
from policies.per_partner import PER_PARTNER, VEILIG_THUIS, Property, Yes, in_law, of_kind
from policies.ruleset import RuleSet
from policies.vocabulary import ACUTE, MISPLACED_ACUTE, NO_GROUND, REPRESENTATIVE, SIGHTS, WILDCARD

ENDED_CONSENT = ("refused", "withdrawn", "expired")
TO_VEILIG_THUIS = "WMO-5.2.6"
COMPLETE = "complete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A property, and one cell in which it does not hold."""

    name: str
    request: Mapping[str, str]


def _p1(_: RuleSet, yes: Yes) -> bool:
    """Without a ground there is nothing."""
    return not yes.any_in("ground", (NO_GROUND,))


def _p3(rules: RuleSet, yes: Yes) -> bool:
    """On the ground of consent nothing opens unless consent was given."""
    return not yes.any_in("ground", of_kind(rules, "toestemming")) or yes.all_in("consent", ("given",))


def _p4(rules: RuleSet, yes: Yes) -> bool:
    """An exception needs a complete dossier and what the meldcode demands, or acute danger."""
    if not yes.any_in("ground", of_kind(rules, "uitzondering")):
        return True
    approved = yes.all_in("meldcode", ("met",)) or yes.all_in("approval", ("approved",))
    return yes.all_in("exc", (COMPLETE, ACUTE)) and (approved or not yes.any_in("exc", (COMPLETE,)))


def _p6(_: RuleSet, yes: Yes) -> bool:
    """The right to tell of Wmo 2015 5.2.6 reaches Veilig Thuis and nobody else."""
    return not yes.any_in("ground", (TO_VEILIG_THUIS,)) or yes.receiving == VEILIG_THUIS


def _p7(rules: RuleSet, yes: Yes) -> bool:
    """Acute danger as an exception reaches those who may be told at once, and a misplaced one reaches nobody.

    What is seen after a question is judged by who could ask it: a misplaced one could not.
    """
    exception = yes.any_in("ground", of_kind(rules, "uitzondering")) and yes.any_in("exc", (ACUTE,))
    reaches = yes.receiving in rules.classes and rules.classes[yes.receiving].acute
    misplaced = yes.group["act"] not in SIGHTS and yes.any_in("exc", (MISPLACED_ACUTE,))
    return (not exception or reaches) and not misplaced


def _shielded(_: RuleSet, yes: Yes) -> bool:
    """A shielded or excluded signal is seen by nobody."""
    return not yes.any_in("shield", ("shielded", "excluded"))


def _te(rules: RuleSet, yes: Yes) -> bool:
    """The therapeutic exception is a ground towards a representative alone, with a complete dossier (D11)."""
    if not yes.any_in("ground", of_kind(rules, "therapeutisch")):
        return True
    return yes.group["act"] == "share" and yes.receiving == REPRESENTATIVE and yes.all_in("exc", (COMPLETE,))


_EACH: Mapping[str, Property] = {
    "P1": _p1,
    "P3": _p3,
    "P4": _p4,
    "P6": _p6,
    "P7": _p7,
    "TE": _te,
    "shielded": _shielded,
}
"""Properties of one allowed cell by itself."""


def broken_properties(rules: RuleSet, lines: Sequence[PolicyLine]) -> Iterator[Broken]:
    """Every property these lines break, each with one cell of each group in which it is broken.

    Args:
        rules: the documents and tables the lines are held against.
        lines: the lines of the bundle, or others in their place.
    """
    yield from _convenant_wildcards(rules, lines)
    yield from _beyond_periods(rules, lines)
    known: dict[tuple[int, ...], list[tuple[Assignment, frozenset[str]]]] = {}
    for group, numbers in groups(lines, rules.vocabulary):
        if numbers not in known:
            found = cells(lines, numbers, rules.vocabulary, act=group[0])
            known[numbers] = [
                (cell.words, frozenset(lines[number].rid for number in cell.spoken))
                for cell in found
                if allowed(lines, cell.spoken)
            ]
        named = dict(zip(GROUPED_BY, group, strict=True))
        yes = [Yes(group=named, words=words, rules=spoken) for words, spoken in known[numbers]]
        yield from _broken_here(rules, yes)
    yield from _comparisons(rules, lines)


def _broken_here(rules: RuleSet, cells_of_group: Sequence[Yes]) -> Iterator[Broken]:
    """Every property that an allowed cell of this group breaks, each once."""
    law = bool(cells_of_group) and in_law(rules, cells_of_group[0])
    for name, holds in {**_EACH, **(PER_PARTNER if law else {})}.items():
        wrong = next((yes for yes in cells_of_group if not holds(rules, yes)), None)
        if wrong is not None:
            yield Broken(
                name=name, request={**wrong.group, **{column: each[0] for column, each in wrong.words.items()}}
            )


def _beyond_periods(rules: RuleSet, lines: Sequence[PolicyLine]) -> Iterator[Broken]:
    """P5: nothing opens on a day on which its document, its purpose or its ground does not hold."""
    documents = {convenant.label: convenant.validity for convenant in rules.convenants}
    for line in lines:
        if line.eft != "allow":
            continue
        periods: list[Validity | None] = [documents.get(line.rid.partition("/")[0])]
        periods += [rules.purposes[line.purpose].validity] if line.purpose in rules.purposes else []
        periods += [rules.grounds[line.ground].validity] if line.ground in rules.grounds else []
        if not all(_within(line, period) for period in periods if period is not None):
            yield Broken(name="P5", request={"rid": line.rid, "purpose": line.purpose, "ground": line.ground})


def _within(line: PolicyLine, period: Validity) -> bool:
    until = period.until
    return _digits(str(period.since)) <= line.since and (until is None or line.until <= _digits(str(until)))


def _convenant_wildcards(rules: RuleSet, lines: Sequence[PolicyLine]) -> Iterator[Broken]:
    """No line of a convenant speaks about every ground."""
    statutory = {convenant.label for convenant in rules.convenants if convenant.kind == "lex"}
    for line in lines:
        if line.ground == WILDCARD and line.rid.partition("/")[0] not in statutory:
            yield Broken(name="convenant-ground", request={"rid": line.rid})


def _comparisons(rules: RuleSet, lines: Sequence[PolicyLine]) -> Iterator[Broken]:
    """P2: ended consent opens no more than unknown or given consent. Levels: what is shown at 2 is shown at 1."""
    seen: set[tuple[int, ...]] = set()
    for group, numbers in groups(lines, rules.vocabulary):
        if numbers in seen:
            continue
        seen.add(numbers)
        whole = list(cells(lines, numbers, rules.vocabulary, act=group[0]))
        yes = [cell for cell in whole if allowed(lines, cell.spoken)]
        for column, pairs, name in (
            ("consent", [(ended, other) for ended in ENDED_CONSENT for other in ("unknown", "given")], "P2"),
            ("level", [(str(level), str(level - 1)) for level in range(2, 5)], "levels"),
        ):
            yield from _more_open(yes, column, pairs, name, dict(zip(GROUPED_BY, group, strict=True)))


def _more_open(
    yes: Sequence[Cell], column: str, pairs: Sequence[tuple[str, str]], name: str, group: Mapping[str, str]
) -> Iterator[Broken]:
    """Where the first word of a pair is allowed and the second is not, everything else being equal."""
    others: dict[tuple[tuple[str, ...], ...], set[str]] = {}
    for cell in yes:
        rest = tuple(words for each, words in cell.words.items() if each != column)
        others.setdefault(rest, set()).update(cell.words[column])
    for cell in yes:
        rest = tuple(words for each, words in cell.words.items() if each != column)
        for one, other in pairs:
            if one in cell.words[column] and other not in others[rest]:
                words = {**{each: found[0] for each, found in cell.words.items()}, column: one}
                yield Broken(name=name, request={**group, **words})
                return


def _digits(day: str) -> str:
    return day.replace("-", "")

"""Two bundles compared: every cell that opens or closes, and what else can change a decision.

A comparison is evidence for who signs, and no permission. Old None stands for no bundle at all, which denies.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import rfc8785

from policies.cells import GROUPED_BY, Assignment, allowed, cells, groups
from policies.convenant import Convenant
from policies.facts import Json
from policies.lines import PolicyLine
from policies.ruleset import RuleSet
from policies.vocabulary import Vocabulary

Direction = Literal["opens", "closes"]
_Table = Literal["purpose", "ground", "class", "proof"]
_DOCUMENTS = "party"
"""The column whose words are documents by version, ``id@version``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Cells of one group that are answered otherwise.

    Attributes:
        group: act, asker, holder, purpose and category.
        words: per column the words of the changed cells; days by the first of each span.
        cells: how many combinations of words that is, a span of days counted once.
        rules: the rules that allow, in the bundle that does.
    """

    direction: Direction
    group: Mapping[str, str]
    words: Assignment
    cells: int
    rules: tuple[str, ...]

    def document(self) -> dict[str, Json]:
        """This change as it stands in ``diff/v1``."""
        words: dict[str, Json] = {column: list(found) for column, found in self.words.items()}
        return {
            "direction": self.direction,
            "group": dict(self.group),
            "words": words,
            "cells": self.cells,
            "rules": list(self.rules),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Beyond:
    """What a decision takes from the documents besides the lines; ``opens`` too where nobody can say it closes."""

    direction: Direction
    what: Literal["party", "duty"] | _Table
    name: str

    def document(self) -> dict[str, Json]:
        """This change as it stands in ``diff/v1``."""
        return {"direction": self.direction, "what": self.what, "name": self.name}


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """Everything that one bundle answers otherwise than another.

    Attributes:
        documents: files that differ at all, also where no answer does.
    """

    old: str | None
    new: str
    changes: tuple[Change, ...]
    beyond: tuple[Beyond, ...]
    documents: tuple[str, ...]

    @property
    def openings(self) -> int:
        """How many cells open, and how many changes beyond the lines may open something."""
        opened = sum(change.cells for change in self.changes if change.direction == "opens")
        return opened + sum(change.direction == "opens" for change in self.beyond)

    @property
    def closings(self) -> int:
        """The same for what closes."""
        closed = sum(change.cells for change in self.changes if change.direction == "closes")
        return closed + sum(change.direction == "closes" for change in self.beyond)

    def document(self) -> dict[str, Json]:
        """This comparison as ``diff/v1``."""
        return {
            "schema": "diff/v1",
            "old": self.old,
            "new": self.new,
            "openings": self.openings,
            "closings": self.closings,
            "changes": [change.document() for change in self.changes],
            "beyond": [change.document() for change in self.beyond],
            "documents": list(self.documents),
        }

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of the RFC 8785 bytes of the document: what a second sign-off is about."""
        return hashlib.sha256(rfc8785.dumps(self.document())).hexdigest()


def compare(old: RuleSet | None, new: RuleSet) -> Diff:
    """Every cell, party, duty and purpose that the two answer otherwise."""
    before: Mapping[str, Mapping[str, Json]] = {} if old is None else old.documents
    files = sorted(before.keys() | new.documents.keys())
    return Diff(
        old=None if old is None else old.sha256,
        new=new.sha256,
        changes=tuple(
            _changes(_unversioned(() if old is None else old.lines), _unversioned(new.lines), _joint(old, new))
        ),
        beyond=tuple(sorted(_beyond(old, new), key=lambda one: (one.what, one.name, one.direction))),
        documents=tuple(file for file in files if before.get(file) != new.documents.get(file)),
    )


def _joint(old: RuleSet | None, new: RuleSet) -> Vocabulary:
    """The words of both, documents without their versions."""
    before: Vocabulary = {} if old is None else old.vocabulary
    joint = {column: before.get(column, frozenset()) | words for column, words in new.vocabulary.items()}
    return {**joint, _DOCUMENTS: frozenset(unversioned(word) for word in joint[_DOCUMENTS])}


def _unversioned(lines: Iterable[PolicyLine]) -> tuple[PolicyLine, ...]:
    return tuple(replace(line, party=unversioned(line.party)) for line in lines)


def _changes(old: Sequence[PolicyLine], new: Sequence[PolicyLine], vocabulary: Vocabulary) -> Iterable[Change]:
    lines = (*old, *new)
    known: dict[tuple[int, ...], list[_Boxes]] = {}  # groups in which the same lines speak are answered alike
    for group, numbers in groups(lines, vocabulary):
        if numbers not in known:
            known[numbers] = list(_boxes(lines, numbers, len(old), vocabulary, act=group[0]))
        named = dict(zip(GROUPED_BY, group, strict=True))
        for direction, spoke, words in known[numbers]:
            yield Change(direction=direction, group=named, words=words, cells=_size(words), rules=spoke)


_Boxes = tuple[Direction, tuple[str, ...], Assignment]


def _boxes(
    lines: Sequence[PolicyLine], numbers: tuple[int, ...], olds: int, vocabulary: Vocabulary, *, act: str
) -> Iterable[_Boxes]:
    """What opens and closes in one group; the first ``olds`` lines are the old ones."""
    before = frozenset(number for number in numbers if number < olds)
    after = frozenset(numbers) - before
    if _texts(lines, before) == _texts(lines, after):
        return
    found: dict[tuple[Direction, tuple[str, ...]], list[Assignment]] = {}
    for cell in cells(lines, numbers, vocabulary, act=act):
        was, now = allowed(lines, cell.spoken & before), allowed(lines, cell.spoken & after)
        if was != now:
            rules = sorted({lines[number].rid for number in cell.spoken & (after if now else before)})
            found.setdefault(("opens" if now else "closes", tuple(rules)), []).append(cell.words)
    for (direction, spoke), parts in sorted(found.items()):
        for words in merged(parts):
            yield direction, spoke, words


def unversioned(name: str) -> str:
    """``vira/kijken`` for the rule ``vira@2026.1.0/kijken``, ``vira`` for the document; any other word as it is."""
    document, _, clause = name.partition("/")
    return document.partition("@")[0] + (f"/{clause}" if clause else "")


def _texts(lines: Sequence[PolicyLine], numbers: Iterable[int]) -> frozenset[PolicyLine]:
    """Lines without the names of their rules, which change with every version."""
    return frozenset(replace(lines[number], rid="") for number in numbers)


def merged(parts: Iterable[Assignment]) -> list[Assignment]:
    """The same cells in fewer boxes: boxes that differ in one column only become one."""
    boxes = list(parts)
    for column in boxes[0] if boxes else ():
        joined: dict[tuple[tuple[str, ...], ...], Assignment] = {}
        for box in boxes:
            others = tuple(words for name, words in box.items() if name != column)
            same = joined.get(others)
            words = box[column] if same is None else tuple(sorted({*same[column], *box[column]}))
            joined[others] = {**box, column: words}
        boxes = list(joined.values())
    return boxes


def _size(words: Assignment) -> int:
    size = 1
    for found in words.values():
        size *= len(found)
    return size


def _beyond(old: RuleSet | None, new: RuleSet) -> Iterable[Beyond]:
    was, now = (frozenset() if old is None else _parties(old)), _parties(new)
    for name in sorted(was ^ now):
        yield Beyond(direction="opens" if name in now else "closes", what="party", name=name)
    if old is not None:
        yield from _duties(old, new)
        yield from _rows(old, new)


def _parties(rules: RuleSet) -> frozenset[str]:
    """Every membership as one name: a longer one is another one."""
    return frozenset(
        name
        for purpose, carriers in rules.carriers.items()
        for carrier in carriers
        for name in _party_names(purpose, carrier)
    )


def _party_names(purpose: str, carrier: Convenant) -> Iterable[str]:
    where = f"{purpose} in {unversioned(carrier.label)}"
    if carrier.parties is None:
        yield f"{where}: everybody"
        return
    for party in carrier.parties:
        until = party.membership.until or "-"
        yield f"{where}: {party.oin} {party.org_class} {party.membership.since}..{until}"


def _duties(old: RuleSet, new: RuleSet) -> Iterable[Beyond]:
    """A duty beforehand keeps closed what its rule opens; without it the rule opens more."""
    was, now = _duty_names(old), _duty_names(new)
    for name in sorted(was ^ now):
        before = " vooraf " in name
        yield Beyond(direction="opens" if before == (name in was) else "closes", what="duty", name=name)


def _duty_names(rules: RuleSet) -> frozenset[str]:
    """Per clause, without the version of its document."""
    return frozenset(
        f"{unversioned(rid)} {duty.phase} {duty.id} {duty.term or '-'}"
        for rid, clause in rules.clauses.items()
        for duty in clause.obligations
    )


def _rows(old: RuleSet, new: RuleSet) -> Iterable[Beyond]:
    """A row of a table that says otherwise what it uses, needs or lasts counts as an opening: a person looks."""
    tables: Mapping[_Table, tuple[Mapping[str, object], Mapping[str, object]]] = {
        "purpose": (old.purposes, new.purposes),
        "ground": (old.grounds, new.grounds),
        "class": (old.classes, new.classes),
        "proof": (old.proofs, new.proofs),
    }
    for table, (before, after) in tables.items():
        for name in sorted(before.keys() & after.keys()):
            if _decisive(before[name]) != _decisive(after[name]):
                yield Beyond(direction="opens", what=table, name=name)


_WORDS_ONLY = frozenset({"article", "citation", "verification", "allowances"})
"""Fields of a row that no decision reads, as are all texts (``_nl``); the lines lie within the allowances anyhow."""


def _decisive(row: object) -> list[object]:
    """What a decision may read of a row."""
    names: tuple[str, ...] = getattr(type(row), "__slots__", ())
    return [getattr(row, name) for name in names if name not in _WORDS_ONLY and not name.endswith("_nl")]

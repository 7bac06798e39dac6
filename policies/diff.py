"""Two bundles compared: every cell that opens or closes, and what else can change a decision.

A comparison is evidence for who signs, and no permission. Old None stands for no bundle at all, which denies.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import rfc8785

from policies.beyond import Beyond, beyond, unversioned
from policies.cells import GROUPED_BY, Assignment, allowed, cells, groups
from policies.facts import Json
from policies.lines import PolicyLine
from policies.rows import Direction
from policies.ruleset import RuleSet
from policies.vocabulary import Vocabulary

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
        beyond=tuple(sorted(beyond(old, new), key=lambda one: (one.what, one.name, one.direction))),
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

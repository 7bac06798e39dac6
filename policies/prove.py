"""The whole finite domain of a bundle: Casbin over the compiled lines against the documents, read by another road.

A cell is one combination of words that neither a line nor a clause tells apart. In every cell in which a line or a
clause allows, Casbin is asked for one request and must answer as the documents do. What is in no such cell is denied by
both. A slice is one act, asker and purpose; its hash names everything its answers depend on.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import rfc8785

from policies.cells import matches, spans, words_of
from policies.compile import COMPILER
from policies.engine import MODEL, Engine
from policies.facts import Json
from policies.lines import REQUEST_COLUMNS, PolicyLine, Request
from policies.must_hold import Broken, broken_properties
from policies.oracle import Reading, read_documents, says_yes
from policies.ruleset import RuleSet
from policies.vocabulary import Vocabulary

PROOF = "proof/2"
"""Version of this proof and of the oracle: a change of either makes every slice unproven."""

SLICED_BY = ("act", "ask", "purpose")
_HASH_DIGITS = 16

SliceName = tuple[str, ...]
Voices = frozenset[int]
"""Positions of what speaks: lines first, readings after them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """A cell that the lines and the documents answer otherwise; ``engine`` and ``documents`` say how."""

    request: Mapping[str, str]
    engine: bool
    documents: bool


@dataclass(frozen=True, kw_only=True)
class Domain:
    """Lines and readings together, and the words that either of them tells apart."""

    lines: Sequence[PolicyLine]
    readings: Sequence[Reading]
    vocabulary: Vocabulary

    @classmethod
    def of(cls, rules: RuleSet, lines: Sequence[PolicyLine] | None = None) -> "Domain":
        """The domain of a bundle, or of other lines over its documents."""
        return cls(
            lines=rules.lines if lines is None else tuple(lines),
            readings=read_documents(rules.documents),
            vocabulary=rules.vocabulary,
        )

    @cached_property
    def allowing(self) -> Voices:
        """What can make a cell be anything but denied by both."""
        lines = {number for number, line in enumerate(self.lines) if line.eft == "allow"}
        offset = len(self.lines)
        return frozenset(lines | {offset + n for n, reading in enumerate(self.readings) if reading.kind == "allow"})

    @cached_property
    def days(self) -> tuple[str, ...]:
        """The first day of each span between which neither a line nor a clause begins or ends."""
        edges = {day for reading in self.readings for day in reading.days}
        return tuple(sorted({*spans(self.lines, range(len(self.lines))), *edges}))

    def speaks(self, voice: int, column: str, word: str) -> bool:
        """Whether this line or reading speaks about this word."""
        if voice < len(self.lines):
            return matches(self.lines[voice], column, word)
        return self.readings[voice - len(self.lines)].speaks(column, word)

    def slices(self) -> dict[SliceName, Voices]:
        """Every slice in which something allows, with all that speaks in it."""
        voices = tuple(range(len(self.lines) + len(self.readings)))
        found: dict[SliceName, Voices] = {}
        for act in sorted(self.vocabulary["act"]):
            of_act = self._kept(voices, "act", act)
            for ask in sorted(self.vocabulary["ask"]):
                of_asker = self._kept(of_act, "ask", ask)
                for purpose in sorted(self.vocabulary["purpose"]):
                    kept = self._kept(of_asker, "purpose", purpose)
                    if not self.allowing.isdisjoint(kept):
                        found[act, ask, purpose] = frozenset(kept)
        return found

    def _kept(self, voices: Iterable[int], column: str, word: str) -> tuple[int, ...]:
        return tuple(voice for voice in voices if self.speaks(voice, column, word))

    def cells(self, name: SliceName, voices: Voices) -> Iterator[tuple[dict[str, str], Voices]]:
        """One request out of every cell of a slice in which something allows, and what speaks in that cell."""
        fixed = dict(zip(SLICED_BY, name, strict=True))
        axes = [(column, self._classes(column, voices, name[0])) for column in REQUEST_COLUMNS if column not in fixed]
        # Columns that tell much apart come first, so that what allows nothing is left early.
        axes.sort(key=lambda axis: -len(axis[1]))
        yield from self._cells(axes, fixed, voices)

    def _cells(
        self, axes: Sequence[tuple[str, Mapping[Voices, str]]], words: dict[str, str], left: Voices
    ) -> Iterator[tuple[dict[str, str], Voices]]:
        if not axes:
            yield words, left
            return
        (column, classes), rest = axes[0], axes[1:]
        for speaking, word in classes.items():
            kept = left & speaking
            if not self.allowing.isdisjoint(kept):
                yield from self._cells(rest, {**words, column: word}, kept)

    def _classes(self, column: str, voices: Voices, act: str) -> dict[Voices, str]:
        """One word for each set of voices that speak about it."""
        words = self.days if column == "day" else words_of(column, self.vocabulary, act=act)
        return {frozenset(self._kept(voices, column, word)): word for word in reversed(words)}

    def line_answer(self, voices: Voices) -> bool:
        """What the lines among these say, without Casbin."""
        return {self.lines[voice].eft for voice in voices if voice < len(self.lines)} == {"allow"}

    def documents_answer(self, voices: Voices) -> bool:
        """What the readings among these say."""
        offset = len(self.lines)
        return says_yes(self.readings[voice - offset] for voice in voices if voice >= offset)

    def hash_of(self, name: SliceName, voices: Voices) -> str:
        """Names everything the answers of this slice depend on."""
        offset = len(self.lines)
        readings: list[Json] = [_plain(self.readings[voice - offset]) for voice in sorted(voices) if voice >= offset]
        content: Json = {
            "proof": PROOF,
            "compiler": COMPILER,
            "model": MODEL,
            "slice": [*name],
            "lines": [[*self.lines[voice].cells()] for voice in sorted(voices) if voice < offset],
            "readings": readings,
            "vocabulary": {column: [*sorted(self.vocabulary[column])] for column in REQUEST_COLUMNS if column != "day"},
        }
        return hashlib.sha256(rfc8785.dumps(content)).hexdigest()[:_HASH_DIGITS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What came of a whole bundle: slices and cells that were looked at, what they were wrong in, and broken rules."""

    slices: int
    cells: int
    mismatches: tuple[Mismatch, ...]
    broken: tuple[Broken, ...]

    @property
    def holds(self) -> bool:
        """Whether something was looked at, and nothing was wrong."""
        return bool(self.cells) and not self.mismatches and not self.broken

    def document(self) -> dict[str, Json]:
        """The result as JSON values."""
        mismatches: list[Json] = [
            {"request": dict(one.request), "engine": one.engine, "documents": one.documents} for one in self.mismatches
        ]
        broken: list[Json] = [{"property": one.name, "request": dict(one.request)} for one in self.broken]
        return {"slices": self.slices, "cells": self.cells, "mismatches": mismatches, "broken": broken}


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceProof:
    """What came of one slice."""

    cells: int
    mismatches: tuple[Mismatch, ...] = field(default=())


def prove_slice(domain: Domain, engine: Engine, name: SliceName, voices: Voices) -> SliceProof:
    """Casbin was asked in every cell of the slice, and answered as the documents do or is among the mismatches."""
    cells = 0
    wrong: list[Mismatch] = []
    for words, speaking in domain.cells(name, voices):
        cells += 1
        answer = engine.judge(Request(**words)).allowed
        expected = domain.documents_answer(speaking)
        if answer != expected or answer != domain.line_answer(speaking):
            wrong.append(Mismatch(request=words, engine=answer, documents=expected))
    return SliceProof(cells=cells, mismatches=tuple(wrong))


def prove(rules: RuleSet) -> Proof:
    """Every slice of the bundle, and every property that must hold whatever the documents say."""
    domain, engine = Domain.of(rules), Engine(rules.lines, rules.vocabulary)
    slices = domain.slices()
    proofs = [prove_slice(domain, engine, name, voices) for name, voices in slices.items()]
    return Proof(
        slices=len(slices),
        cells=sum(one.cells for one in proofs),
        mismatches=tuple(wrong for one in proofs for wrong in one.mismatches),
        broken=tuple(broken_properties(rules, rules.lines)),
    )


def first_difference(domain: Domain, *, near: Sequence[PolicyLine] = ()) -> Mismatch | None:
    """The first cell that these lines and the documents answer otherwise, without Casbin; None where there is none.

    Args:
        near: look in the slices only in which one of these lines speaks; everywhere when there are none.
    """
    for name, voices in domain.slices().items():
        if near and not any(_speaks_in(line, name) for line in near):
            continue
        for words, speaking in domain.cells(name, voices):
            ours, theirs = domain.line_answer(speaking), domain.documents_answer(speaking)
            if ours != theirs:
                return Mismatch(request=words, engine=ours, documents=theirs)
    return None


def _speaks_in(line: PolicyLine, name: SliceName) -> bool:
    return all(matches(line, column, word) for column, word in zip(SLICED_BY, name, strict=True))


def _plain(reading: Reading) -> Json:
    conditions: dict[str, Json] = {column: [*sorted(words)] for column, words in reading.conditions.items()}
    return [reading.kind, reading.name, conditions, [*reading.levels], [*reading.days]]

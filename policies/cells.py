"""The whole finite domain of a set of lines, cell by cell, without Casbin: for comparing sets of lines exhaustively.

Words that no line tells apart are one class, and a cell names one class per column; so every request lies in exactly
one cell, and all requests of a cell are answered alike. ``tests/prove`` holds this reading against Casbin's.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

from policies.lines import LINE_COLUMNS, REQUEST_COLUMNS, PolicyLine, Request
from policies.vocabulary import NOT_APPLICABLE, SIGHTS, WILDCARD, WITH_OTHER_SIDE, Vocabulary

GROUPED_BY = ("act", "ask", "hold", "purpose", "cat")
"""The columns that name a group of cells: what is asked, by whom, of whom, for what, about what."""

DAWN = "00010101"
"""A day before every line: the first of the days on which nothing is valid yet."""

Words = tuple[str, ...]
Assignment = dict[str, Words]
Group = tuple[str, ...]

ABOUT_OTHERS = frozenset(field.name for field in fields(Request) if field.default == NOT_APPLICABLE)
"""The columns about another side or its signal: ``none`` where there is none, and never ``none`` where there is."""

_SPANS = {"level": ("lmin", "lmax"), "day": ("since", "until")}
_INNER = tuple(column for column in REQUEST_COLUMNS if column not in GROUPED_BY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell of one group, and which lines speak in it.

    Attributes:
        words: per column the words that no line tells apart; days by the first of their span.
        spoken: positions of the lines that match.
    """

    words: Assignment
    spoken: frozenset[int]


def matches(line: PolicyLine, column: str, word: str) -> bool:
    """Whether this line matches this word of this request column, as the model's matcher says."""
    if column == "level":
        return line.lmin <= word <= line.lmax
    if column == "day":
        return line.since <= word < line.until
    cell: str = getattr(line, column)
    return cell in (WILDCARD, word)


def groups(
    lines: Sequence[PolicyLine], vocabulary: Vocabulary, *, every: bool = False
) -> Iterator[tuple[Group, tuple[int, ...]]]:
    """Every group in which a line allows, with the positions of all its lines; what is in no group is denied.

    Args:
        every: the groups in which lines only deny too.
    """
    yield from _groups(lines, vocabulary, (), tuple(range(len(lines))), _decisive(lines, every=every))


def _groups(
    lines: Sequence[PolicyLine], vocabulary: Vocabulary, group: Group, left: tuple[int, ...], needed: frozenset[int]
) -> Iterator[tuple[Group, tuple[int, ...]]]:
    if len(group) == len(GROUPED_BY):
        yield group, left
        return
    column = GROUPED_BY[len(group)]
    for word in words_of(column, vocabulary, act=group[0] if group else None):
        kept = tuple(number for number in left if matches(lines[number], column, word))
        if not needed.isdisjoint(kept):
            yield from _groups(lines, vocabulary, (*group, word), kept, needed)


def _decisive(lines: Sequence[PolicyLine], *, every: bool) -> frozenset[int]:
    """The lines one of which must speak for a cell to be of interest: without an allowing one it is denied anyhow."""
    return frozenset(number for number, line in enumerate(lines) if every or line.eft == "allow")


def words_of(column: str, vocabulary: Vocabulary, *, act: str | None) -> tuple[str, ...]:
    """The words a request of this act can have in a column."""
    words = vocabulary[column]
    if column in ABOUT_OTHERS:
        concerned = act in (WITH_OTHER_SIDE if column == "hold" else SIGHTS)
        words = words - {NOT_APPLICABLE} if concerned else words & {NOT_APPLICABLE}
    return tuple(sorted(words))


def cells(
    lines: Sequence[PolicyLine],
    numbers: Sequence[int],
    vocabulary: Vocabulary,
    *,
    act: str,
    every: bool = False,
) -> Iterator[Cell]:
    """Every cell of one group of this act in which one of these lines allows; with ``every``, in which one speaks."""
    axes = {column: _classes(lines, numbers, column, vocabulary, act) for column in _INNER}
    everybody = frozenset(numbers)
    # A column in which all lines match every word tells nothing apart, and is not walked.
    whole = {column: classes[everybody] for column, classes in axes.items() if set(classes) == {everybody}}
    apart = [(column, classes) for column, classes in axes.items() if column not in whole]
    for words, spoken in _cells(apart, whole, everybody, _decisive(lines, every=every)):
        yield Cell(words={column: words[column] for column in _INNER}, spoken=spoken)


def _cells(
    axes: Sequence[tuple[str, Mapping[frozenset[int], Words]]],
    words: Assignment,
    spoken: frozenset[int],
    needed: frozenset[int],
) -> Iterator[tuple[Assignment, frozenset[int]]]:
    if not axes:
        yield words, spoken
        return
    (column, classes), rest = axes[0], axes[1:]
    for matching, members in classes.items():
        left = spoken & matching
        if not needed.isdisjoint(left):
            yield from _cells(rest, {**words, column: members}, left, needed)


def _classes(
    lines: Sequence[PolicyLine], numbers: Sequence[int], column: str, vocabulary: Vocabulary, act: str
) -> dict[frozenset[int], Words]:
    """The words of a column by the lines that match them."""
    found: dict[frozenset[int], Words] = {}
    words = spans(lines, numbers) if column == "day" else words_of(column, vocabulary, act=act)
    for word, matching in _matching(lines, numbers, column, words):
        found[matching] = (*found.get(matching, ()), word)
    return found


def _matching(
    lines: Sequence[PolicyLine], numbers: Sequence[int], column: str, words: Words
) -> Iterator[tuple[str, frozenset[int]]]:
    """Each word with the lines that match it, as `matches` says, but each line is read once and not once a word."""
    if column in _SPANS:
        yield from ((word, frozenset(n for n in numbers if matches(lines[n], column, word))) for word in words)
        return
    by_cell: dict[str, list[int]] = {}
    for number in numbers:
        by_cell.setdefault(getattr(lines[number], column), []).append(number)
    always = frozenset(by_cell.pop(WILDCARD, ()))
    yield from ((word, always.union(by_cell.get(word, ()))) for word in words)


def spans(lines: Sequence[PolicyLine], numbers: Sequence[int]) -> tuple[str, ...]:
    """The first day of each span of days between which none of these lines begins or ends."""
    return (DAWN, *sorted({getattr(lines[number], edge) for number in numbers for edge in _SPANS["day"]}))


def allowed(lines: Sequence[PolicyLine], spoken: frozenset[int]) -> bool:
    """Some line allows and none denies."""
    effects = {lines[number].eft for number in spoken}
    return effects == {"allow"}


def covers_every_column() -> bool:
    """Whether every column of the model is read here; a test holds this, so that a new one cannot be forgotten."""
    edges = {name for span in _SPANS.values() for name in span}
    return {*LINE_COLUMNS} - {"rid", "eft"} - edges == {*REQUEST_COLUMNS} - set(_SPANS)

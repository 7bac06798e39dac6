"""Searches files for identifying values in every form of `encodings`, fast enough to do so after every run.

A number inside a run of exactly 32 or 64 hexadecimal digits does not count: that is an id or a hash, in which nine
digits stand by chance. Nothing else is let pass: in a database file, values stand against each other without a blank.
"""

import mmap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from connectors.demo.encodings import Pattern, patterns_of

_ANCHOR = 4  # bytes, looked up as one number wherever they stand at a multiple of four in a file
_BLOCK = 65_536
_HEX = frozenset(b"0123456789abcdef")
_HEX_LENGTHS = frozenset({32, 64})  # of our ids and of SHA-256


class Kind(Enum):
    """What a value is."""

    NUMBER = "number"
    NAME = "name"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Value:
    """One identifying value in the spellings that mean the same."""

    kind: Kind
    spellings: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class ScanReport:
    """What a scan saw. `found` counts the values that occur, `hits` every place; `places` names files only."""

    files: int = 0
    size: int = 0
    hits: int = 0
    places: dict[str, int] = field(default_factory=dict)
    values: set[int] = field(default_factory=set)

    @property
    def found(self) -> int:
        """How many different values occur."""
        return len(self.values)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Sought:
    pattern: Pattern
    kind: Kind
    value: int


class LeakScan:
    """The patterns of some values, ready to be searched for."""

    def __init__(self, values: Sequence[Value]) -> None:
        """Prepare the search; a value is reported by its place in `values`."""
        self.values = len(values)
        self._search_for(
            {
                pattern.content: _Sought(pattern=pattern, kind=value.kind, value=number)
                for number, value in enumerate(values)
                for spelling in value.spellings
                for pattern in patterns_of(spelling)
            }
        )

    @property
    def patterns(self) -> int:
        """How many patterns are searched for."""
        return len(self._sought)

    def without(self, contents: Iterable[bytes]) -> "LeakScan":
        """Return the same search without these patterns."""
        dropped = set(contents)
        other = LeakScan(())
        other.values = self.values
        other._search_for({content: sought for content, sought in self._sought.items() if content not in dropped})
        return other

    def patterns_in(self, *roots: Path) -> set[bytes]:
        """Return the patterns that occur in these files and folders."""
        return {sought.pattern.content for file in _files(roots) for sought in self._in_file(file)}

    def run(self, *roots: Path, relative_to: Path) -> ScanReport:
        """Return what of the values occurs in these files and folders, hidden ones included."""
        report = ScanReport()
        for file in _files(roots):
            report.files += 1
            report.size += file.stat().st_size
            for sought in self._in_file(file):
                name = str(file.relative_to(relative_to))
                report.hits += 1
                report.places[name] = report.places.get(name, 0) + 1
                report.values.add(sought.value)
        return report

    def _search_for(self, sought: dict[bytes, _Sought]) -> None:
        self._sought = sought
        self._longest = max(map(len, sought), default=0)
        self._by_anchor = _by_anchor(sought)
        self._anchors = frozenset(self._by_anchor)

    def _in_file(self, path: Path) -> Iterator[_Sought]:
        with path.open("rb") as file:
            try:
                content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            except ValueError:  # an empty file cannot be mapped, and holds nothing
                return
            with content:
                for start in range(0, len(content), _BLOCK):
                    yield from self._in_block(content[start : start + _BLOCK + self._longest], content, start)

    def _in_block(self, block: bytes, content: mmap.mmap, start: int) -> Iterator[_Sought]:
        with memoryview(block)[: len(block) // _ANCHOR * _ANCHOR].cast("I") as numbers:
            anchors = self._anchors.intersection(numbers)
        candidates = dict.fromkeys(one for anchor in anchors for one in self._by_anchor[anchor])
        for pattern in candidates:
            at = block.find(pattern)
            while 0 <= at < _BLOCK:
                if _counts(self._sought[pattern], content, start + at):
                    yield self._sought[pattern]
                at = block.find(pattern, at + 1)


def _by_anchor(patterns: Iterable[bytes]) -> dict[int, list[bytes]]:
    """Return the patterns by each four bytes of which one must stand at a multiple of four, wherever they begin."""
    anchors: dict[int, list[bytes]] = {}
    for pattern in patterns:
        for shift in range(_ANCHOR):
            anchor = memoryview(pattern[shift : shift + _ANCHOR]).cast("I")[0]
            anchors.setdefault(anchor, []).append(pattern)
    return anchors


def _counts(sought: _Sought, content: mmap.mmap, at: int) -> bool:
    """Whether this place is the value, and not a part of a hash."""
    if sought.kind is not Kind.NUMBER or not sought.pattern.plain:
        return True
    first, end = at, at + len(sought.pattern.content)
    longest = max(_HEX_LENGTHS)
    while first > 0 and end - first <= longest and content[first - 1] in _HEX:
        first -= 1
    while end < len(content) and end - first <= longest and content[end] in _HEX:
        end += 1
    return end - first not in _HEX_LENGTHS


def _files(roots: Iterable[Path]) -> Iterator[Path]:
    for root in roots:
        if root.is_file():
            yield root
        else:
            yield from sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())

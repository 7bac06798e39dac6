"""One policy line and one request, cell by cell, in the order of ``model.conf``."""

import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from typing import Self

from policies.errors import LineError, WordError
from policies.vocabulary import NOT_APPLICABLE, WILDCARD, Vocabulary

_DAY = re.compile(r"[0-9]{8}")
_RULE_ID = re.compile(r"[a-z0-9-]+@[0-9]+\.[0-9]+\.[0-9]+/[a-z0-9-]+")
_LEVELS = frozenset({"0", "1", "2", "3", "4"})
_EFFECTS = frozenset({"allow", "deny"})
_OWN_RULES = frozenset({"rid", "lmin", "lmax", "since", "until", "eft"})


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class PolicyLine:
    """One line of the compiled set; every cell is text, as Casbin compares text."""

    rid: str
    act: str
    ask: str
    role: str
    hold: str
    kind: str
    purpose: str
    cat: str
    lmin: str
    lmax: str
    ground: str
    standing: str
    proof: str
    approval: str
    meldcode: str
    right: str
    families: str
    party: str
    reg: str
    basis: str
    shield: str
    consent: str
    exc: str
    age: str
    since: str
    until: str
    eft: str

    @classmethod
    def from_cells(cls, cells: Sequence[str]) -> Self:
        """The line with these cells in model order.

        Raises:
            LineError: the arity is wrong (a short line would make every request of its slice fail).
        """
        if len(cells) != len(LINE_COLUMNS):
            msg = f"a policy line has {len(LINE_COLUMNS)} cells"
            raise LineError(msg)
        return cls(**dict(zip(LINE_COLUMNS, cells, strict=True)))

    def cells(self) -> tuple[str, ...]:
        """The cells in model order."""
        return astuple(self)

    def check(self, vocabulary: Vocabulary) -> None:
        """Every cell of this line lies in its closed vocabulary.

        Raises:
            LineError: a cell is not text, empty, unknown, or a level, date or effect of the wrong form.
        """
        wrong = [name for name in LINE_COLUMNS if not self._cell_holds(name, getattr(self, name), vocabulary)]
        if wrong or not (self.lmin <= self.lmax and self.since < self.until):
            msg = f"a policy line breaks the rule of column {', '.join(wrong) or 'lmin, lmax, since or until'}"
            raise LineError(msg)

    @staticmethod
    def _cell_holds(name: str, cell: object, vocabulary: Vocabulary) -> bool:
        if not isinstance(cell, str):
            return False
        if name in _OWN_RULES:
            return {
                "rid": _RULE_ID.fullmatch(cell) is not None,
                "lmin": cell in _LEVELS,
                "lmax": cell in _LEVELS,
                "since": _DAY.fullmatch(cell) is not None,
                "until": _DAY.fullmatch(cell) is not None,
                "eft": cell in _EFFECTS,
            }[name]
        return (cell == WILDCARD and name != "act") or cell in vocabulary[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question to the engine.

    ``hold`` is the other side: the holder of a signal, the recipient of what is told, or ``none``. The columns about a
    signal are ``none`` where there is none. ``party`` is the document both sides are party to that day, or ``none``.
    """

    act: str
    ask: str
    role: str
    purpose: str
    cat: str
    level: str
    ground: str
    standing: str
    proof: str
    approval: str
    meldcode: str
    right: str
    families: str
    party: str
    consent: str
    exc: str
    age: str
    day: str
    hold: str = NOT_APPLICABLE
    kind: str = NOT_APPLICABLE
    reg: str = NOT_APPLICABLE
    basis: str = NOT_APPLICABLE
    shield: str = NOT_APPLICABLE

    def cells(self) -> tuple[str, ...]:
        """The cells in model order; the last is the wildcard, so that the matcher holds no literal."""
        return (*(getattr(self, name) for name in REQUEST_COLUMNS), WILDCARD)

    def check(self, vocabulary: Vocabulary) -> None:
        """Every cell is a known word, so a wildcard or an empty text is never asked.

        Raises:
            WordError: naming the columns that are not.
        """
        wrong = tuple(name for name in REQUEST_COLUMNS if not self._cell_holds(name, vocabulary))
        if wrong:
            raise WordError(wrong)

    def _cell_holds(self, name: str, vocabulary: Vocabulary) -> bool:
        cell = getattr(self, name)
        return isinstance(cell, str) and (
            _DAY.fullmatch(cell) is not None if name == "day" else cell in vocabulary[name]
        )


LINE_COLUMNS = tuple(field.name for field in fields(PolicyLine))
REQUEST_COLUMNS = (
    "act",
    "ask",
    "role",
    "hold",
    "kind",
    "purpose",
    "cat",
    "level",
    "ground",
    "standing",
    "proof",
    "approval",
    "meldcode",
    "right",
    "families",
    "party",
    "reg",
    "basis",
    "shield",
    "consent",
    "exc",
    "age",
    "day",
)

"""Rows of the tables compared field by field: which words, numbers and switches open something, and which close it.

A decision reads purposes, grounds, classes and proofs besides the lines: what it may use, for how long, who must
consent, how long a proof counts. Every such word that one bundle has and the other has not is told by itself.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any, Literal

from policies.catalogue import AfterEnd
from policies.grounds import AgeRule, Deferral
from policies.ruleset import RuleSet

Direction = Literal["opens", "closes"]
Table = Literal["purpose", "ground", "class", "proof"]

_WORDS_ONLY = frozenset({"id", "article", "citation", "verification", "allowances"})
"""Fields of a row that no decision reads, as are all texts (``_nl``); the lines lie within the allowances anyhow."""
_OPENS = frozenset({"acute", "in_force", "working_days"})
_PROTECTS = frozenset(
    {"needs_assessment", "needs_informing", "per_region", "needs_connection", "decides_personally", "ends", "approval"}
    | {"secret_address"}
)
"""Switches: what they do when they are on."""
_MORE_OPENS = frozenset(
    {"match_kinds", "families", "dossiers", "max_years", "age_limit", "max_days"} | {"data_classes", "callers"}
)
_MORE_PROTECTS = frozenset({"consent_by", "inform", "must_document"})
"""Lists and numbers: what one more does. A number that is left out is no limit."""

_Change = tuple[str, Direction]
_OTHER: Mapping[Direction, Direction] = {"opens": "closes", "closes": "opens"}


def rows(old: RuleSet, new: RuleSet) -> Iterable[tuple[Table, str, str, Direction]]:
    """Every field of a row that decides something and differs: table, row, what it was and is, and what that does.

    What nobody can say it closes counts as an opening: a person looks.
    """
    tables: Mapping[Table, tuple[Mapping[str, object], Mapping[str, object]]] = {
        "purpose": (old.purposes, new.purposes),
        "ground": (old.grounds, new.grounds),
        "class": (old.classes, new.classes),
        "proof": (old.proofs, new.proofs),
    }
    for table, (before, after) in tables.items():
        for name in sorted(before.keys() & after.keys()):
            for said, direction in _row(before[name], after[name]):
                yield table, name, said, direction


def _row(before: object, after: object, where: str = "") -> Iterable[_Change]:
    for field in fields(before):  # type: ignore[arg-type]  # rows are dataclasses
        was, now = getattr(before, field.name), getattr(after, field.name)
        if was != now and field.name not in _WORDS_ONLY and not field.name.endswith("_nl"):
            yield from _field(field.name, was, now, where)


def _field(name: str, was: Any, now: Any, where: str) -> Iterable[_Change]:  # noqa: ANN401 -- a value of a row
    if isinstance(was, (frozenset, tuple)):
        yield from _words(name, frozenset(was), frozenset(now), where)
    elif isinstance(was, Mapping):
        yield from _by_age(was, now)
    elif isinstance(was, (AfterEnd, Deferral)) and isinstance(now, type(was)):
        yield from _row(was, now, where=f"{name}.")
    else:
        yield f"{where}{name}: {_said(was)} -> {_said(now)}", _direction(name, was, now)


def _words(name: str, was: frozenset[str], now: frozenset[str], where: str) -> Iterable[_Change]:
    """One change for each word that came or went; words that neither open nor protect count as openings."""
    more: Direction = "closes" if name in _MORE_PROTECTS else "opens"
    known = name in _MORE_OPENS | _MORE_PROTECTS
    for word in sorted(now - was):
        yield f"{where}{name}: +{word}", more
    for word in sorted(was - now):
        yield f"{where}{name}: -{word}", _OTHER[more] if known else "opens"


def _by_age(was: Mapping[str, AgeRule], now: Mapping[str, AgeRule]) -> Iterable[_Change]:
    for age in sorted(was.keys() | now.keys()):
        if age in was and age in now:
            yield from _row(was[age], now[age], where=f"{age}.")
        else:
            yield f"{age}: {'+' if age in now else '-'}", "opens"


def _direction(name: str, was: Any, now: Any) -> Direction:  # noqa: ANN401 -- a value of a row
    judged: Mapping[frozenset[str], Callable[[], bool]] = {
        _OPENS: lambda: now < was,
        _PROTECTS: lambda: now > was,
        _MORE_OPENS: lambda: now is not None and (was is None or now < was),
    }
    closes = next((closing for names, closing in judged.items() if name in names), lambda: False)
    return "closes" if closes() else "opens"


def _said(value: object) -> str:
    if isinstance(value, (AfterEnd, Deferral)):
        return "ja"
    return "-" if value is None else str(value)

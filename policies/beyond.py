"""What two bundles decide otherwise besides their lines: parties, duties, and rows of the tables."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from policies.catalogue import Validity
from policies.convenant import Convenant, Duty
from policies.facts import Json
from policies.ruleset import RuleSet

Direction = Literal["opens", "closes"]
_Table = Literal["purpose", "ground", "class", "proof"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Beyond:
    """What a decision takes from the documents besides the lines; ``opens`` too where nobody can say it closes."""

    direction: Direction
    what: Literal["party", "duty"] | _Table
    name: str

    def document(self) -> dict[str, Json]:
        """This change as it stands in ``diff/v1``."""
        return {"direction": self.direction, "what": self.what, "name": self.name}


def unversioned(name: str) -> str:
    """``vira/kijken`` for the rule ``vira@2026.1.0/kijken``, ``vira`` for the document; any other word as it is."""
    document, _, clause = name.partition("/")
    return document.partition("@")[0] + (f"/{clause}" if clause else "")


def beyond(old: RuleSet | None, new: RuleSet) -> Iterable[Beyond]:
    """Every day of a membership, and every duty and row that the two have otherwise."""
    was, now = ({} if old is None else _memberships(old)), _memberships(new)
    for name in sorted(was.keys() | now.keys()):
        before, after = was.get(name, []), now.get(name, [])
        for direction, periods in _directed(_without(after, before), _without(before, after)):
            for since, until in periods:
                yield Beyond(direction=direction, what="party", name=f"{name} {since}..{until or '-'}")
    if old is not None:
        yield from _duties(old, new)
        yield from _rows(old, new)


_Period = tuple[date, date | None]


def _directed(opened: list[_Period], closed: list[_Period]) -> Iterable[tuple[Direction, list[_Period]]]:
    yield "opens", opened
    yield "closes", closed


def _memberships(rules: RuleSet) -> Mapping[str, list[_Period]]:
    """The days on which each organisation is party, by purpose, document without its version, and class.

    Of the versions of a document one speaks on each day, so a membership counts on the days of its own version only.
    """
    found: dict[str, list[_Period]] = {}
    for purpose, carriers in rules.carriers.items():
        for carrier in carriers:
            where = f"{purpose} in {unversioned(carrier.label)}"
            for name, membership in _members(carrier):
                counting = membership.overlap(carrier.validity)
                if not counting.is_empty:
                    found.setdefault(f"{where}: {name}", []).append((counting.since, counting.until))
    return found


def _members(carrier: Convenant) -> Iterable[tuple[str, Validity]]:
    if carrier.parties is None:
        yield "everybody", carrier.validity
        return
    for party in carrier.parties:
        yield f"{party.oin} {party.org_class}", party.membership


def _without(periods: Iterable[_Period], others: Iterable[_Period]) -> list[_Period]:
    """The days of the first that are none of the others, as periods."""
    left = [(since, until or date.max) for since, until in periods]
    for since, until in others:
        end = until or date.max
        left = [
            part
            for first, last in left
            for part in ((first, min(last, since)), (max(first, end), last))
            if part[0] < part[1]
        ]
    return [(since, None if until == date.max else until) for since, until in sorted(left)]


def _duties(old: RuleSet, new: RuleSet) -> Iterable[Beyond]:
    """A rule with a duty less, with more time for one or with more grounds to put it off opens more than it did."""
    was, now = _duties_of(old), _duties_of(new)
    for name in sorted(was.keys() | now.keys()):
        if was.get(name) == now.get(name):
            continue
        stricter = name in now and (name not in was or _is_stricter(now[name], was[name]))
        yield Beyond(direction="closes" if stricter else "opens", what="duty", name=_changed(name, was, now))


_Duties = Mapping[str, Duty]


def _duties_of(rules: RuleSet) -> _Duties:
    """Every duty by its clause, without the version of its document, its phase and its id."""
    return {
        f"{unversioned(rid)} {duty.phase} {duty.id}": duty
        for rid, clause in rules.clauses.items()
        for duty in clause.obligations
    }


def _is_stricter(duty: Duty, than: Duty) -> bool:
    """Whether it leaves no more time than the other, and no other ground to put it off."""
    sooner = _days(duty) <= _days(than)
    return sooner and set(duty.deferrable_on) <= set(than.deferrable_on) and duty.working_days <= than.working_days


def _days(duty: Duty) -> float:
    """Its term, ``P14D``, in days; without a term it never comes."""
    return math.inf if duty.term is None else int(duty.term[1:-1])


def _changed(name: str, was: _Duties, now: _Duties) -> str:
    """The duty and what it was and is, as who signs reads it."""
    return f"{name} {_said(was.get(name))} -> {_said(now.get(name))}"


def _said(duty: Duty | None) -> str:
    if duty is None:
        return "weg"
    days = " werkdagen" if duty.working_days else ""
    put_off = f" uitstel {','.join(sorted(duty.deferrable_on))}" if duty.deferrable_on else ""
    return f"{duty.term or '-'}{days}{put_off}"


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

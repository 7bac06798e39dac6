"""What two bundles decide otherwise besides their lines: parties, duties, and rows of the tables."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from policies.catalogue import Validity
from policies.convenant import Convenant, Duty
from policies.facts import Json
from policies.rows import Direction, Table, rows
from policies.ruleset import RuleSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Beyond:
    """What a decision takes from the documents besides the lines; ``opens`` too where nobody can say it closes."""

    direction: Direction
    what: Literal["party", "duty"] | Table
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
        for table, name, said, direction in rows(old, new):
            yield Beyond(direction=direction, what=table, name=f"{name} {said}")


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
        before, after = was.get(name), now.get(name)
        if before != after:
            stricter = after is not None and (before is None or _is_stricter(after, before))
            said = f"{name} {_said(before)} -> {_said(after)}"
            yield Beyond(direction="closes" if stricter else "opens", what="duty", name=said)


def _duties_of(rules: RuleSet) -> Mapping[str, Duty | None]:
    """Every duty by its clause, phase and id, as the loosest version of the document has it; None where one has not."""
    clauses: dict[str, list[Mapping[str, Duty]]] = {}
    for rid, clause in rules.clauses.items():
        duties = {f"{duty.phase} {duty.id}": duty for duty in clause.obligations}
        clauses.setdefault(unversioned(rid), []).append(duties)
    found: dict[str, Duty | None] = {}
    for rule, versions in clauses.items():
        for name in {name for duties in versions for name in duties}:
            each = [duties.get(name) for duties in versions]
            stated = [duty for duty in each if duty is not None]
            found[f"{rule} {name}"] = max(stated, key=_room) if len(stated) == len(each) else None
    return found


def _room(duty: Duty) -> tuple[bool, float, bool, int]:
    return (bool(duty.only_with), _days(duty), duty.working_days, len(duty.deferrable_on))


def _is_stricter(duty: Duty, than: Duty) -> bool:
    """Whether it leaves no more time than the other, comes whenever that one does, and has no other ground to wait."""
    always = not duty.only_with or (bool(than.only_with) and set(than.only_with) <= set(duty.only_with))
    sooner = _days(duty) <= _days(than) and always
    return sooner and set(duty.deferrable_on) <= set(than.deferrable_on) and duty.working_days <= than.working_days


def _days(duty: Duty) -> float:
    """Its term, ``P14D``, in days; without a term it never comes."""
    return math.inf if duty.term is None else int(duty.term[1:-1])


def _said(duty: Duty | None) -> str:
    """A duty as who signs reads it."""
    if duty is None:
        return "weg"
    days = " werkdagen" if duty.working_days else ""
    put_off = f" uitstel {','.join(sorted(duty.deferrable_on))}" if duty.deferrable_on else ""
    only = f" alleen bij {','.join(sorted(duty.only_with))}" if duty.only_with else ""
    return f"{duty.term or '-'}{days}{put_off}{only}"

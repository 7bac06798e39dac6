"""Everything that decides, immutable, named by the hash of its canonical bytes."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import product

import rfc8785

from policies.catalogue import Ended, OrgClass, Proof, Purpose
from policies.compile import COMPILER
from policies.convenant import Clause, Convenant
from policies.engine import MODEL
from policies.errors import ExpiredBundleError
from policies.facts import Json
from policies.follow_up import FollowUp
from policies.grounds import Ground
from policies.lines import LINE_COLUMNS, PolicyLine
from policies.texts import Texts
from policies.vocabulary import WILDCARD, Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What is possible instead, for a purpose, a class and a reason; ``*`` matches any."""

    purpose: str
    classes: tuple[str, ...]
    reasons: tuple[str, ...]
    texts: tuple[str, ...]
    recipients: tuple[str, ...] = (WILDCARD,)

    def speaks(self, *, purpose: str, org_class: str, reason: str, recipient: str) -> bool:
        """Whether this route is offered in this refusal."""
        return (
            self.purpose in (WILDCARD, purpose)
            and (WILDCARD in self.classes or org_class in self.classes)
            and (WILDCARD in self.reasons or reason in self.reasons)
            and (WILDCARD in self.recipients or recipient in self.recipients)
        )


@dataclass(frozen=True, kw_only=True)
class RuleSet:
    """All documents, the lines compiled from them and the words they may use.

    Attributes:
        documents: relative path to content.
        purposes: purpose id to its row.
        carriers: purpose id to every document that carries it, one a region at most.
        proofs: proof id to its row.
        clauses: rule id to clause.
    """

    documents: Mapping[str, Mapping[str, Json]]
    convenants: tuple[Convenant, ...]
    purposes: Mapping[str, Purpose]
    grounds: Mapping[str, Ground]
    classes: Mapping[str, OrgClass]
    proofs: Mapping[str, Proof]
    carriers: Mapping[str, tuple[Convenant, ...]]
    clauses: Mapping[str, Clause]
    routes: tuple[Route, ...]
    follow_up: FollowUp
    texts: Texts
    vocabulary: Vocabulary
    lines: tuple[PolicyLine, ...]

    def canonical(self) -> bytes:
        """The RFC 8785 bytes of documents, lines, obligations, vocabulary, model and compiler version."""
        return rfc8785.dumps(
            {
                "schema": "bundle/v1",
                "compiler": COMPILER,
                "model": MODEL,
                "documents": {file: dict(content) for file, content in self.documents.items()},
                "columns": list(LINE_COLUMNS),
                "lines": [list(line.cells()) for line in self.lines],
                "obligations": {
                    rid: [duty.record() for duty in clause.obligations]
                    for rid, clause in self.clauses.items()
                    if clause.obligations
                },
                "vocabulary": {column: sorted(words) for column, words in self.vocabulary.items()},
            }
        )

    @cached_property
    def sha256(self) -> str:
        """Hex SHA-256 of the canonical bytes: the name every decision record carries."""
        return hashlib.sha256(self.canonical()).hexdigest()

    def check_in_force(self, day: date) -> None:
        """There is something to decide with on this day: the statutory bundle, and what at least one region says.

        Raises:
            ExpiredBundleError: there is not, so a service must not start or go on with it.
        """
        holding = {one.kind == "lex" for one in self.convenants if one.validity.holds(day)}
        if True not in holding:
            raise ExpiredBundleError("the statutory bundle does not hold on this day")
        if False not in holding:
            raise ExpiredBundleError("no region's document holds on this day")

    def is_party(self, *, purpose: str, oin: str, org_class: str, day: date) -> bool:
        """Whether this organisation was party, on that day, to a document that carries the purpose."""
        return bool(self.shared(purpose=purpose, sides=((oin, org_class),), day=day))

    def shared(self, *, purpose: str, sides: Iterable[tuple[str, str]], day: date) -> tuple[str, ...]:
        """Labels of the agreements on this purpose to which each (OIN, class) was party on that day, sorted."""
        both = tuple(sides)
        return tuple(
            sorted(
                one.label
                for one in self.carriers[purpose]
                if one.kind == "convenant"
                and all(one.is_party(oin=oin, org_class=org_class, day=day) for oin, org_class in both)
            )
        )

    def region_of(self, *, purpose: str, sides: Iterable[tuple[str, str]], day: date) -> str | None:
        """The first region, in the order of the labels, in whose agreement on this purpose each side is party."""
        labels = self.shared(purpose=purpose, sides=sides, day=day)
        regions = [one.region for one in self.carriers[purpose] if one.label in labels and one.region is not None]
        return min(regions, default=None)

    def home_of(self, *, purpose: str, side: tuple[str, str], met_in: str | None, day: date) -> str | None:
        """The region whose coordinator sees to an (OIN, class) on this purpose; None where that is not clear.

        The region that it is of by an agreement on this purpose; else the one whose document names it; else one that
        it is of by any agreement. Of several the one in which it met the other side, or whose document names it.
        """
        listed = self.follow_up.homes.get(side[0])
        found = self._of_region((purpose,), side, day=day)
        if not found:
            found = self._of_region(self.carriers, side, day=day) if listed is None else {listed}
        clear = [one for one in (met_in, listed) if one in found]
        return clear[0] if clear else found.pop() if len(found) == 1 else None

    def _of_region(self, purposes: Iterable[str], side: tuple[str, str], *, day: date) -> set[str]:
        """Every region in whose agreements on these purposes this (OIN, class) takes part as one of that region."""
        oin, org_class = side
        return {
            one.region
            for purpose in purposes
            for one in self.carriers.get(purpose, ())
            if one.kind == "convenant"
            and one.region is not None
            and one.validity.holds(day)
            and one.is_of_region(oin=oin, org_class=org_class, day=day)
        }

    def rests_on_what_holds(self, *, purpose: str, ground: str, day: date) -> bool:
        """Whether purpose and ground of a signal both stand in the tables and hold on this day."""
        rows = (self.purposes.get(purpose), self.grounds.get(ground))
        return all(row is not None and row.validity.holds(day) for row in rows)

    def ended(self, *, purpose: str, ground: str, day: date) -> Ended | None:
        """What has ended under signals of this purpose on this ground, and what now happens to them; None for nothing.

        The purpose speaks first: without it there is nothing a signal could be based on instead.
        """
        for row in (self.purposes.get(purpose), self.grounds.get(ground)):
            until = None if row is None else row.validity.until
            if row is not None and until is not None and until <= day and row.after_end is not None:
                return Ended(on=until, after=row.after_end)
        return None

    def all_ended(self, day: date) -> Mapping[tuple[str, str], Ended]:
        """Every pair of purpose and ground under which something has ended by this day."""
        pairs = product(sorted(self.purposes), sorted(self.grounds))
        found = {pair: self.ended(purpose=pair[0], ground=pair[1], day=day) for pair in pairs}
        return {pair: ended for pair, ended in found.items() if ended is not None}

"""What an allowance may show, and what it may tell: the part of the fence that is about disclosing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from policies.catalogue import OrgClass, Proof, Purpose
from policies.convenant import Clause, Convenant
from policies.grounds import Ground
from policies.vocabulary import (
    ACUTE,
    ACUTE_DUTIES,
    CONTENT_ACTS,
    INVOLVEMENT,
    RING,
    SEE,
    SIGHTS,
    STORED_LEVEL,
    WILDCARD,
    WITHIN_A_DAY,
)

_MODE_OF_ACT = {SEE: "direct", RING: "oproep"}

Broken = Iterator[tuple[str, str]]
"""Field and rule of what a clause gets wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The rows every clause is held against.

    Attributes:
        passages: id of a quoted passage to its text.
        routes: (purpose, ground) of every statutory allowance, which no convenant may block.
        told: (who tells, who is told) of every statutory right to tell, where no exception is needed.
    """

    classes: Mapping[str, OrgClass]
    purposes: Mapping[str, Purpose]
    grounds: Mapping[str, Ground]
    proofs: Mapping[str, Proof] = field(default_factory=dict)
    passages: Mapping[str, str] = field(default_factory=dict)
    routes: frozenset[tuple[str, str]] = frozenset()
    told: frozenset[tuple[str, str]] = frozenset()


def wide_sight(convenant: Convenant, clause: Clause, purpose: Purpose, tables: Tables) -> Broken:
    """Showing or calling a holder otherwise than its mode, its secrecy or its own law allows."""
    if clause.holder_mode != _MODE_OF_ACT.get(clause.acts[0]):
        yield "houderwijze", "must be direct where the clause shows something, oproep where it calls, absent elsewhere"
    if not set(clause.acts) & SIGHTS:
        return
    if not set(clause.match_kinds) <= purpose.match_kinds:
        yield "soorten_match", "must name match kinds its purpose uses"
    if convenant.is_test:
        return
    holders = tables.classes.values() if WILDCARD in clause.holding else [tables.classes[one] for one in clause.holding]
    if SEE in clause.acts and not _agreed(clause, tables) and any(holder.shown_on_consent for holder in holders):
        yield "houdend", "must leave it to an oproep where the holder decides personally or has a secret address"
    if RING in clause.acts and any(not holder.rung_by(clause.asking) for holder in holders):
        yield "houdend", "must leave out who may not be rung by these organisations (oproep_door)"


def _agreed(clause: Clause, tables: Tables) -> bool:
    """The one way in which such a holder is shown: the person agreed to being shown to this very asker."""
    consent = all(tables.grounds[ground].kind == "toestemming" for ground in clause.grounds)
    return consent and clause.consents == ("given",) and clause.registered_for == (clause.purpose,)


def wide_telling(clause: Clause, tables: Tables) -> Broken:
    """Content without what content needs, or of what is no content."""
    if not set(clause.acts) <= CONTENT_ACTS and clause.categories != (INVOLVEMENT,):
        yield "categorieen", "must be betrokkenheid where the broker itself shows it"
    if clause.level_max > STORED_LEVEL and (INVOLVEMENT in clause.categories or WILDCARD in clause.categories):
        yield "categorieen", "must name what is told above level 2"
    if "share" in clause.acts and (len(clause.acts) > 1 or WILDCARD in clause.holding):
        yield "ontvangend", "must name who is told, in a clause about telling alone"
    yield from _wide_acute(clause, tables)


def _wide_acute(clause: Clause, tables: Tables) -> Broken:
    """Acute danger as a key to telling, without the consultation and the review that come after it (D11)."""
    acute = any(told in tables.classes and tables.classes[told].acute for told in clause.holding)
    if "share" not in clause.acts or not acute or not {WILDCARD, ACUTE} & set(clause.dossiers):
        return
    after = {duty.id for duty in clause.obligations if duty.comes_with(ACUTE) and duty.term == WITHIN_A_DAY}
    if not after >= ACUTE_DUTIES:
        yield "verplichtingen", "must name who was consulted and have it reviewed within a day, in acute danger"

"""What a clause may not say: the checks between a document and the tables it builds on.

A convenant scopes grounds and purposes; it never adds one and never widens one (architecture D9).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from policies.catalogue import Allowance, Ground, Purpose
from policies.convenant import Clause, Convenant
from policies.errors import ClauseError
from policies.vocabulary import INVOLVEMENT, LEVELS, NO_GROUND, SEE, WILDCARD

_MODE_REASONS = {"direct": None, "nooit": "holder-never", "oproep": "holder-decides"}
"""The reason of a prohibition by its holder mode; ``direct`` forbids nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The ids and rows every clause is held against."""

    classes: frozenset[str]
    purposes: Mapping[str, Purpose]
    grounds: Mapping[str, Ground]


def check_clause(convenant: Convenant, clause: Clause, tables: Tables) -> None:
    """The clause uses known words and stays within its effect, its grounds and its purpose.

    Raises:
        ClauseError: naming file, line, field and the broken rule.
    """
    known = list(_unknown_words(convenant, clause, tables))
    broken = known or list(_broken(convenant, clause, tables))
    if broken:
        field, rule = broken[0]
        path = (*clause.path, field) if field else clause.path
        raise convenant.document.error(ClauseError, path, rule)


def _unknown_words(convenant: Convenant, clause: Clause, tables: Tables) -> Iterator[tuple[str, str]]:
    lex = convenant.kind == "lex"
    grounds = frozenset(tables.grounds) | ({NO_GROUND} if lex else frozenset())
    for field, words, vocabulary in (
        ("vragend", clause.asking, tables.classes),
        ("houdend", clause.holding, tables.classes),
        ("doel", (clause.purpose,), frozenset(tables.purposes)),
        ("categorieen", clause.categories, frozenset(convenant.categories) & {INVOLVEMENT}),
        ("grondslagen", clause.grounds, grounds),
        ("geregistreerd_op", clause.registered_on, grounds),
    ):
        if not set(words) <= vocabulary | {WILDCARD}:
            yield field, "must name words that the tables know"
    if clause.level_min > clause.level_max or clause.level_max > max(LEVELS):
        yield "niveau", f"must run from min up to max, and no further than level {max(LEVELS)}"


def _broken(convenant: Convenant, clause: Clause, tables: Tables) -> Iterator[tuple[str, str]]:
    if (SEE in clause.acts) and len(clause.acts) > 1 and convenant.kind != "lex":
        yield "handelingen", "must keep see apart from register and check"
    if clause.allows:
        yield from _wide_allowance(convenant, clause, tables)
    elif clause.reason != _MODE_REASONS.get(clause.holder_mode or "", clause.reason):
        yield "reden", "must be the one that goes with the holder mode"
    if convenant.kind != "lex":
        yield from _beyond_convenant(convenant, clause)


def _beyond_convenant(convenant: Convenant, clause: Clause) -> Iterator[tuple[str, str]]:
    """What only the statutory bundle may say."""
    own = {ground for other in convenant.clauses if other.allows for ground in other.grounds}
    if WILDCARD in clause.grounds:
        yield "grondslagen", "must name its grounds; only the statutory bundle speaks about all of them"
    elif not set(clause.grounds) <= own:
        yield "grondslagen", "must forbid only on grounds this document itself allows on"
    if clause.purpose not in convenant.purposes:
        yield "doel", "must be a purpose this document carries"
    if clause.shielding is not None:
        yield "afscherming", "must be left to the statutory bundle"


def _wide_allowance(convenant: Convenant, clause: Clause, tables: Tables) -> Iterator[tuple[str, str]]:
    """An allowance beyond its grounds or its purpose."""
    if clause.purpose == WILDCARD or WILDCARD in clause.grounds or NO_GROUND in clause.grounds:
        yield "grondslagen", "must name the purpose and the grounds it allows on"
        return
    if (SEE in clause.acts) != (clause.holder_mode == "direct"):
        yield "houderwijze", "must be direct where the clause shows something, and absent where it does not"
    purpose = tables.purposes[clause.purpose]
    if SEE in clause.acts and not set(clause.match_kinds) <= purpose.match_kinds:
        yield "soorten_match", "must name match kinds its purpose uses"
    for ground in (tables.grounds[name] for name in clause.grounds):
        if ground.needs_connection and not convenant.connected:
            yield "grondslagen", "must not use a ground that needs landelijke_aansluiting without stating one"
        if ground.kind == "toestemming" and clause.consent != "given":
            yield "toestemming", "must be given where the ground is consent"
        if ground.kind == "uitzondering" and clause.dossier not in ("complete", "acuut"):
            yield "dossier", "must be complete or acuut where the ground is an exception"
        if ground.kind == "test" and not convenant.is_test:
            yield "grondslagen", "must not use a test ground outside a test document"
    if not all(_inside(clause, act, purpose.allowances) for act in clause.acts):
        yield "", "must not be wider than its purpose in the purposes table"


def _inside(clause: Clause, act: str, rows: tuple[Allowance, ...]) -> bool:
    """Every asking class, proof and ground of this act lies in some row of the purpose."""
    return all(
        any(_row_covers(row, act, org_class, standing, ground) and clause.level_max <= row.level for row in rows)
        for org_class in clause.asking
        for standing in clause.standings
        for ground in clause.grounds
    )


def _row_covers(row: Allowance, act: str, org_class: str, standing: str, ground: str) -> bool:
    """Whether a row covers one cell; what is shown after a permitted question needs no proof of its own."""
    return (
        _covers(row.classes, org_class)
        and _covers(row.grounds, ground)
        and (act == SEE or (act in row.operations and _covers(row.standings, standing)))
    )


def _covers(words: tuple[str, ...], word: str) -> bool:
    return WILDCARD in words or word in words

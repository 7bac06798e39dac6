"""What a clause may not say: the checks between a document and the tables it builds on.

A convenant scopes grounds and purposes; it never adds one, never widens one and never blocks a statutory route
(architecture D9, D11).
"""

from collections.abc import Iterable, Iterator, Mapping

from policies.catalogue import Allowance
from policies.convenant import BY_MELDCODE, ORDINARY, Clause, Convenant, DataClass
from policies.disclosing import Broken, Tables, wide_sight, wide_telling
from policies.errors import ClauseError
from policies.grounds import Ground
from policies.reasons import answers
from policies.vocabulary import (
    CONTENT_ACTS,
    MAX_LEVEL,
    MISPLACED_ACUTE,
    NO_GROUND,
    NO_PROOF,
    REPRESENTATIVE,
    SIGHTS,
    SILENT_ACTS,
    STORED_LEVEL,
    WILDCARD,
)

_MODE_REASONS = {"direct": None, "nooit": "holder-never", "oproep": "holder-decides"}
"""The reason of a prohibition by its holder mode; ``direct`` forbids nothing."""


def statutory_routes(convenants: Iterable[Convenant]) -> frozenset[tuple[str, str]]:
    """(purpose, ground) of everything the statutory bundle allows."""
    return frozenset((clause.purpose, ground) for clause in _statutory(convenants) for ground in clause.grounds)


def statutory_tellings(convenants: Iterable[Convenant], grounds: Mapping[str, Ground]) -> frozenset[tuple[str, str]]:
    """(who tells, who is told) of every right to tell that rests on a statute."""
    return frozenset(
        (teller, told)
        for clause in _statutory(convenants)
        if "share" in clause.acts
        and any(ground in grounds and grounds[ground].kind == "wet" for ground in clause.grounds)
        for teller in clause.asking
        for told in clause.holding
    )


def _statutory(convenants: Iterable[Convenant]) -> Iterator[Clause]:
    return (clause for one in convenants if one.kind == "lex" for clause in one.clauses if clause.allows)


def check_clause(convenant: Convenant, clause: Clause, tables: Tables) -> None:
    """The clause uses known words and stays within its effect, its grounds and its purpose.

    Raises:
        ClauseError: naming file, line, clause, field and the broken rule.
    """
    known = list(_unknown_words(convenant, clause, tables))
    broken = known or list(_broken(convenant, clause, tables))
    if broken:
        name, rule = broken[0]
        path = (*clause.path, name) if name else clause.path
        raise convenant.document.error(ClauseError, path, rule)


def check_categories(convenants: Iterable[Convenant]) -> None:
    """A data category is of one class, and under professional secrecy or not, in every document that names it.

    Raises:
        ClauseError: a later document calls it otherwise.
    """
    known: dict[str, DataClass] = {}
    for convenant in sorted(convenants, key=lambda one: (one.kind != "lex", one.label)):
        for number, (category, data_class) in enumerate(convenant.data_classes.items()):
            if known.setdefault(category, data_class) != data_class:
                raise convenant.document.error(
                    ClauseError, ("gegevenscategorieen", number, "avg_klasse"), "must be the same in every document"
                )


def check_motivation(convenant: Convenant, tables: Tables) -> None:
    """The passage that motivates the document as a whole stands where it says it stands.

    Raises:
        ClauseError: it does not.
    """
    motivation = convenant.motivation
    if motivation is not None and not _stands_in(motivation.quote, tables.passages.get(motivation.passage, "")):
        raise convenant.document.error(
            ClauseError, ("motivering", "brontekst"), "must stand word for word in the passage it names"
        )


def _unknown_words(convenant: Convenant, clause: Clause, tables: Tables) -> Broken:
    lex = convenant.kind == "lex"
    grounds = frozenset(tables.grounds) | ({NO_GROUND} if lex else frozenset())
    deferrals = frozenset(ground.id for ground in tables.grounds.values() if ground.deferral)
    recipients = frozenset(tables.classes) | ({REPRESENTATIVE} if "share" in clause.acts else frozenset())
    for name, words, vocabulary in (
        ("vragend", clause.asking, frozenset(tables.classes)),
        ("ontvangend" if "share" in clause.acts else "houdend", clause.holding, recipients),
        ("doel", (clause.purpose,), frozenset(tables.purposes)),
        ("categorieen", clause.categories, frozenset(convenant.categories)),
        ("grondslagen", clause.grounds, grounds),
        ("geregistreerd_op", clause.registered_on, grounds),
        ("geregistreerd_voor", clause.registered_for, frozenset(tables.purposes)),
        ("bewijsstuk", clause.proofs, frozenset(tables.proofs) | {NO_PROOF}),
        ("verplichtingen", tuple(g for duty in clause.obligations for g in duty.deferrable_on), deferrals),
    ):
        if not set(words) <= vocabulary | {WILDCARD}:
            yield name, "must name words that the tables know"
    highest = MAX_LEVEL if set(clause.acts) <= CONTENT_ACTS or not clause.allows else STORED_LEVEL
    if clause.level_min > clause.level_max or clause.level_max > highest:
        yield "niveau", f"must run from min up to max, and no further than level {highest}"


def _broken(convenant: Convenant, clause: Clause, tables: Tables) -> Broken:
    if clause.quote is not None and not _stands_in(clause.quote, tables.passages.get(clause.passage or "", "")):
        yield "brontekst", "must stand word for word in the passage it names"
    if clause.allows:
        yield from _wide_allowance(convenant, clause, tables)
    elif clause.reason != _MODE_REASONS.get(clause.holder_mode or "", clause.reason):
        yield "reden", "must be the one that goes with the holder mode"
    if convenant.kind != "lex":
        yield from _beyond_convenant(convenant, clause, tables)
    if not clause.allows and not answers(clause.reason or "", clause.acts):
        yield "reden", "must be one that its acts can be refused with"


def _stands_in(quote: str, passage: str) -> bool:
    """Whether the quote stands in the passage, however the lines are broken."""
    return " ".join(quote.split()) in " ".join(passage.split())


def _beyond_convenant(convenant: Convenant, clause: Clause, tables: Tables) -> Broken:
    """What only the statutory bundle may say."""
    own = {ground for other in convenant.clauses if other.allows for ground in other.grounds}
    if WILDCARD in clause.grounds:
        yield "grondslagen", "must name its grounds; only the statutory bundle speaks about all of them"
    elif not set(clause.grounds) <= own:
        yield "grondslagen", "must forbid only on grounds this document itself allows on"
    elif not clause.allows and any((clause.purpose, ground) in tables.routes for ground in clause.grounds):
        yield "grondslagen", "must not forbid what a statute allows in this purpose"
    if clause.purpose not in convenant.purposes:
        yield "doel", "must be a purpose this document carries"
    if clause.shielding is not None:
        yield "afscherming", "must be left to the statutory bundle"
    if MISPLACED_ACUTE in clause.dossiers:
        yield "dossier", "must be left to the statutory bundle"


def _wide_allowance(convenant: Convenant, clause: Clause, tables: Tables) -> Broken:
    """An allowance beyond its grounds or its purpose."""
    if clause.purpose == WILDCARD or WILDCARD in clause.grounds or NO_GROUND in clause.grounds:
        yield "grondslagen", "must name the purpose and the grounds it allows on"
        return
    if set(clause.acts) & SIGHTS and len(clause.acts) > 1:
        yield "handelingen", "must keep see and ring apart from everything else"
        return
    if clause.purpose not in convenant.purposes:
        yield "doel", "must be a purpose this document carries"
    purpose = tables.purposes[clause.purpose]
    yield from wide_sight(convenant, clause, purpose, tables)
    yield from wide_telling(clause, tables)
    for ground in (tables.grounds[name] for name in clause.grounds):
        yield from _wide_ground(convenant, clause, ground, tables)
    if clause.approval == "none":
        yield "akkoord", "must not open only what nobody approved"
    if clause.roles != ("worker",):
        yield "rollen", "must be the worker: who approves does not ask"
    if "statutory_reference" in clause.standings and (len(clause.standings) > 1 or NO_PROOF in clause.proofs):
        yield "bewijsstuk", "must name what stands behind a statutory reference, in a clause about that alone"
    if not all(_inside(clause, act, purpose.allowances) for act in clause.acts):
        yield "", "must not be wider than its purpose in the purposes table"


def _wide_ground(convenant: Convenant, clause: Clause, ground: Ground, tables: Tables) -> Broken:
    """One ground used otherwise than it can be."""
    tells = "share" in clause.acts
    receiving = clause.holding if tells else clause.asking
    if not ground.usable:
        yield "grondslagen", "must be grounds that open something; a frame, a way in or a law not in force does not"
    if ground.needs_connection and not convenant.connected:
        yield "grondslagen", "must not use a ground that needs landelijke_aansluiting without stating one"
    if not _special(convenant, clause) <= set(ground.data_classes):
        yield "categorieen", "must be data that each of its grounds opens (gegevensklassen)"
    if ground.only_to and not set(receiving) <= set(ground.only_to):
        yield "grondslagen", "must be grounds on which these recipients may receive"
    if tells and ground.only_by and not set(clause.asking) <= set(ground.only_by):
        yield "grondslagen", "must be grounds on which these organisations may tell"
    if ground.kind == "toestemming" and clause.consents != ("given",):
        yield "toestemming", "must be given where the ground is consent"
    if ground.kind == "uitzondering":
        yield from _wide_exception(clause, tables)
    if ground.kind == "therapeutisch" and (clause.holding, clause.dossiers) != ((REPRESENTATIVE,), ("complete",)):
        yield "ontvangend", "must be the representative alone, with a complete dossier"
    if ground.kind == "test" and not convenant.is_test:
        yield "grondslagen", "must not use a test ground outside a test document"


def _special(convenant: Convenant, clause: Clause) -> set[str]:
    """The special classes of data this clause is about (AVG 9 and 10, the BSN)."""
    named = convenant.categories if WILDCARD in clause.categories else clause.categories
    return {convenant.data_classes[category].avg_class for category in named} - {ORDINARY}


def _wide_exception(clause: Clause, tables: Tables) -> Broken:
    """An exception without its dossier, or where a statutory right makes it needless (architecture D11)."""
    if not set(clause.dossiers) <= {"complete", "acuut"}:
        yield "dossier", "must be complete or acuut where the ground is an exception"
    if "complete" in clause.dossiers and clause.approval not in (BY_MELDCODE, "approved"):
        yield "akkoord", "must be by the meldcode, or approved, where the ground is an exception"
    if "share" not in clause.acts:
        yield "handelingen", "must be telling where the ground is an exception"
    if any(_may_tell(teller, told, tables) for teller in clause.asking for told in clause.holding):
        yield "ontvangend", "must not be who may be told by statute: an exception is for where no right exists"


def _may_tell(teller: str, told: str, tables: Tables) -> bool:
    """Whether a statute already lets this organisation tell that one."""
    return any(other == told and (WILDCARD in (one, teller) or one == teller) for one, other in tables.told)


def _inside(clause: Clause, act: str, rows: tuple[Allowance, ...]) -> bool:
    """Every asking class, proof and ground of this act lies in some row of the purpose."""
    level = 0 if act in SILENT_ACTS else clause.level_max
    return all(
        any(
            _row_covers(row, act, org_class, (standing, proof), ground)
            and level <= row.level
            and (act in SIGHTS or not row.approval or clause.approval == "approved")
            for row in rows
        )
        for org_class in clause.asking
        for standing in clause.standings
        for proof in clause.proofs
        for ground in clause.grounds
    )


def _row_covers(row: Allowance, act: str, org_class: str, proof: tuple[str, str], ground: str) -> bool:
    """Whether a row covers one cell; what is shown after a permitted question needs no proof of its own."""
    standing, document = proof
    proven = _covers(row.standings, standing) and (standing != "statutory_reference" or _covers(row.proofs, document))
    return (
        _covers(row.classes, org_class)
        and _covers(row.grounds, ground)
        and (act in SIGHTS or (act in row.operations and proven))
    )


def _covers(words: tuple[str, ...], word: str) -> bool:
    return WILDCARD in words or word in words

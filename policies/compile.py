"""Clauses to policy lines: one line per combination of words, each line checked before anyone may use it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import product

from policies.catalogue import Validity
from policies.convenant import BY_MELDCODE, EVERYTHING, Clause, Convenant
from policies.disclosing import Tables
from policies.errors import ClauseError, EmptyBundleError
from policies.fence import check_categories, check_clause, check_motivation
from policies.lines import PolicyLine
from policies.vocabulary import HOUSEHOLD_ACTS, SIGHTS, SILENT_ACTS, WILDCARD, Vocabulary

COMPILER = "policies/3"
"""Version of this translation; a change of meaning is a new version and a new bundle hash."""

END_OF_TIME = "99991231"


def compile_lines(convenants: Sequence[Convenant], tables: Tables, vocabulary: Vocabulary) -> tuple[PolicyLine, ...]:
    """Every line of every document, sorted, each inside the vocabulary.

    Raises:
        ClauseError: a clause is wider than it may be, or never valid.
        LineError: a line came out malformed.
        EmptyBundleError: there is not one allowing line.
    """
    lines: set[PolicyLine] = set()
    check_categories(convenants)
    for convenant in convenants:
        check_motivation(convenant, tables)
        for clause in convenant.clauses:
            check_clause(convenant, clause, tables)
            lines.update(_lines(convenant, clause, tables))
    for line in lines:
        line.check(vocabulary)
    if not any(line.eft == "allow" for line in lines):
        raise EmptyBundleError("the documents allow nothing: refusing to decide with them")
    return tuple(sorted(lines))


def _lines(convenant: Convenant, clause: Clause, tables: Tables) -> Iterator[PolicyLine]:
    for act in clause.acts:
        for ground in clause.grounds:
            columns = {
                **_asker_columns(clause, act),
                **_holder_columns(clause, act),
                **_validity_columns(convenant, clause, ground, tables),
                "party": (convenant.label,) if convenant.kind != "lex" else EVERYTHING,
                "cat": clause.categories,
                "ground": (ground,),
                "consent": clause.consents,
                "exc": clause.dossiers,
                "age": clause.ages,
            }
            for cells in product(*columns.values()):
                yield _line(clause, act, dict(zip(columns, cells, strict=True)))


def _line(clause: Clause, act: str, cells: Mapping[str, str]) -> PolicyLine:
    shows = act not in SILENT_ACTS
    return PolicyLine(
        **cells,
        rid=clause.rid,
        act=act,
        purpose=clause.purpose,
        lmin=str(clause.level_min if shows else 0),
        lmax=str(clause.level_max if shows else 0),
        eft="allow" if clause.allows else "deny",
    )


def _asker_columns(clause: Clause, act: str) -> dict[str, Sequence[str]]:
    """Who asks and with what; a question that may be asked needs no second look at proof when something is shown."""
    if act in SIGHTS:
        open_columns = ("role", "standing", "proof", "approval", "meldcode", "right", "families")
        return {"ask": clause.asking, **dict.fromkeys(open_columns, EVERYTHING)}
    by_meldcode = clause.approval == BY_MELDCODE
    looks_up = clause.allows and act in HOUSEHOLD_ACTS
    return {
        "ask": clause.asking,
        "role": clause.roles,
        "standing": clause.standings,
        "proof": clause.proofs,
        "approval": EVERYTHING if by_meldcode else (clause.approval,),
        "meldcode": ("met",) if by_meldcode else EVERYTHING,
        "right": (clause.bsn_right,),
        "families": ("within",) if looks_up else EVERYTHING,
    }


def _holder_columns(clause: Clause, act: str) -> dict[str, Sequence[str]]:
    """Of whom something is shown and of which signal, or who is told; all open in a question about the asker alone."""
    about_signal = ("kind", "reg", "basis", "shield")
    if act not in SIGHTS:
        told = clause.holding if act == "share" else EVERYTHING
        return {"hold": told, **dict.fromkeys(about_signal, EVERYTHING)}
    open_signal = "open" if clause.allows else WILDCARD
    return {
        "hold": clause.holding,
        "kind": clause.match_kinds,
        "reg": clause.registered_for,
        "basis": clause.registered_on,
        "shield": (clause.shielding or open_signal,),
    }


def _validity_columns(convenant: Convenant, clause: Clause, ground: str, tables: Tables) -> dict[str, Sequence[str]]:
    """The days on which document, clause, ground and purpose all hold.

    Raises:
        ClauseError: there is no such day.
    """
    since = clause.since or convenant.validity.since
    valid = convenant.validity.overlap(Validity(since=since, until=clause.until))
    if ground in tables.grounds:
        valid = valid.overlap(tables.grounds[ground].validity)
    if clause.purpose in tables.purposes:
        valid = valid.overlap(tables.purposes[clause.purpose].validity)
    if valid.until is not None and valid.until <= valid.since:
        raise convenant.document.error(ClauseError, clause.path, "is never valid: its periods do not overlap")
    return {"since": (_day(valid.since),), "until": (_day(valid.until) if valid.until else END_OF_TIME,)}


def _day(day: date) -> str:
    return day.isoformat().replace("-", "")

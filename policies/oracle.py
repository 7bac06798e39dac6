"""What the documents say about one request, read from the documents themselves and from nothing that was compiled.

The compiler turns clauses into lines and Casbin matches them. This reads clauses, purposes and grounds once more, by
another road, so that ``policies/prove.py`` can hold the two against each other for the whole finite domain. It also
asks of every yes that its row of the purposes table allows it, which the lines do not hold.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from policies.vocabulary import NOT_APPLICABLE

Kind = Literal["allow", "deny", "row"]
Conditions = Mapping[str, frozenset[str]]
"""Per request column the words it speaks about; a column that is missing is free."""

ANY = "*"
_ABOUT_A_SIGNAL = ("see", "ring")
_ABOUT_A_HOUSEHOLD = ("register", "check", "call")
_SHOWS_NOTHING = ("call", "ring", "shield")
_FIELDS = {
    "rollen": "role",
    "bewijs": "standing",
    "bewijsstuk": "proof",
    "bsn_recht": "right",
    "soorten_match": "kind",
    "geregistreerd_op": "basis",
    "geregistreerd_voor": "reg",
    "toestemming": "consent",
    "dossier": "exc",
    "leeftijden": "age",
    "categorieen": "cat",
    "vragend": "ask",
}
"""Fields of a clause that each speak about one column."""
_OF_THE_ASKER = ("role", "standing", "proof", "approval", "meldcode", "right", "families")
_OF_THE_SIGNAL = ("kind", "reg", "basis", "shield")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One clause for one act and one ground, or one row of a purpose for one act.

    Attributes:
        name: the rule id of a clause; the purpose of a row.
        levels: lowest and highest level it speaks about.
        days: first day and first day after, as eight digits.
    """

    kind: Kind
    name: str
    conditions: Conditions
    levels: tuple[int, int]
    days: tuple[str, str]

    def speaks(self, column: str, word: str) -> bool:
        """Whether it speaks about this word of this column."""
        if column == "level":
            return self.levels[0] <= int(word) <= self.levels[1]
        if column == "day":
            return self.days[0] <= word < self.days[1]
        return column not in self.conditions or word in self.conditions[column]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The rows of all documents by their id."""

    purposes: Mapping[str, Mapping[str, Any]]
    grounds: Mapping[str, Mapping[str, Any]]
    documents: Sequence[Mapping[str, Any]] = field(default=())


def read_documents(documents: Mapping[str, Mapping[str, Any]]) -> tuple[Reading, ...]:
    """Everything the documents of a bundle say, clause by clause and row by row."""
    tables = Tables(
        purposes={row["id"]: row for row in _rows(documents, "doelen")},
        grounds={row["id"]: row for row in _rows(documents, "gronden")},
        documents=tuple(content for content in documents.values() if content["schema"] == "convenant/v1"),
    )
    clauses = (one for content in tables.documents for one in _clauses(content, tables))
    return (*clauses, *_purpose_rows(tables))


def says_yes(readings: Iterable[Reading]) -> bool:
    """What the documents answer where exactly these readings speak: allowed, within its purpose, and not forbidden."""
    kinds = {reading.kind for reading in readings}
    return "deny" not in kinds and {"allow", "row"} <= kinds


def _rows(documents: Mapping[str, Mapping[str, Any]], table: str) -> Iterator[Mapping[str, Any]]:
    for content in documents.values():
        if content["schema"] == f"{table}/v1":
            yield from content[table]


def _clauses(content: Mapping[str, Any], tables: Tables) -> Iterator[Reading]:
    label = f"{content['id']}@{content['versie']}"
    for clause in content["afspraken"]:
        for act in clause["handelingen"]:
            for ground in clause["grondslagen"]:
                yield Reading(
                    kind="allow" if clause["effect"] == "toestaan" else "deny",
                    name=f"{label}/{clause['id']}",
                    conditions=_conditions(content, label, clause, act, ground),
                    levels=_levels(clause, act),
                    days=_days(
                        content["geldigheid"],
                        {"van": clause.get("van"), "tot": clause.get("tot")},
                        tables.grounds.get(ground, {}),
                        tables.purposes.get(clause["doel"], {}),
                    ),
                )


def _conditions(
    content: Mapping[str, Any], label: str, clause: Mapping[str, Any], act: str, ground: str
) -> Conditions:  # fmt: skip
    allows = clause["effect"] == "toestaan"
    found = {column: _words(clause[name]) for name, column in _FIELDS.items() if name in clause}
    found |= {"act": {act}, "purpose": _words(clause["doel"]), "ground": _words(ground)}
    found["hold"] = _words(clause.get("houdend") or clause.get("ontvangend") or ANY)
    if content["soort"] != "lex":
        found["party"] = {label}
    if "akkoord" in clause:
        by_meldcode = clause["akkoord"] == "meldcode"
        found |= {"meldcode": {"met"}} if by_meldcode else {"approval": _words(clause["akkoord"])}
    if "afscherming" in clause:
        found["shield"] = {clause["afscherming"]}
    if allows:
        found |= _narrowest(clause, act, found)
    free = _OF_THE_ASKER if act in _ABOUT_A_SIGNAL else _OF_THE_SIGNAL
    if act not in (*_ABOUT_A_SIGNAL, "share"):
        free = (*free, "hold")
    return {column: frozenset(words) for column, words in found.items() if ANY not in words and column not in free}


def _narrowest(clause: Mapping[str, Any], act: str, found: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """What an allowance means where it is silent: the least."""
    least: dict[str, set[str]] = {}
    if "role" not in found:
        least["role"] = {"worker"}
    if act in _ABOUT_A_HOUSEHOLD:
        least["families"] = {"within"}
    if "basis" not in found:
        least["basis"] = _words(clause["grondslagen"])
    if "reg" not in found:
        least["reg"] = _words(clause["doel"])
    if "shield" not in found:
        least["shield"] = {"open"}
    if "proof" not in found and "statutory_reference" in found.get("standing", set()):
        least["proof"] = {NOT_APPLICABLE}
    return least


def _purpose_rows(tables: Tables) -> Iterator[Reading]:
    """Who may do what for a purpose at all; what is shown after a permitted question needs no proof of its own."""
    for purpose, row in tables.purposes.items():
        for allowance in row["wie"]:
            yield from _acts_of_row(purpose, row, allowance)


def _acts_of_row(purpose: str, row: Mapping[str, Any], allowance: Mapping[str, Any]) -> Iterator[Reading]:
    asker = {"purpose": {purpose}, "ask": _words(allowance["klassen"]), "ground": _words(allowance["grondslagen"])}
    proof = {"standing": _words(allowance["bewijs"])}
    with_reference = "statutory_reference" in allowance["bewijs"]
    if with_reference and len(allowance["bewijs"]) == 1:
        proof["proof"] = _words(allowance.get("bewijsstuk", [NOT_APPLICABLE]))
    if "akkoord" in allowance:
        proof["approval"] = _words(allowance["akkoord"])
    for act in (*allowance["handelingen"], *_ABOUT_A_SIGNAL):
        found = {"act": {act}, **asker, **({} if act in _ABOUT_A_SIGNAL else proof)}
        if act == "see":
            found["kind"] = _words(row["soorten_match"])
        yield Reading(
            kind="row",
            name=purpose,
            conditions={column: frozenset(words) for column, words in found.items() if ANY not in words},
            levels=(0, 0 if act in _SHOWS_NOTHING else allowance["uitkomst"]),
            days=_days(row),
        )


def _levels(clause: Mapping[str, Any], act: str) -> tuple[int, int]:
    return (0, 0) if act in _SHOWS_NOTHING else (clause["niveau"]["min"], clause["niveau"]["max"])


def _days(*periods: Mapping[str, Any]) -> tuple[str, str]:
    """The days that lie in all of these periods."""
    since = max((str(one["van"]) for one in periods if one.get("van")), default="0001-01-01")
    until = min((str(one["tot"]) for one in periods if one.get("tot")), default="9999-12-31")
    return since.replace("-", ""), until.replace("-", "")


def _words(value: str | Iterable[str]) -> set[str]:
    return {value} if isinstance(value, str) else set(value)

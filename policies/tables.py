"""Decision tables decided: every row as written, every rule and every duty expected by one.

What a table is and how it is read stands in ``policies/table_rows.py``.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from policies.beyond import unversioned
from policies.decide import DecisionPoint
from policies.errors import FactsError, TableError
from policies.facts import Json
from policies.question import read_question
from policies.ruleset import RuleSet
from policies.table_rows import OF_THE_HIT, Row, read_tables
from policies.verdict import Obligation, Permit, Refusal
from policies.vocabulary import AGES, DOSSIERS, MATCH_KINDS, REPRESENTATIVE, STANDINGS, UNKNOWN_AGE

__all__ = ["REFUSED", "Miss", "Row", "TableResult", "read_tables", "run_tables"]

REFUSED = "nee"
"""What a row with ``alleen`` expects of every other word: a refusal, for whatever reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """A row that was decided otherwise."""

    row: Row
    outcome: str
    rule: str | None
    duties: tuple[str, ...] = ()

    @property
    def expected(self) -> str:
        """What the row says: outcome, rule and duties."""
        return " ".join((self.row.outcome, self.row.rule or "", *(self.row.duties or ()))).strip()

    @property
    def got(self) -> str:
        """What was decided: outcome, rule, and duties where the row speaks of them."""
        return " ".join((self.outcome, self.rule or "", *(() if self.row.duties is None else self.duties))).strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class TableResult:
    """What came of all tables of a folder.

    Attributes:
        decided: rule ids, each with the names of the rows it decides as written.
        undecided: rules that decide no row.
        unexpected: duties that no row expects, as ``rule duty``.
    """

    rows: int
    misses: tuple[Miss, ...]
    decided: Mapping[str, tuple[str, ...]]
    undecided: tuple[str, ...]
    unexpected: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether there is a row, every row came out as written, every rule decides one and every duty is expected."""
        return bool(self.rows) and not self.misses and not self.undecided and not self.unexpected

    def document(self) -> dict[str, Json]:
        """The result as JSON values."""
        misses: list[Json] = [
            {
                "table": miss.row.table,
                "row": miss.row.name,
                "expected": [miss.row.outcome, miss.row.rule, *(miss.row.duties or ())],
                "decided": [miss.outcome, miss.rule, *miss.duties],
            }
            for miss in self.misses
        ]
        return {
            "rows": self.rows,
            "misses": misses,
            "undecided": list(self.undecided),
            "unexpected": list(self.unexpected),
        }


@dataclass(slots=True, kw_only=True)
class _Run:
    """What came of the rows so far."""

    rows: int = 0
    misses: list[Miss] = field(default_factory=list)
    decided: dict[str, list[str]] = field(default_factory=dict)
    expected: set[str] = field(default_factory=set)


def run_tables(rules: RuleSet, rows: Iterable[Row], *, until_missed: bool = False) -> TableResult:
    """Every row decided, and which rules decided what.

    Args:
        until_missed: decide no further row once one came out otherwise.

    Raises:
        TableError: a row's facts are not facts.
    """
    point = DecisionPoint(rules)
    run = _Run()
    for one in (one for row in rows for one in _each(rules, row)):
        _run(rules, run, one, _decide(point, one))
        if until_missed and run.misses:
            break
    duties = {f"{rule} {duty.id}" for rule, clause in rules.clauses.items() for duty in clause.obligations}
    return TableResult(
        rows=run.rows,
        misses=tuple(run.misses),
        decided={rule: tuple(dict.fromkeys(names)) for rule, names in run.decided.items()},
        undecided=tuple(sorted(set(rules.clauses) - set(run.decided))),
        unexpected=tuple(sorted(duties - run.expected)),
    )


def _run(rules: RuleSet, run: _Run, row: Row, decision: Permit | Refusal) -> None:
    """One more row: decided as written, or a miss."""
    run.rows += 1
    outcome = str(decision.level) if isinstance(decision, Permit) else decision.reason
    rule = None if decision.rule is None else unversioned(decision.rule)
    duties = tuple(sorted(_told(duty) for duty in decision.obligations)) if isinstance(decision, Permit) else ()
    if row.outcome == REFUSED and isinstance(decision, Refusal):
        return
    if (outcome, rule) != (row.outcome, row.rule) or row.duties not in (None, duties):
        run.misses.append(Miss(row=row, outcome=outcome, rule=rule, duties=duties))
        return
    for one in _deciding(rules, decision):
        run.decided.setdefault(one, []).append(row.name)
    if row.duties is not None:
        named = {duty.partition(" ")[0] for duty in row.duties}
        clauses = [rules.clauses[one] for one in decision.rules]
        run.expected |= {f"{one.rid} {duty.id}" for one in clauses for duty in one.obligations if duty.id in named}


def _told(duty: Obligation) -> str:
    """A duty as a table writes it."""
    words = (duty.id, duty.term, "werkdagen" if duty.working_days else None, "uitgesteld" if duty.deferred_on else None)
    return " ".join(word for word in words if word)


def _each(rules: RuleSet, row: Row) -> Iterator[Row]:
    """The row for each of its words, and with ``alleen`` for every other word its refusal."""
    if row.words is None:
        yield row
        return
    known = _words_of(rules, row)
    unknown = set(row.words.words) - known
    if unknown:
        raise TableError(f"{row.table}: row {row.name}: must name words that the tables know")
    for word in row.words.words:
        yield replace(row, facts=_with(row.facts, row.words.fact, word), words=None)
    for word in sorted(known - set(row.words.words)) if row.words.only else ():
        name = f"{row.name} (niet {word})"
        facts = _with(row.facts, row.words.fact, word)
        yield replace(row, name=name, facts=facts, outcome=REFUSED, rule=None, duties=None, words=None)


def _words_of(rules: RuleSet, row: Row) -> frozenset[str]:
    """Every word the fact that this row varies can have."""
    fact = "" if row.words is None else row.words.fact
    words: Mapping[str, Iterable[str]] = {
        "org_class": rules.classes,
        "recipient": (*rules.classes, REPRESENTATIVE),
        "category": rules.vocabulary["cat"],
        "standing": STANDINGS,
        "proof": rules.proofs,
        "dossier": DOSSIERS,
        "age": (*AGES, UNKNOWN_AGE),
        "treffer.holder_class": rules.classes,
        "treffer.purpose": rules.purposes,
        "treffer.ground": rules.grounds,
        "treffer.kind": MATCH_KINDS,
    }
    if fact not in words:
        raise TableError(f"{row.table}: row {row.name}: must vary one of {', '.join(words)}")
    return frozenset(words[fact])


def _with(facts: Mapping[str, Json], fact: str, word: str) -> dict[str, Json]:
    """The facts, one of them with another word."""
    if not fact.startswith(OF_THE_HIT):
        return {**facts, fact: word}
    hit = facts.get("hit")
    return {**facts, "hit": {**(hit if isinstance(hit, dict) else {}), fact.removeprefix(OF_THE_HIT): word}}


def _decide(point: DecisionPoint, row: Row) -> Permit | Refusal:
    try:
        ask, hit = read_question(dict(row.facts))
    except FactsError as error:
        raise TableError(f"{row.table}: row {row.name}: {error}") from None
    return point.may_ask(ask) if hit is None else point.may_see(ask, hit)


def _deciding(rules: RuleSet, decision: Permit | Refusal) -> frozenset[str]:
    """The rule that decides, and with a yes the prohibitions that kept it from going further."""
    lowering = (rule for rule in decision.rules if not rules.clauses[rule].allows)
    own = () if decision.rule is None else (decision.rule,)
    return frozenset((*own, *lowering) if isinstance(decision, Permit) else own)

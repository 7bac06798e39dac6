"""The decision point: facts in, permit or refusal out, never an exception.

Order of every decision (``docs/policy.md``): (1) words, (2) request, (3) per claimed ground from the highest level
down, prohibitions first, (4) the best ground, (5) duties beforehand, (6) the answer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from policies.engine import Engine, NearMiss
from policies.explain import (
    ERROR,
    MAY_NOT_ASK,
    UNKNOWN_WORD,
    UNMET,
    default_reason,
    permit_text,
    possible_texts,
    refusal_text,
)
from policies.facts import AskFacts, HitFacts, Json, ask_record, hit_record, unknown_facts
from policies.lines import Request
from policies.ruleset import RuleSet
from policies.verdict import Obligation, Permit, Question, Refusal
from policies.vocabulary import INVOLVEMENT, LEVELS, NO_GROUND, SEE

_TIE = ("wet", "toestemming", "uitzondering", "test")
"""Which ground wins at an equal level: statute, then consent, then an exception."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grant:
    """A level one ground gives, and the rules that gave it."""

    level: int
    ground: str
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Walk:
    """What all grounds and levels together said."""

    grants: tuple[_Grant, ...]
    permitting: tuple[str, ...]
    forbidding: tuple[str, ...]
    near_miss: NearMiss | None


class DecisionPoint:
    """Answers ``may_ask`` and ``may_see`` over one rule set; any exception inside is a refusal."""

    def __init__(self, rules: RuleSet) -> None:
        """Build the engine.

        Raises:
            EngineError: the lines or the model may not be decided with.
        """
        self._rules = rules
        self._engine = Engine(rules.lines, rules.vocabulary)
        self._last_asked: tuple[Request, tuple[str, ...], _Walk] | None = None

    def may_ask(self, facts: AskFacts) -> Permit | Refusal:
        """Whether this asker may put this question at all; looks nothing up and refuses openly."""
        record: dict[str, Json] = {}
        try:
            record = ask_record(facts, self._rules.vocabulary)
            return self._ask(facts, record)
        except Exception:  # noqa: BLE001 -- any failure inside a decision is a refusal (architecture D7)
            return self._refuse("may_ask", record, ERROR)

    def may_see(self, facts: AskFacts, hit: HitFacts) -> Permit | Refusal:
        """Whether this asker may be shown this one signal; the answer to a no is silence."""
        record: dict[str, Json] = {}
        try:
            record = {**ask_record(facts, self._rules.vocabulary), "hit": hit_record(hit, self._rules.vocabulary)}
            return self._see(facts, hit, record)
        except Exception:  # noqa: BLE001 -- any failure inside a decision is a refusal (architecture D7)
            return self._refuse("may_see", record, ERROR)

    def _ask(self, facts: AskFacts, record: dict[str, Json]) -> Permit | Refusal:
        unknown = unknown_facts(record)
        if unknown:  # (1) every word is known, or nothing is decided
            return self._refuse("may_ask", record, UNKNOWN_WORD, near_miss=unknown)
        request = self._ask_request(facts)  # (2) from facts alone; the asker claimed grounds and nothing else
        walk = self._asked(request, facts.grounds or (NO_GROUND,))  # (3)
        return self._answer("may_ask", record, walk)

    def _see(self, facts: AskFacts, hit: HitFacts, record: dict[str, Json]) -> Permit | Refusal:
        unknown = unknown_facts(record) or unknown_facts(hit_record(hit, self._rules.vocabulary))
        if unknown:  # (1) every word is known, or nothing is decided
            return self._refuse("may_see", record, UNKNOWN_WORD, near_miss=unknown)
        request = self._ask_request(facts)
        asked = self._asked(request, facts.grounds or (NO_GROUND,))
        if not asked.grants:  # (2) nothing is shown to who may not ask
            return self._refuse("may_see", record, MAY_NOT_ASK, walk=asked)
        seen = self._see_request(request, facts, hit)
        parts = [self._walk(seen, (grant.ground,), range(grant.level, 0, -1)) for grant in asked.grants]  # (3)
        return self._answer("may_see", record, _together(parts))

    def _answer(self, question: Question, record: dict[str, Json], walk: _Walk) -> Permit | Refusal:
        if not walk.grants:
            return self._refuse(question, record, self._reason(question, walk), walk=walk)
        best = min(walk.grants, key=self._rank)  # (4) highest level, then the order of grounds
        duties = self._duties(best.rules)
        if any(duty.phase == "vooraf" for duty in duties):  # (5) no fact can show it met yet, so it is unmet
            return self._refuse(question, record, UNMET, walk=walk)
        return Permit(  # (6)
            question=question,
            bundle=self._rules.sha256,
            facts=record,
            level=best.level,
            ground=best.ground,
            rule=best.rules[0],
            rules=_sorted(walk.permitting + walk.forbidding),
            obligations=duties,
            text=permit_text(self._rules, question, record, best.ground),
        )

    def _asked(self, request: Request, grounds: tuple[str, ...]) -> _Walk:
        """What the asker's own question came to; walked once for all hits of one household, which it does not read."""
        last = self._last_asked
        if last is None or last[:2] != (request, grounds):
            last = self._last_asked = (request, grounds, self._walk(request, grounds, LEVELS))
        return last[2]

    def _walk(self, request: Request, grounds: Sequence[str], levels: Iterable[int]) -> _Walk:
        """Each ground from the highest level down; its first allowed level is what that ground gives."""
        steps = tuple(levels)
        grants: list[_Grant] = []
        permitting: list[str] = []
        forbidding: list[str] = []
        for ground in dict.fromkeys(grounds):
            for level in steps:
                verdict = self._engine.judge(replace(request, ground=ground, level=str(level)))
                permitting += verdict.permitting
                forbidding += verdict.forbidding
                if verdict.allowed:
                    grants.append(_Grant(level=level, ground=ground, rules=verdict.permitting))
                    break
        return _Walk(
            grants=tuple(grants),
            permitting=_sorted(permitting),
            forbidding=_sorted(forbidding),
            near_miss=None if grants or forbidding else self._nearest(request, grounds),
        )

    def _nearest(self, request: Request, grounds: Sequence[str]) -> NearMiss | None:
        misses = [self._engine.near_miss(replace(request, ground=ground, level="1")) for ground in grounds]
        return min((miss for miss in misses if miss), key=lambda miss: (len(miss.failed), miss), default=None)

    def _ask_request(self, facts: AskFacts) -> Request:
        purpose = self._rules.purposes[facts.purpose]
        within = bool(facts.families) and facts.families <= purpose.families
        party = self._rules.is_party(
            purpose=facts.purpose, oin=facts.organisation, org_class=facts.org_class, day=facts.day
        )
        return Request(
            act=facts.operation,
            ask=facts.org_class,
            role=facts.role,
            purpose=facts.purpose,
            cat=INVOLVEMENT,
            level="1",
            ground=NO_GROUND,
            standing=facts.standing,
            approval=facts.approval,
            right="simulated" if facts.simulated_bsn_right else "register",
            families="within" if within else "beyond",
            party="yes" if party else "no",
            consent="given" if facts.standing == "consent" else "none",
            exc="none",
            day=facts.day.isoformat().replace("-", ""),
        )

    def _see_request(self, asked: Request, facts: AskFacts, hit: HitFacts) -> Request:
        """The same asker, now about one signal; both must be party on that day."""
        party = self._rules.is_party(purpose=facts.purpose, oin=hit.holder, org_class=hit.holder_class, day=facts.day)
        open_or_not = "excluded" if hit.excluded else "open"
        return replace(
            asked,
            act=SEE,
            hold=hit.holder_class,
            kind=hit.kind,
            party="yes" if party and asked.party == "yes" else "no",
            reg=hit.purpose,
            basis=hit.ground,
            shield="shielded" if hit.shielded else open_or_not,
        )

    def _reason(self, question: Question, walk: _Walk) -> str:
        if walk.forbidding:
            return self._rules.clauses[walk.forbidding[0]].reason or ERROR
        return default_reason(question, walk.near_miss.failed if walk.near_miss else None)

    def _rank(self, grant: _Grant) -> tuple[int, int, str, str]:
        return (-grant.level, _TIE.index(self._rules.grounds[grant.ground].kind), grant.rules[0], grant.ground)

    def _duties(self, rules: tuple[str, ...]) -> tuple[Obligation, ...]:
        duties = {duty for rule in rules for duty in self._rules.clauses[rule].obligations}
        return tuple(sorted(duties, key=lambda duty: (duty.id, duty.phase, duty.term or "")))

    def _refuse(
        self,
        question: Question,
        record: dict[str, Json],
        reason: str,
        *,
        walk: _Walk | None = None,
        near_miss: tuple[str, ...] = (),
    ) -> Refusal:
        forbidding = walk.forbidding if walk else ()
        missed = walk.near_miss.failed if walk and walk.near_miss else near_miss
        return Refusal(
            question=question,
            bundle=self._rules.sha256,
            facts=record,
            reason=reason,
            rule=forbidding[0] if forbidding else None,
            rules=_sorted(walk.permitting + forbidding) if walk else (),
            near_miss=missed,
            text=refusal_text(self._rules, question, record, reason),
            possible=possible_texts(self._rules, record, reason) if question == "may_ask" else (),
        )


def _together(parts: Sequence[_Walk]) -> _Walk:
    """One walk out of one per ground."""
    misses = [part.near_miss for part in parts if part.near_miss]
    return _Walk(
        grants=tuple(grant for part in parts for grant in part.grants),
        permitting=_sorted(rule for part in parts for rule in part.permitting),
        forbidding=_sorted(rule for part in parts for rule in part.forbidding),
        near_miss=min(misses, key=lambda miss: (len(miss.failed), miss), default=None),
    )


def _sorted(rules: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(rules)))

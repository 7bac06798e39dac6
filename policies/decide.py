"""The decision point: facts in, permit or refusal out, never an exception.

Order of every decision (``docs/policy.md``): (1) words, (2) request, (3) per claimed ground from the highest level
down, prohibitions first, (4) the best ground, (5) duties beforehand, (6) the answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from policies.asking import agreements, ask_request, consent_state, dossier_state, see_request
from policies.duties import obligations, unmet
from policies.engine import Engine
from policies.explain import Why, permit_text, possible_texts, reason_of, refusal_text
from policies.facts import AskFacts, HitFacts, Json, ask_record, hit_record, unknown_facts
from policies.lines import Request
from policies.reasons import ENDED_BASIS, ERROR, MAY_NOT_ASK, SHOWS_NOTHING, UNKNOWN_WORD, UNMET
from policies.ruleset import RuleSet
from policies.verdict import Obligation, Permit, Question, Refusal
from policies.vocabulary import CONTENT_ACTS, NO_GROUND, SILENT_ACTS, STORED_LEVEL
from policies.walk import Grant, Route, Walk, walk

_TIE = ("wet", "toestemming", "uitzondering", "therapeutisch", "test")
"""Which ground wins at an equal level: statute, then consent, then an exception."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What the asker's own question came to.

    ``open`` are the grants whose duties beforehand are met: nothing is shown on any other.
    """

    request: Request
    facts: AskFacts
    walk: Walk
    open: tuple[Grant, ...]


class DecisionPoint:
    """Answers ``may_ask`` and ``may_see`` over one rule set; any exception inside is a refusal."""

    def __init__(self, rules: RuleSet) -> None:
        """Build the engine.

        Raises:
            EngineError: the lines or the model may not be decided with.
        """
        self._rules = rules
        self._engine = Engine(rules.lines, rules.vocabulary)
        self._last_asked: _Asked | None = None

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
        asked = self._asked(facts)  # (2), (3) from facts alone; the asker claimed grounds and nothing else
        return self._answer("may_ask", facts, record, asked.walk)

    def _see(self, facts: AskFacts, hit: HitFacts, record: dict[str, Json]) -> Permit | Refusal:
        unknown = unknown_facts(record) or unknown_facts(hit_record(hit, self._rules.vocabulary))
        if unknown:  # (1) every word is known, or nothing is decided
            return self._refuse("may_see", record, UNKNOWN_WORD, near_miss=unknown)
        asked = self._asked(facts)
        grants = asked.walk.grants
        if not grants:  # (2) nothing is shown to who may not ask
            return self._refuse("may_see", record, MAY_NOT_ASK, walk=asked.walk)
        if self._best(grants) not in asked.open:  # (2) what comes first has not been done
            return self._refuse("may_see", record, UNMET, walk=asked.walk)
        if facts.operation != "call" and not any(grant.level for grant in grants):
            return self._refuse("may_see", record, SHOWS_NOTHING, walk=asked.walk)
        if not self._rules.rests_on_what_holds(purpose=hit.purpose, ground=hit.ground, day=facts.day):
            return self._refuse("may_see", record, ENDED_BASIS, near_miss=("basis",))
        about = see_request(asked.request, hit)
        routes = [  # (3) each ground by itself, and no higher than it was permitted to ask
            self._route(about, grant.ground, _seen_levels(facts, grant), facts=facts, hit=hit) for grant in asked.open
        ]
        return self._answer("may_see", facts, record, walk(self._engine, routes))

    def _asked(self, facts: AskFacts) -> _Asked:
        """What the asker's own question came to; walked once for all hits of one household, which it does not read."""
        last = self._last_asked
        if last is None or last.facts != facts:
            request = ask_request(self._rules, facts)
            grounds = dict.fromkeys(facts.grounds or (NO_GROUND,))
            routes = [self._route(request, ground, _asked_levels(facts), facts=facts, hit=None) for ground in grounds]
            walked = walk(self._engine, routes)
            open_ = tuple(grant for grant in walked.grants if not unmet(self._duties(facts, grant), facts))
            last = self._last_asked = _Asked(request=request, facts=facts, walk=walked, open=open_)
        return last

    def _duties(self, facts: AskFacts, grant: Grant) -> tuple[Obligation, ...]:
        dossier = dossier_state(self._rules, facts)
        return obligations(self._rules, facts, dossier=dossier, ground=grant.ground, spoke=grant.rules)

    def _best(self, grants: Sequence[Grant]) -> Grant:
        """The highest level, then the order of grounds."""
        return min(grants, key=self._rank)

    def _route(
        self, request: Request, ground: str, levels: Sequence[int], *, facts: AskFacts, hit: HitFacts | None
    ) -> Route:
        consent = consent_state(self._rules.grounds.get(ground), facts, hit)
        requests = tuple(
            replace(request, ground=ground, consent=consent, party=label)
            for label in agreements(self._rules, facts, hit)
        )
        return Route(ground=ground, requests=requests, levels=levels)

    def _answer(self, question: Question, facts: AskFacts, record: dict[str, Json], walked: Walk) -> Permit | Refusal:
        if not walked.grants:
            why = Why(question=question, walk=walked, facts=facts)
            return self._refuse(question, record, reason_of(self._rules, why), walk=walked)
        best = self._best(walked.grants)  # (4)
        duties = self._duties(facts, best)
        if unmet(duties, facts):  # (5) what must come first has not been done
            return self._refuse(question, record, UNMET, walk=walked)
        return Permit(  # (6)
            question=question,
            bundle=self._rules.sha256,
            facts=record,
            level=best.level,
            ground=best.ground,
            rule=best.rules[0],
            rules=walked.spoke,
            obligations=duties,
            text=permit_text(self._rules, question, record, best.ground),
        )

    def _rank(self, grant: Grant) -> tuple[int, int, str, str]:
        return (-grant.level, _TIE.index(self._rules.grounds[grant.ground].kind), grant.rules[0], grant.ground)

    def _refuse(
        self,
        question: Question,
        record: dict[str, Json],
        reason: str,
        *,
        walk: Walk | None = None,
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
            rules=walk.spoke if walk else (),
            near_miss=missed,
            text=refusal_text(self._rules, question, record, reason),
            possible=possible_texts(self._rules, record, reason) if question == "may_ask" else (),
        )


def _asked_levels(facts: AskFacts) -> range:
    """From the level asked for down; the broker itself gives no content, and a silent act gives nothing."""
    if facts.operation in SILENT_ACTS:
        return range(1)
    highest = facts.level if facts.operation in CONTENT_ACTS else min(facts.level, STORED_LEVEL)
    return range(highest, -1, -1)


def _seen_levels(facts: AskFacts, grant: Grant) -> range:
    """From the level the question was permitted at down to 1; an oproep rings, at level 0, and shows nothing."""
    return range(1) if facts.operation == "call" else range(min(grant.level, STORED_LEVEL), 0, -1)

"""Decision points that fail, permit everything, or watch: what a flow must be safe against."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from broker.flows.policy import DecisionPoint, PolicyInForce
from policies import AskFacts, HitFacts, Permit, Refusal, Text


def permit(question: str, facts: AskFacts) -> Permit:
    """Return a permit, whatever is asked."""
    return Permit(
        question="may_see" if question == "may_see" else "may_ask",
        bundle="0" * 64,
        facts={"day": facts.day.isoformat()},
        level=2,
        ground=facts.grounds[0],
        rule="test@1.0.0/permit",
        rules=("test@1.0.0/permit",),
        obligations=(),
        text=Text(id="vraag.mag", params={}, nl="Mag."),
    )


def _error(question: str) -> Refusal:
    return Refusal(
        question="may_see" if question == "may_see" else "may_ask",
        bundle="0" * 64,
        facts={},
        reason="error",
        rule=None,
        rules=(),
        near_miss=(),
        text=Text(id="vraag.error", params={}, nl="Fout."),
    )


@dataclass(slots=True, kw_only=True)
class Watched:
    """The policy beside it, with every question noted; `before` runs first and may raise or answer."""

    inner: DecisionPoint
    before: Callable[[str, AskFacts], Permit | Refusal | None] = lambda _question, _facts: None
    asked: list[AskFacts] = field(default_factory=list)
    seen: list[HitFacts] = field(default_factory=list)

    def may_ask(self, facts: AskFacts) -> Permit | Refusal:
        """Note the question and answer it."""
        self.asked.append(facts)
        return self.before("may_ask", facts) or self.inner.may_ask(facts)

    def may_see(self, facts: AskFacts, hit: HitFacts) -> Permit | Refusal:
        """Note the question and answer it."""
        self.seen.append(hit)
        return self.before("may_see", facts) or self.inner.may_see(facts, hit)


def watched(policy: PolicyInForce) -> tuple[PolicyInForce, Watched]:
    """Return the same policy, watched."""
    point = Watched(inner=policy.decision_point)
    return replace(policy, decision_point=point), point


def permissive(policy: PolicyInForce) -> PolicyInForce:
    """Return a policy that permits everything, as a mistake in a document might."""
    return replace(policy, decision_point=Watched(inner=policy.decision_point, before=permit))


def raising(policy: PolicyInForce, question: str) -> PolicyInForce:
    """Return a policy that fails on one of the two questions."""

    def fail(asked: str, _facts: AskFacts) -> None:
        if asked == question:
            raise ZeroDivisionError

    return replace(policy, decision_point=Watched(inner=policy.decision_point, before=fail))


def erring(policy: PolicyInForce, question: str) -> PolicyInForce:
    """Return a policy whose engine failed on one of the two questions and said so."""

    def err(asked: str, _facts: AskFacts) -> Refusal | None:
        return _error(asked) if asked == question else None

    return replace(policy, decision_point=Watched(inner=policy.decision_point, before=err))

"""What a permit obliges to: the duties of the winning ground's rules, for whom, by when, and when put off."""

from collections.abc import Iterable, Iterator

from policies.convenant import Duty
from policies.facts import AskFacts
from policies.grounds import Deferral, Ground
from policies.ruleset import RuleSet
from policies.verdict import Obligation
from policies.vocabulary import NO_DEFERRAL

INFORM = "informeer_betrokkene"
LOOK_AGAIN = "herzie_uitstel"
SETTLE_CUSTODY = "zoek_gezag_uit"
CHILD = "under12"
GROWN_UP = frozenset({"16to17", "18to22", "from23"})
"""From 16 a person decides himself, on every ground that knows ages."""
SETTLE_TERM = "P7D"
"""Within how long it must be clear who has parental authority, before anybody is informed."""


def obligations(
    rules: RuleSet, facts: AskFacts, *, dossier: str, ground: str, spoke: Iterable[str]
) -> tuple[Obligation, ...]:
    """The duties of these rules on this ground, sorted, each once.

    Args:
        dossier: the dossier state as the decision took it.
        ground: the winning ground, which says who is informed at which age.
        spoke: ids of the rules whose duties count.
    """
    duties = {duty for rule in spoke for duty in rules.clauses[rule].obligations if duty.comes_with(dossier)}
    deferral = _deferral(rules, facts, dossier)
    found = {one for duty in duties for one in _resolved(duty, facts, rules.grounds[ground], deferral)}
    return tuple(sorted(found, key=_in_records))


def unmet(obligations_: Iterable[Obligation], facts: AskFacts) -> bool:
    """Whether something that must be done beforehand was not done."""
    return any(duty.phase == "vooraf" and duty.id not in facts.fulfilled for duty in obligations_)


def _in_records(duty: Obligation) -> tuple[str, str, str, bool, str]:
    """Everything in which two duties of one decision can differ, so that records compare; who is told goes by id."""
    return (duty.id, duty.phase, duty.term or "", duty.working_days, duty.deferred_on or "")


def _resolved(duty: Duty, facts: AskFacts, ground: Ground, deferral: Deferral | None) -> Iterator[Obligation]:
    """One duty of a clause as it stands for this person, today."""
    to = ground.informed(facts.age) if duty.id == INFORM else ()
    put_off = deferral is not None and facts.deferral in duty.deferrable_on
    if duty.id == INFORM and _unsettled(facts, to):
        # Nobody is told who may have no authority to know: first that must be clear.
        yield Obligation(id=SETTLE_CUSTODY, phase="achteraf", term=SETTLE_TERM)
        to = _meanwhile(facts, to)
        if not to:
            return
    if put_off and deferral is not None:
        yield Obligation(id=LOOK_AGAIN, phase="achteraf", term=deferral.review_term)
        yield Obligation(id=duty.id, phase=duty.phase, term=None, to=to, deferred_on=facts.deferral)
        return
    yield Obligation(id=duty.id, phase=duty.phase, term=duty.term, working_days=duty.working_days, to=to)


def _unsettled(facts: AskFacts, to: tuple[str, ...]) -> bool:
    """Whether a guardian might be told of whom it is contested, or never looked at, that he has authority."""
    minor = "guardian" in to or (not to and facts.age not in GROWN_UP)
    return minor and (facts.custody == "contested" or (facts.custody == "unknown" and "guardian" in to))


def _meanwhile(facts: AskFacts, to: tuple[str, ...]) -> tuple[str, ...]:
    """Who is informed all the same: the person himself, unless he is a child; nobody loses it for his parents' sake."""
    if facts.custody == "unknown":
        return to
    if to:
        return tuple(one for one in to if one != "guardian")
    return () if facts.age == CHILD else ("person",)


def _deferral(rules: RuleSet, facts: AskFacts, dossier: str) -> Deferral | None:
    """The deferral the asker invokes, once what it needs is there; else informing is not put off."""
    if facts.deferral == NO_DEFERRAL:
        return None
    ground = rules.grounds[facts.deferral]
    deferral = ground.deferral
    if deferral is None or not ground.in_force or not ground.validity.holds(facts.day):
        return None
    if ground.only_by and facts.org_class not in ground.only_by:
        return None
    approved = facts.approval == "approved" or not deferral.approval
    return deferral if dossier in deferral.dossiers and approved else None

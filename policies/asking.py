"""Facts to requests of the engine: every column that is computed and not copied is computed here."""

from dataclasses import replace

from policies.facts import AskFacts, HitFacts
from policies.grounds import Ground
from policies.lines import Request
from policies.ruleset import RuleSet
from policies.vocabulary import (
    LAPSED,
    MISPLACED_ACUTE,
    NO_GROUND,
    NO_PROOF,
    NOT_APPLICABLE,
    RING,
    SEE,
)


def ask_request(rules: RuleSet, facts: AskFacts) -> Request:
    """The question about the asker alone, on no ground and at level 0 yet, outside every agreement."""
    purpose = rules.purposes[facts.purpose]
    within = bool(facts.families) and facts.families <= purpose.families
    approved = facts.approval == "approved"
    return Request(
        act=facts.operation,
        ask=facts.org_class,
        role=facts.role,
        purpose=facts.purpose,
        cat=facts.category,
        level="0",
        ground=NO_GROUND,
        standing=facts.standing,
        proof=_proof(rules, facts),
        approval=facts.approval,
        meldcode="met" if approved or not facts.meldcode_approval else "unmet",
        right="simulated" if facts.simulated_bsn_right else "register",
        families="within" if within else "beyond",
        party=NOT_APPLICABLE,
        consent="unknown",
        exc=dossier_state(rules, facts),
        age=facts.age,
        day=facts.day.isoformat().replace("-", ""),
        hold=facts.recipient if facts.operation == "share" else NOT_APPLICABLE,
    )


def see_request(asked: Request, hit: HitFacts) -> Request:
    """The same asker, now about one signal; an oproep rings its holder, anything else would show it."""
    open_or_not = "excluded" if hit.excluded else "open"
    return replace(
        asked,
        act=RING if asked.act == "call" else SEE,
        hold=hit.holder_class,
        kind=hit.kind,
        reg=hit.purpose,
        basis=hit.ground,
        shield="shielded" if hit.shielded else open_or_not,
    )


def agreements(rules: RuleSet, facts: AskFacts, hit: HitFacts | None) -> tuple[str, ...]:
    """Labels of the documents that both sides are party to on that day; ``none`` when there is no such document."""
    sides = [(facts.organisation, facts.org_class)]
    if hit is not None:
        sides.append((hit.holder, hit.holder_class))
    elif facts.operation == "share":
        sides.append((facts.recipient_organisation or "", facts.recipient))
    return rules.shared(purpose=facts.purpose, sides=sides, day=facts.day) or (NOT_APPLICABLE,)


def consent_state(ground: Ground | None, facts: AskFacts, hit: HitFacts | None) -> str:
    """The consent that counts on this ground: given by all who must give it at this age, and for this very person.

    Where it is not clear who has parental authority, contested or never looked at, no consent as guardian counts.
    """
    if facts.consent != "given" or ground is None:
        return facts.consent
    needed = ground.consenters(facts.age)
    unsettled = facts.custody != "clear" and "guardian" in needed
    if unsettled or not needed <= facts.consent_by:
        return "unknown"
    return hit.consent if hit is not None and ground.kind == "toestemming" else "given"


def dossier_state(rules: RuleSet, facts: AskFacts) -> str:
    """The dossier as it counts: ``acuut`` once at a time, and for telling who may be told in acute danger alone.

    Whoever may be told, and asks something himself, asks it as without a dossier: only telling is ever reviewed.
    """
    if facts.dossier != "acuut":
        return facts.dossier
    tells = facts.operation == "share"
    receiving = facts.recipient if tells else facts.org_class
    if receiving not in rules.classes or not rules.classes[receiving].acute:
        return MISPLACED_ACUTE
    return "acuut" if tells and not facts.acute_open else "none"


def _proof(rules: RuleSet, facts: AskFacts) -> str:
    if facts.proof == NO_PROOF:
        return NO_PROOF
    holds = rules.proofs[facts.proof].holds(day=facts.day, since=facts.proof_since, ends_on=facts.proof_ends_on)
    return facts.proof if holds else LAPSED

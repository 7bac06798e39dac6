"""Organisations that tell each other something with consent, or on an exception: for every test of what is cited."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from broker.flows.policy import DecisionPoint, PolicyInForce
from policies import AskFacts, HitFacts, Permit, Refusal
from tests.simulators.broker_world import World, approval, documents
from tests.simulators.consenting import answer, recorded
from tests.simulators.enrolled import NAMES, Enrolled, worker_id
from tests.simulators.excepting import dossier, exception, exceptions_of, invoked, naming
from tests.simulators.requesting import COLLEAGUE, ENROLLED, HUISARTS, POLITIE, Desk

BUURTTEAM, VT, GI = "00000099000000011000", "00000099000000013000", "00000099000000014000"
OTHER_POLICE = "00000099000000019000"
AMSTERDAM = {
    BUURTTEAM: ("Buurtteam Amsterdam", "wijkteam"),
    VT: ("Veilig Thuis Amsterdam-Amstelland", "veilig_thuis"),
    GI: ("Jeugdbescherming Amsterdam", "gi"),
    OTHER_POLICE: ("Politie eenheid Amsterdam", "politie"),
}
"""Parties to an agreement under which they tell each other what is needed, with consent."""
MEETING: Mapping[str, Any] = {"purpose": "casusoverleg", "grounds": ["TOEST"], "categories": ["hulp"], "proof": None}
EMERGENCY: Mapping[str, Any] = {"purpose": "nood", "grounds": ["CVP"], "categories": ["veiligheid"], "proof": None}


def citing(world: World, *, meldcode_approval: bool = True) -> Desk:
    """Return a desk in a world with the parties to that agreement, a general practitioner and the police."""
    desk = Desk(world)
    names = {**NAMES, **ENROLLED.names, **AMSTERDAM}
    enrolled = Enrolled(names=names, others=ENROLLED.others, meldcode_approval=meldcode_approval)
    world.documents = documents(enrolled)
    return desk


async def consent(desk: Desk, *, by: str = BUURTTEAM, **changed: Any) -> str:  # noqa: ANN401 - members of a body
    """Return the id of a yes that this organisation recorded for the meeting, towards Veilig Thuis."""
    about = {"purpose": "casusoverleg", "categories": ["hulp"], "parties": [VT], "person": None, **changed}
    said = about.pop("answers", [answer()])
    return await recorded(desk.world, desk.asker(by), *said, **about)


async def excepted(desk: Desk, *, worker: str = "", approved: bool = True, **changed: Any) -> str:  # noqa: ANN401 - members of a body
    """Return the id of an exception of the general practitioner towards the police, with everything it needs."""
    asker = desk.asker(HUISARTS)
    acute = changed.get("type") == "acuut"
    consulted = worker_id(HUISARTS, "worker") if worker else COLLEAGUE
    stated = None if acute else dossier(consulted=consulted)
    body = exception(asker, **{"dossier": stated, **naming(asker, "trudy", worker=worker), **changed})
    by = approval(asker) if approved and not acute else None
    told = await invoked(desk.world, asker, body, approval=by, worker=worker)
    return str(exceptions_of(told)[0]["exceptionId"])


@dataclass(frozen=True, slots=True)
class _AskingToo:
    """The decisions beside it, under which who may be told with consent may ask for it too."""

    inner: DecisionPoint

    def may_ask(self, facts: AskFacts) -> Permit | Refusal:
        """Decide a question in the meeting as what is told in it; anything else as it is."""
        if facts.operation == "request" and facts.purpose == MEETING["purpose"]:
            facts = replace(facts, operation="share", recipient="wijkteam", recipient_organisation=BUURTTEAM)
        return self.inner.may_ask(facts)

    def may_see(self, facts: AskFacts, hit: HitFacts) -> Permit | Refusal:
        """Decide as it is."""
        return self.inner.may_see(facts, hit)


def asking_with_consent(policy: PolicyInForce) -> PolicyInForce:
    """Return the policy of a region whose document lets Veilig Thuis ask with consent, as no shipped one does."""
    return replace(policy, decision_point=_AskingToo(policy.decision_point))


def told_in_meeting(desk: Desk, consent_id: str | None, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - members of a body
    """Return the body in which the wijkteam tells Veilig Thuis what help there is."""
    return desk.telling(BUURTTEAM, VT, **{**MEETING, "consentId": consent_id, **changed})


def told_police(desk: Desk, exception_id: str | None, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - members of a body
    """Return the body in which the general practitioner tells the police what is needed."""
    return desk.telling(HUISARTS, POLITIE, **{**EMERGENCY, "exceptionId": exception_id, **changed})


__all__ = [
    "BUURTTEAM", "COLLEAGUE", "GI", "HUISARTS", "MEETING", "OTHER_POLICE", "POLITIE", "VT", "asking_with_consent",
    "citing", "consent", "excepted", "told_in_meeting", "told_police",
]  # fmt: skip

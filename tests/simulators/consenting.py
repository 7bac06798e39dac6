"""Residents who say yes or no, and a world in which some organisations ask them: for every test of consent."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from broker.domain.requests import Approval
from broker.flows.change_consent import answer_consent, withdraw_consent
from broker.flows.list_consents import list_consents
from broker.flows.outcome import Answered
from broker.flows.record_consent import record_consent
from broker.protocol.consent_messages import AnswerConsent, RecordConsent, WithdrawConsent
from tests.simulators.asking import EPOCH, Asker, household, token
from tests.simulators.broker_world import World, documents, requester
from tests.simulators.enrolled import NAMES, WIJKTEAM, Enrolled, worker_id

HUISARTS = "00000099000000007000"
GGZ = "00000099000000008000"
CARING = {**NAMES, HUISARTS: ("Huisartsenpraktijk De Brug", "huisarts"), GGZ: ("GGZ Rivierenland", "ggz")}
ADULT = {"purpose": "volwassene", "ground": "TOEST"}
TRUDY, MOTHER, FATHER, MENTOR, CURATOR = (letter * 64 for letter in "12345")
"""Who answers, as the organisation names them."""
PROOF = {"kind": "paper", "reference": "a" * 64, "spokenWith": None, "interpreter": "none"}
ASSESSED = {"on": "2026-11-20", "by": worker_id(WIJKTEAM, "worker")}
INFORMED = {"state": "informed", "reason": None, "reviewOn": None}


def answer(who: str = TRUDY, capacity: str = "person", said: str = "given", **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - members of a body
    """Return the line of one person."""
    given = said == "given"
    line = {
        "who": who,
        "capacity": capacity,
        "answer": said,
        "reason": "unreachable" if said == "not_asked" else None,
        "custody": "gezagsregister" if capacity == "guardian" else "none",
        "custodyRef": "b" * 64 if capacity == "guardian" else None,
        "proof": PROOF if given else None,
        "until": "2027-05-01" if given else None,
        "suspect": False,
    }
    return {**line, **changed}


def record(
    asker: Asker, *answers: Mapping[str, Any], person: str | None = "trudy", worker: str = "",
    **changed: Any,  # noqa: ANN401 - members of a body
) -> dict[str, Any]:  # fmt: skip
    """Return the body that records these answers about a person."""
    ends = None if changed.get("age", "from23") == "from23" else "2027-07-01"
    tickets = [] if person is None else asker.tickets("register", household(subject=person), worker=worker)
    body = asker.command(
        purpose=asker.purpose,
        team="team-1",
        epoch=EPOCH,
        subject=None if person is None else token(person),
        signalId=None,
        categories=["betrokkenheid"],
        parties=[HUISARTS],
        age="from23",
        ageEndsOn=ends,
        unable=False,
        contested=False,
        answers=[dict(line) for line in answers or (answer(),)],
        confirmation="given",
        reviewOn=None,
        tickets=tickets,
    )
    return {**body, **changed}


def caring(world: World) -> World:
    """The world has a general practitioner and a mental health institution too."""
    world.documents = documents(Enrolled(names=CARING))
    return world


def approved(asker: Asker) -> Approval:
    """Return the statement of the asker's approver."""
    return Approval(
        organisation=asker.oin, worker=worker_id(asker.oin, "approver"), role="approver", jti=asker.id()
    )  # fmt: skip


async def send_record(
    world: World, asker: Asker, body: Mapping[str, Any], *, approval: Approval | None = None, worker: str = ""
) -> Answered:
    """Send this body of a record."""
    return await record_consent(
        command=RecordConsent.model_validate(body),
        requester=requester(asker, worker=worker),
        approval=approval,
        policies=world.policies,
        issuers=world.issuers,
        tokens=world.tokens,
        clock=world.clock,
        randomness=world.randomness,
        registers=world.documents,
        rosters=world.documents,
        signals=world.signals,
        consents=world.consents,
        answers=world.answers,
        log=world.log,
    )


async def recorded(world: World, asker: Asker, *answers: Mapping[str, Any], **changed: Any) -> str:  # noqa: ANN401 - members of a body
    """Record these answers, approved by a colleague, and return the record's id."""
    told = await send_record(world, asker, record(asker, *answers, **changed), approval=approved(asker))
    return str(consents_of(told)[0]["consentId"])


async def withdrawn(
    world: World, asker: Asker, consent_id: str, *, worker: str = "",
    **changed: Any,  # noqa: ANN401 - members of a body
) -> Answered:  # fmt: skip
    """Take a yes back, by telephone."""
    body = asker.command(who=TRUDY, capacity="person", parties=[], by="phone")
    return await withdraw_consent(
        command=WithdrawConsent.model_validate({**body, **changed}),
        consent_id=consent_id,
        requester=requester(asker, worker=worker),
        policies=world.policies,
        clock=world.clock,
        registers=world.documents,
        rosters=world.documents,
        signals=world.signals,
        consents=world.consents,
        answers=world.answers,
        log=world.log,
    )


async def answered_too(
    world: World, asker: Asker, consent_id: str, *answers: Mapping[str, Any], alone: bool = False,
    stated_at: int | None = None,
) -> Answered:  # fmt: skip
    """Add these answers to a record, approved by a colleague, or alone."""
    body = asker.command(answers=[dict(line) for line in answers], statedAt=stated_at)
    return await answer_consent(
        command=AnswerConsent.model_validate(body),
        consent_id=consent_id,
        requester=requester(asker),
        approval=None if alone else approved(asker),
        policies=world.policies,
        clock=world.clock,
        registers=world.documents,
        rosters=world.documents,
        signals=world.signals,
        consents=world.consents,
        answers=world.answers,
        log=world.log,
    )


async def listed(
    world: World, asker: Asker, *, after: str | None = None, worker: str = ""
) -> list[dict[str, Any]]:  # fmt: skip
    """Return the own records, as this worker reads them."""
    told = await list_consents(
        requester=requester(asker, worker=worker),
        after=after,
        policies=world.policies,
        clock=world.clock,
        registers=world.documents,
        signals=world.signals,
        consents=world.consents,
        answers=world.answers,
        log=world.log,
    )
    return consents_of(told)


def consents_of(told: Answered) -> list[dict[str, Any]]:
    """Return the records in an answer."""
    return [dict(one) for one in told.result["consents"]]  # type: ignore[attr-defined]  # a list, as the schema says


def adult(world: World, oin: str, **changed: Any) -> Asker:  # noqa: ANN401 - the fields of Asker, which checks them
    """Return a worker who asks about an adult, with consent."""
    return world.asker(oin, **{**ADULT, **changed})


async def involved(world: World, oin: str, *, person: str = "trudy", towards: str = WIJKTEAM) -> Asker:
    """An organisation is involved with an adult, with the consent that it recorded itself; returns its worker."""
    asker = adult(world, oin, seed=f"{person} {towards}")
    await recorded(world, asker, person=person, parties=[towards])
    about = replace(asker, seed=f"{person} {towards} signal")
    await world.register(about, household(subject=person), assessment=ASSESSED, informing=INFORMED)
    return asker

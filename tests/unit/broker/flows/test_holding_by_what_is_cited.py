"""What a letter and its answer cite is weighed anew when they are handed out: whose it was, by whom, about whom."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from broker.consent_ports import OwnConsent, consent_key
from broker.domain.consents import Capacity
from broker.domain.information_requests import InformationRequest, RequestReply, RequestState
from broker.domain.signals import Exclusion
from broker.exception_ports import OwnException, worker_key
from broker.flows.citing import Cited, CitedConsent, CitedException
from broker.flows.holding import answer_facts, as_told, letter_facts, still_holds
from broker.flows.policy import PolicyInForce
from broker.flows.request_of import OnRequest
from broker.flows.withholding import UNCHANGED, Basis
from broker.ports import OwnSignal, Stamp
from tests.property.broker.test_consents import DAY, a_consent, yes
from tests.simulators.clock import TestClock
from tests.simulators.enrolled import GI, WIJKTEAM
from tests.simulators.kept_records import KeptConsents, KeptExceptions
from tests.simulators.kept_signals import KeptMatches, KeptSignals
from tests.simulators.proposals import an_index
from tests.unit.broker.flows.test_citing_facts import EXCEPTION
from tests.unit.broker.flows.test_holding_facts import LOW, OURS, THEIRS, noting, on
from tests.unit.broker.flows.test_seeing_facts import REGISTER, a_match

REPLY = cast("RequestReply", LOW.reply)
EXCEPTION_ID, CONSENT_ID = "e", "c"


def excepted(organisation: str, worker: str) -> OwnException:
    """Return an exception of this worker towards the other side, about his organisation's own signal."""
    other, signal = (GI, OURS) if organisation == WIJKTEAM else (WIJKTEAM, THEIRS)
    record = replace(
        EXCEPTION, organisation=organisation, controller=organisation, worker=worker,
        recipient=REGISTER.organisations[other].org_class, recipient_organisation=other, purpose="proefregio",
        category="hulp", at=100,
    )  # fmt: skip
    stamp = Stamp(of=worker_key(organisation, worker), version=7)
    return OwnException(record=record, stamp=stamp, signals=frozenset({signal.id}))


def agreed(organisation: str) -> OwnConsent:
    """Return a record of this organisation that names the other side, about nobody who is known here."""
    given = a_consent(
        yes("a", Capacity.PERSON), organisation=organisation, parties=frozenset({GI, WIJKTEAM}), purpose="proefregio",
        categories=frozenset({"hulp"}),
    )  # fmt: skip
    return OwnConsent(consent=given, stamp=Stamp(of=consent_key("c"), version=3))


async def judged(
    on: OnRequest, *, exceptions: tuple[OwnException, ...] = (), consents: tuple[OwnConsent, ...] = ()
) -> tuple[OnRequest, bool]:
    """Return the act with everything that handing out relies on, and whether it holds."""
    return await still_holds(
        on, clock=TestClock(), signals=KeptSignals(signals=(OURS, THEIRS)), matches=KeptMatches(),
        consents=KeptConsents(records=consents), exceptions=KeptExceptions(records=exceptions),
    )  # fmt: skip


async def test_a_letter_on_an_exception_is_weighed_as_when_it_was_sent(policy: PolicyInForce) -> None:
    """By who sent it, at that moment, about the signal it named; the stamp of the exception is relied on."""
    point, asked = noting(policy)
    letter = replace(LOW, exception_id=EXCEPTION_ID, grounds=("CVP",), sent_at=200)
    own = excepted(WIJKTEAM, letter.sender_worker)
    found, held = await judged(on(point, letter), exceptions=(own, excepted(GI, letter.sender_worker)))
    assert held
    cited = CitedException(own=own, worker="s", at=200, signals=frozenset({OURS.id}))
    facts = letter_facts(letter, REGISTER, Cited(exception=cited), standing=True)
    assert asked == [facts.of("hulp", day=DAY)]
    assert found.relies_on[-1] == own.stamp


async def test_an_answer_on_an_exception_is_weighed_as_when_it_was_given(policy: PolicyInForce) -> None:
    """By who answered, at that moment, about the own signal that the answer named."""
    point, asked = noting(policy)
    reply = replace(REPLY, exception_id=EXCEPTION_ID, grounds=("CVP",), answered_at=300)
    answered = replace(LOW, reply=reply)
    own = excepted(GI, reply.worker)
    found, held = await judged(on(point, answered, by=WIJKTEAM), exceptions=(excepted(WIJKTEAM, reply.worker), own))
    assert held
    cited = CitedException(own=own, worker="x", at=300, signals=frozenset({THEIRS.id}))
    signal = OwnSignal(signal=THEIRS, stamps=(), subject=an_index("x"))
    facts = answer_facts(
        answered, reply, signal, register=REGISTER, role="worker", cited=Cited(exception=cited)
    ).of("hulp", day=DAY)  # fmt: skip
    assert facts.dossier != "none"
    assert asked == [facts]
    assert found.relies_on[-1] == own.stamp


@pytest.mark.parametrize("answered", [False, True], ids=["the letter", "the answer"])
async def test_a_consent_is_weighed_for_the_other_side(policy: PolicyInForce, *, answered: bool) -> None:
    """It is the record of who cites it; an answer to a question with consent is weighed for the question too."""
    point, asked = noting(policy)
    consented: dict[str, Any] = {"consent_id": CONSENT_ID, "grounds": ("TOEST",)}
    letter = replace(LOW, reply=replace(REPLY, **consented)) if answered else replace(LOW, **consented)
    owner = GI if answered else WIJKTEAM
    own, by = agreed(owner), WIJKTEAM if answered else GI
    found, held = await judged(on(point, letter, by=by), consents=(own,))
    assert held
    assert own.stamp in found.relies_on
    needed = policy.bundle.grounds["TOEST"].consenters
    cited = Cited(consent=CitedConsent(own=own, needed=needed, alone=True))
    signal = OwnSignal(signal=THEIRS, stamps=(), subject=an_index("x"))
    facts = (
        answer_facts(letter, cast("RequestReply", letter.reply), signal, register=REGISTER, role="worker", cited=cited)
        if answered
        else letter_facts(letter, REGISTER, cited, standing=True)
    )
    assert asked == [facts.of("hulp", day=DAY)]
    assert not (await judged(on(point, letter, by=by), consents=(agreed(WIJKTEAM if answered else GI),)))[1]
    if not answered:
        asked.clear()
        assert (await judged(on(point, letter, by=WIJKTEAM), consents=(own,)))[1]
        assert len(asked) == 2


async def test_a_letter_on_a_match_is_weighed_by_what_its_sender_sees(policy: PolicyInForce) -> None:
    """Who sent it: what is kept from him by name is none of his match any more."""
    point, _ = noting(policy)
    letter = replace(LOW, signal_id=None, match_id="m", rests_on=())
    for worker, held in (("s", False), ("another", True)):
        kept = replace(OURS, exclusions=frozenset({Exclusion(organisation=WIJKTEAM, worker=worker)}))
        _, found = await still_holds(
            on(point, letter), clock=TestClock(), signals=KeptSignals(signals=(OURS, THEIRS)),
            matches=KeptMatches(matches=(a_match(newer=kept),)), consents=KeptConsents(), exceptions=KeptExceptions(),
        )  # fmt: skip
        assert found is held


def oral(**changed: Any) -> InformationRequest:  # noqa: ANN401 - members of a reply
    """Return a letter that was answered orally, long ago."""
    reply = replace(REPLY, kind="oral", expires_on=DAY - timedelta(days=30), **changed)
    return replace(LOW, state=RequestState.ORAL, match_id="m", signal_id=None, rests_on=(), reply=reply)


async def test_how_long_an_oral_answer_may_be_asked_after_changes_nothing(policy: PolicyInForce) -> None:
    """It is told as long as what it cites holds, and the match of its question; its own day is past for long."""
    point, _ = noting(policy)
    for consents, kept in (((agreed(GI),), UNCHANGED), ((), Basis(letter=True, answer=False))):
        letter = oral(consent_id=CONSENT_ID, grounds=("TOEST",))
        found = await as_told(
            on(point, letter, by=WIJKTEAM), clock=TestClock(), signals=KeptSignals(signals=(OURS, THEIRS)),
            matches=KeptMatches(matches=(a_match(newer=OURS),)), consents=KeptConsents(records=consents),
            exceptions=KeptExceptions(),
        )  # fmt: skip
        assert (found.basis, found.request) == (kept, letter)

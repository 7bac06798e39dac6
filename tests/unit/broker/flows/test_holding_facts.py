"""Whether a letter still holds, decided anew: on which facts, on what it relies, and what ends it without a trace."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from broker.domain.information_requests import (
    Delivery,
    InformationRequest,
    RequestReply,
    RequestState,
)
from broker.domain.matches import KeptMatch, Link
from broker.domain.signals import Signal, SignalState
from broker.flows.citing import NOTHING_CITED
from broker.flows.errors import DecisionFailedError
from broker.flows.holding import answer_facts, as_told, letter_facts, still_holds
from broker.flows.policy import PolicyInForce
from broker.flows.request_of import OnRequest
from broker.flows.withholding import UNCHANGED, Basis
from broker.ports import OwnSignal, Stamp, StampKey, StampKind
from broker.protocol.register import Register
from broker.request_ports import kept
from policies import AskFacts, Refusal
from tests.property.broker.test_consents import DAY
from tests.simulators.broker_world import documents
from tests.simulators.clock import TestClock
from tests.simulators.enrolled import GI, WIJKTEAM, Enrolled
from tests.simulators.kept_records import KeptConsents, KeptExceptions
from tests.simulators.kept_signals import KeptMatches, KeptSignals, shield_stamp
from tests.simulators.proposals import a_signal, an_index
from tests.unit.broker.flows.deciders import Watched, erring, permit
from tests.unit.broker.flows.test_kept_letters_facts import LETTER, REPLY
from tests.unit.broker.flows.test_seeing_facts import PERSON, REGISTER, a_match

OURS, THEIRS = a_signal("ours", organisation=WIJKTEAM), a_signal("theirs", organisation=GI)
BASE = Stamp(of=StampKey(kind=StampKind.POLICY, key=b"bundle"), version=1)
GI_STAMP, WIJKTEAM_STAMP = (
    Stamp(of=StampKey(kind=StampKind.ORGANISATION, key=oin.encode()), version=1) for oin in (GI, WIJKTEAM)
)
SENT = replace(
    LETTER, signal_id=OURS.id, rests_on=kept((shield_stamp(OURS),)), expires_on=DAY + timedelta(days=3), proof=None
)
ANSWERED = replace(
    SENT,
    state=RequestState.ANSWERED,
    delivery=Delivery.OPENED,
    reply=replace(
        REPLY, signal_id=THEIRS.id, rests_on=kept((shield_stamp(THEIRS),)), expires_on=DAY + timedelta(days=5)
    ),
)


def on(
    policy: PolicyInForce, request: InformationRequest, *, by: str = GI, register: Register = REGISTER, days: int = 0
) -> OnRequest:
    """Return the act of this side on a letter, so many days later."""
    return OnRequest(
        act=cast("Any", None), request=request, organisation=REGISTER.organisations[by], policy=policy,
        register=register, today=DAY + timedelta(days=days), basis=UNCHANGED, relies_on=(BASE,),
    )  # fmt: skip


async def holds(
    on: OnRequest, *signals: Signal, store: KeptSignals | None = None, match: KeptMatch | None = None
) -> tuple[bool, tuple[Stamp, ...], tuple[str, ...]]:
    """Return whether it holds, what that relies on, and the handles of what it rests on; both signals unless said."""
    found, held = await still_holds(
        on, clock=TestClock(), signals=store or KeptSignals(signals=signals or (OURS, THEIRS)),
        matches=KeptMatches(matches=() if match is None else (match,)), consents=KeptConsents(),
        exceptions=KeptExceptions(),
    )  # fmt: skip
    return held, found.relies_on, found.handles


def noting(policy: PolicyInForce) -> tuple[PolicyInForce, list[AskFacts]]:
    """Return a policy that permits level 2, and what it is asked."""
    point = Watched(inner=policy.decision_point, before=permit)
    return replace(policy, decision_point=point), point.asked


OF_LETTER = (BASE, shield_stamp(OURS), WIJKTEAM_STAMP)
OF_ANSWER = (BASE, shield_stamp(OURS), shield_stamp(THEIRS), GI_STAMP)
LOW = replace(ANSWERED, level=2, reply=replace(cast("RequestReply", ANSWERED.reply), level=2))
"""At the level that is permitted here."""
ASKED = replace(SENT, level=2)


async def test_a_letter_holds_by_what_its_sender_may_today(policy: PolicyInForce) -> None:
    """On the facts it was sent on, for each of its categories; it rests on the sender's signal alone."""
    point, asked = noting(policy)
    request = replace(ASKED, categories=("hulp", "veiligheid"))
    assert await holds(on(point, request)) == (True, OF_LETTER, (OURS.handle,))
    facts = letter_facts(request, REGISTER, NOTHING_CITED, standing=True)
    assert asked == [facts.of(one, day=DAY) for one in request.categories]


async def test_an_answer_holds_by_what_who_answered_may_today(policy: PolicyInForce) -> None:
    """As a worker of the receiver, on the answer's grounds and own signal; it rests on both sides' signals."""
    point, asked = noting(policy)
    assert await holds(on(point, LOW, by=WIJKTEAM)) == (True, OF_ANSWER, (OURS.handle, THEIRS.handle))
    reply = cast("RequestReply", LOW.reply)
    own = OwnSignal(signal=THEIRS, stamps=(), subject=an_index("x"))
    facts = answer_facts(LOW, reply, own, register=REGISTER, role="worker", cited=NOTHING_CITED)
    assert asked == [facts.of("hulp", day=DAY)]
    plain = replace(LOW, signal_id=None, reply=replace(reply, signal_id=None))
    held, _, handles = await holds(on(point, plain, by=WIJKTEAM))
    assert (held, handles) == (True, ())


async def test_what_is_not_answered_is_judged_as_the_letter_for_its_sender_too(policy: PolicyInForce) -> None:
    """Until there is an answer its last day is that of the letter."""
    point, asked = noting(policy)
    assert (await holds(on(point, ASKED, by=WIJKTEAM)))[0]
    assert len(asked) == 1
    assert (await holds(on(point, ASKED, by=WIJKTEAM, days=3)))[0]
    assert not (await holds(on(point, ASKED, by=WIJKTEAM, days=4)))[0]


@pytest.mark.parametrize("by", [GI, WIJKTEAM])
async def test_a_box_is_given_up_to_its_last_day(policy: PolicyInForce, by: str) -> None:
    """The letter's for its receiver, the answer's for who asked; one that was taken back is given on no day."""
    point, asked = noting(policy)
    last = 3 if by == GI else 5
    assert (await holds(on(point, LOW, by=by, days=last)))[0]
    assert len(asked) == 1
    assert await holds(on(point, LOW, by=by, days=last + 1)) == (False, OF_LETTER if by == GI else OF_ANSWER, ())
    assert not (await holds(on(point, replace(LOW, state=RequestState.WITHDRAWN), by=by)))[0]
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("moved", "letter", "answer"),
    [(OURS, False, False), (THEIRS, True, False)],
    ids=["the sender's", "the receiver's"],
)
async def test_what_it_rests_on_must_be_as_it_was(
    policy: PolicyInForce, moved: Signal, *, letter: bool, answer: bool
) -> None:
    """An answer rests on what its question rests on too, a letter on nothing of the other side."""
    point, _ = noting(policy)
    now = shield_stamp(moved, version=2)
    for by, expected in ((GI, letter), (WIJKTEAM, answer)):
        store = KeptSignals(signals=(OURS, THEIRS), versions={now.of: 2})
        held, relied, _ = await holds(on(point, LOW, by=by), store=store)
        assert held is expected
        assert (now in relied) is not expected


@pytest.mark.parametrize("gone", [OURS, THEIRS], ids=["the sender's", "the receiver's"])
async def test_a_signal_that_is_over_ends_what_rests_on_it(policy: PolicyInForce, gone: Signal) -> None:
    """Whether it was swept or not, and though no stamp moved; the receiver's own ends his answer and not the letter."""
    point, _ = noting(policy)
    for over in (replace(gone, state=SignalState.WITHDRAWN), replace(gone, ends_on=DAY - timedelta(days=1))):
        left = [over if one is gone else one for one in (OURS, THEIRS)]
        assert (await holds(on(point, LOW), *left))[0] is (gone is THEIRS)
        assert not (await holds(on(point, LOW, by=WIJKTEAM), *left))[0]


async def test_a_letter_on_a_match_holds_while_its_side_sees_that(policy: PolicyInForce) -> None:
    """By the own signals it is seen by, relied on with the match; one that is gone or not seen ends it."""
    point, asked = noting(policy)
    request = replace(ASKED, signal_id=None, match_id="m", rests_on=())
    newer = a_match(newer=OURS)
    expected = (BASE, WIJKTEAM_STAMP, KeptMatches().stamp)
    for purpose in (request.purpose, "vt-melding"):
        judged = await holds(on(point, replace(request, purpose=purpose)), match=newer)
        assert judged == (True, expected, (OURS.handle,))
    assert [facts.standing for facts in asked] == ["own_signal", "none"]
    unseen = a_match(Link(signal=THEIRS, kind=PERSON, shown=False, tells=True), newer=OURS)
    assert not (await holds(on(point, request), match=unseen))[0]
    assert not (await holds(on(point, request)))[0]


@pytest.mark.parametrize("gone", [GI, WIJKTEAM])
@pytest.mark.parametrize("by", [GI, WIJKTEAM])
async def test_nothing_holds_for_a_side_that_is_gone(policy: PolicyInForce, by: str, gone: str) -> None:
    """Suspended, or in the register no more, either of the two: nothing is decided then."""
    point, asked = noting(policy)
    suspended = documents(Enrolled(suspended=frozenset({gone}))).in_force
    left = {oin: one for oin, one in REGISTER.organisations.items() if oin != gone}
    for register in (suspended, replace(REGISTER, organisations=left)):
        assert not (await holds(on(point, LOW, by=by, register=register)))[0]
    assert asked == []


@pytest.mark.parametrize("by", [GI, WIJKTEAM])
async def test_a_letter_that_may_not_be_sent_today_does_not_hold(policy: PolicyInForce, by: str) -> None:
    """Refused, or permitted at a lower level than it is at; a decision that fails is neither."""
    failed = cast("Refusal", policy.decision_point.may_ask(cast("AskFacts", None)))
    not_permitted = replace(failed, reason="no-standing")

    def refuse(_put: str, _facts: AskFacts) -> Refusal:
        return not_permitted

    point = replace(policy, decision_point=Watched(inner=policy.decision_point, before=refuse))
    assert not (await holds(on(point, LOW, by=by)))[0]
    permitting, _ = noting(policy)
    assert not (await holds(on(permitting, ANSWERED, by=by)))[0]
    with pytest.raises(DecisionFailedError):
        await holds(on(erring(policy, "may_ask"), LOW, by=by))


@pytest.mark.parametrize("cites", ["consent_id", "exception_id"])
async def test_what_is_cited_and_gone_ends_what_cites_it(policy: PolicyInForce, cites: str) -> None:
    """The letter's for its receiver; the answer's for the asker, and the question's too where it rests on a consent."""
    point, _ = noting(policy)
    reply = cast("RequestReply", LOW.reply)
    gone: dict[str, Any] = {cites: "9" * 32}
    letter, answer = replace(LOW, **gone), replace(LOW, reply=replace(reply, **gone))
    assert not (await holds(on(point, letter)))[0]
    assert (await holds(on(point, answer)))[0]
    assert not (await holds(on(point, answer, by=WIJKTEAM)))[0]
    assert (await holds(on(point, letter, by=WIJKTEAM)))[0] is (cites == "exception_id")


async def told(on: OnRequest, *signals: Signal) -> OnRequest:
    """Return the act with what may be told of its letter now."""
    return await as_told(
        on, clock=TestClock(), signals=KeptSignals(signals=signals or (OURS, THEIRS)), matches=KeptMatches(),
        consents=KeptConsents(), exceptions=KeptExceptions(),
    )  # fmt: skip


async def test_what_a_side_was_not_handed_is_decided_on_as_its_fetch_would_be(policy: PolicyInForce) -> None:
    """Each side its own half, and of the other half what was known; the letter itself stays as it was."""
    point, _ = noting(policy)
    refusing = erring(policy, "may_ask")
    waiting = replace(LOW, state=RequestState.SENT, delivery=Delivery.WAITING)
    for by, request, lost in (
        (GI, waiting, Basis(letter=False, answer=True)), (WIJKTEAM, LOW, Basis(letter=True, answer=False)),
    ):  # fmt: skip
        found = await told(on(point, request, by=by))
        assert (found.basis, found.request) == (UNCHANGED, request)
        assert found.relies_on == (OF_LETTER if by == GI else OF_ANSWER)
        gone = replace(OURS, state=SignalState.WITHDRAWN)
        assert (await told(on(point, request, by=by), gone, THEIRS)).basis == lost
        with pytest.raises(DecisionFailedError):
            await told(on(refusing, request, by=by))


async def test_what_was_handed_out_or_is_withheld_already_is_decided_on_no_more(policy: PolicyInForce) -> None:
    """Nor what declines, or is not there yet: the act is as it was, and relies on nothing more."""
    refusing = erring(policy, "may_ask")
    reply = cast("RequestReply", LOW.reply)
    waiting = replace(LOW, state=RequestState.SENT, delivery=Delivery.WAITING)
    for act in (
        on(refusing, LOW),
        on(refusing, replace(LOW, reply=replace(reply, delivery=Delivery.UNKNOWN)), by=WIJKTEAM),
        on(refusing, replace(LOW, reply=replace(reply, kind="declined")), by=WIJKTEAM),
        on(refusing, replace(LOW, reply=None), by=WIJKTEAM),
        replace(on(refusing, waiting), basis=Basis(letter=False, answer=True)),
        replace(on(refusing, LOW, by=WIJKTEAM), basis=Basis(letter=True, answer=False)),
        on(refusing, replace(LOW, reply=replace(reply, kind="oral")), by=WIJKTEAM),
    ):
        assert await told(act) is act


async def test_an_oral_answer_is_judged_by_what_it_cites_alone(policy: PolicyInForce) -> None:
    """Nobody fetches it, so its day ends nothing; what it, or its question, cites and is gone does."""
    point, _ = noting(policy)
    reply = replace(cast("RequestReply", LOW.reply), kind="oral")
    for citing in (
        replace(LOW, consent_id="9" * 32, reply=reply),
        replace(LOW, reply=replace(reply, consent_id="9" * 32)),
        replace(LOW, reply=replace(reply, exception_id="9" * 32)),
    ):
        found = await told(on(point, citing, by=WIJKTEAM))
        assert (found.basis, found.request) == (Basis(letter=True, answer=False), citing)

"""A phone call is decided on as the letter it stands for: every fact of the call is a fact of that letter."""

from dataclasses import replace
from datetime import date

from broker.domain.information_requests import InformationRequest, LetterKind, RequestReply, RestsOn, StatedProof
from broker.domain.phone_calls import Oral
from tests.unit.broker.domain.test_phone_calls import CALL

PROOF = StatedProof(kind="melding", since=date(2026, 11, 1), ends_on=None, reference="c" * 64)
ON_CALL, ON_ANSWER = (RestsOn(kind="consent", key=key, version=2) for key in ("aa", "bb"))
CITING = replace(
    CALL, kind=LetterKind.TELLING, role="vertrouwensarts", approved=True, signal_id="s", match_id="m", consent_id="c",
    exception_id="e", rests_on=(ON_CALL,), proof=PROOF,
)  # fmt: skip
ORAL = Oral(
    worker="answerer", at=1_000_100, categories=("veiligheid",), level=4, grounds=("TOEST",), proof=PROOF,
    approved=True, signal_id="s2", consent_id="c2", exception_id="e2", rests_on=(ON_ANSWER,),
)  # fmt: skip


def test_a_call_is_the_letter_it_stands_for() -> None:
    """Between the same teams, by the same worker in the same role, for the same, citing the same; it has no box."""
    assert CITING.as_letter() == InformationRequest(
        id=CALL.id, kind=LetterKind.TELLING, sender=CALL.caller, sender_team="team-1", sender_worker="w",
        sender_role="vertrouwensarts", controller=CALL.controller, receiver=CALL.receiver, receiver_team="team-2",
        purpose="vt-melding", grounds=("WMO-5.1.6",), categories=("hulp",), level=3, proof=PROOF, signal_id="s",
        match_id="m", consent_id="c", exception_id="e", approved=True, personal=False, bundle="", sent_at=CALL.made_at,
        expires_on=date.max, rests_on=(ON_CALL,), box=b"", reply=None,
    )  # fmt: skip
    assert CITING.answer_rests_on == ()


def test_an_oral_answer_is_the_answer_to_that_letter() -> None:
    """By who answered, about what he told, on his own grounds and what he cites; what it rests on is told apart."""
    answered = replace(CITING, oral=ORAL)
    assert answered.as_letter().reply == RequestReply(
        id=CALL.id, worker="answerer", kind="oral", reason=None, categories=("veiligheid",), level=4,
        grounds=("TOEST",), proof=PROOF, signal_id="s2", consent_id="c2", exception_id="e2", approved=True, bundle="",
        answered_at=1_000_100, expires_on=date.max, rests_on=(ON_ANSWER,),
    )  # fmt: skip
    assert replace(answered.as_letter(), reply=None) == CITING.as_letter()
    assert answered.answer_rests_on == (ON_ANSWER,)

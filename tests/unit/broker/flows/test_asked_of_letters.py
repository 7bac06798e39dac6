"""What policy is asked about a letter and about its answer, and which own signal an answer stands on."""

from dataclasses import replace
from typing import Any, cast

from broker.domain.changes import MarkStanding
from broker.domain.information_requests import InformationRequest, LetterKind, RequestReply, StatedProof
from broker.flows.citing import Cited, CitedException
from broker.flows.holding import answer_facts, answer_marks, letter_facts
from broker.flows.letters import LetterFacts
from broker.ports import OwnSignal
from tests.property.broker.test_consents import DAY
from tests.simulators.enrolled import GI, WIJKTEAM
from tests.simulators.proposals import a_signal, an_index
from tests.unit.broker.flows.test_kept_letters_facts import LETTER, REPLY
from tests.unit.broker.flows.test_seeing_facts import REGISTER

PROOF = StatedProof(kind="melding", since=DAY, ends_on=None, reference="f" * 64)
THEIRS = a_signal("theirs", organisation=GI)
CITED = Cited(exception=CitedException(own=cast("Any", "an exception"), worker="w", at=0))


def test_a_letter_is_asked_about_with_its_own_facts() -> None:
    """A request asks, a telling shares; role, approval, proof and level are the letter's."""
    letter = replace(LETTER, approved=True, proof=PROOF, sender_role="approver")
    expected = LetterFacts(
        operation="request", sender=REGISTER.organisations[WIJKTEAM], recipient=REGISTER.organisations[GI],
        role="approver", purpose="proefregio", grounds=("TOEST",), own_signal=False, approved=True, proof=PROOF,
        level=3, cited=CITED,
    )  # fmt: skip
    assert letter_facts(letter, REGISTER, CITED, standing=False) == expected
    telling = replace(letter, kind=LetterKind.TELLING, approved=False, proof=None)
    told = replace(expected, operation="share", own_signal=True, approved=False, proof=None)
    assert letter_facts(telling, REGISTER, CITED, standing=True) == told


def test_an_answer_is_asked_about_with_its_own_facts() -> None:
    """The receiver tells the asker; an own signal for another purpose entitles to nothing, its own proof goes first."""
    asked = replace(PROOF, reference="e" * 64)
    reply = replace(REPLY, approved=True, proof=PROOF, grounds=("WETTAAK",), level=2)
    own = OwnSignal(signal=THEIRS, stamps=(), subject=an_index("x"))
    expected = LetterFacts(
        operation="share", sender=REGISTER.organisations[GI], recipient=REGISTER.organisations[WIJKTEAM],
        role="approver", purpose="proefregio", grounds=("WETTAAK",), own_signal=True, approved=True, proof=PROOF,
        level=2, cited=CITED,
    )  # fmt: skip

    def facts(letter: InformationRequest, reply: RequestReply, own: OwnSignal | None) -> LetterFacts:
        return answer_facts(letter, reply, own, register=REGISTER, role="approver", cited=CITED)

    letter = replace(LETTER, proof=asked)
    assert facts(letter, reply, own) == expected
    assert facts(letter, reply, None) == replace(expected, own_signal=False)
    assert facts(replace(letter, purpose="vt-melding"), reply, own) == replace(
        expected, own_signal=False, purpose="vt-melding"
    )
    assert facts(letter, replace(reply, proof=None, approved=False), own) == replace(
        expected, proof=asked, approved=False
    )


def test_an_own_signal_is_marked_where_nothing_else_gave_standing() -> None:
    """A proof of the answer or of the question, a consent or an exception does; and so does another purpose's not."""
    own = OwnSignal(signal=THEIRS, stamps=(), subject=an_index("x"))
    marked = (MarkStanding(signal_id=THEIRS.id, on=DAY),)
    assert answer_marks(LETTER, REPLY, own, day=DAY) == marked
    for letter, reply in (
        (replace(LETTER, proof=PROOF), REPLY),
        (LETTER, replace(REPLY, proof=PROOF)),
        (LETTER, replace(REPLY, consent_id="c")),
        (LETTER, replace(REPLY, exception_id="e")),
        (replace(LETTER, purpose="vt-melding"), REPLY),
    ):
        assert answer_marks(letter, reply, own, day=DAY) == ()
    assert answer_marks(LETTER, REPLY, None, day=DAY) == ()
    assert answer_marks(replace(LETTER, consent_id="c", exception_id="e"), REPLY, own, day=DAY) == marked

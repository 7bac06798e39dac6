"""What a calling organisation signs of a call holds for that call alone, by its own key."""

from dataclasses import replace

import pytest

from broker.protocol.call_statement import StatedCall
from broker.protocol.errors import SignatureError
from tests.simulators.enrolled import GI, SCHOOL, VEILIG_THUIS, Enrolled, key

AT = 1_795_000_000
CALL = StatedCall(
    call_id="a" * 32, caller_team="team-1", receiver=SCHOOL, receiver_team="team-1", purpose="vt-melding"
)  # fmt: skip
ORGANISATIONS = Enrolled().register().organisations


def test_a_statement_holds_for_exactly_the_call_that_was_signed() -> None:
    """Who says when it was stated is the caller; each other call, receiver, team or purpose is another."""
    text = CALL.signed(key(VEILIG_THUIS), organisation=VEILIG_THUIS, at=AT)
    assert CALL.stated_at(text, ORGANISATIONS[VEILIG_THUIS]) == AT
    others = (
        replace(CALL, call_id="b" * 32),
        replace(CALL, caller_team="team-2"),
        replace(CALL, receiver=GI),
        replace(CALL, receiver_team="team-2"),
        replace(CALL, purpose="overlast"),
    )
    for other in others:
        with pytest.raises(SignatureError):
            other.stated_at(text, ORGANISATIONS[VEILIG_THUIS])


@pytest.mark.parametrize(
    "text",
    [
        CALL.signed(key(GI), organisation=VEILIG_THUIS, at=AT),
        CALL.signed(key(VEILIG_THUIS), organisation=GI, at=AT),
        key(VEILIG_THUIS).encode_jwt({"iss": VEILIG_THUIS, "iat": AT}, typ="sluis-call+jwt"),
        "no.statement.atall",
    ],
)
def test_nobody_states_a_call_for_another(text: str) -> None:
    """Another key, another organisation's name, another form: no statement."""
    with pytest.raises(SignatureError):
        CALL.stated_at(text, ORGANISATIONS[VEILIG_THUIS])

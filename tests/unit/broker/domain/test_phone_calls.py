"""The belcode: six digits that both sides derive alike, for half an hour, once, and no more guesses than allowed."""

import hashlib
import hmac
from dataclasses import replace

import pytest

from broker.domain.phone_calls import CODE_S, MAX_TRIES, MAX_TRIES_OF_ALL, CodeTime, PhoneCall, WrongCodes

CALL = PhoneCall(
    id="a" * 32, caller="1" * 20, caller_team="team-1", worker="w", controller="1" * 20, receiver="2" * 20,
    receiver_team="team-2", purpose="vt-melding", grounds=("WMO-5.1.6",), categories=("hulp",), level=3,
    made_at=1_000_000, key=bytes(range(32)),
)  # fmt: skip
CLOCKED = CALL.made_at - 3 * 86_400


def at(moment: int) -> CodeTime:
    """Return this moment where the clock says what the log says."""
    return CodeTime(recorded=moment, clock=moment)


def by_hand(key: bytes, call_id: str) -> str:
    """Return the code made by other means: the digest as one big-endian number, its last six digits."""
    digest = hmac.new(key, b"sluis belcode/v1\x00" + call_id.encode(), hashlib.sha256).hexdigest()
    return str(int(digest, 16))[-6:]


def test_both_sides_derive_one_code_of_six_digits() -> None:
    """Leading zeros stay; another call or another key has another code."""
    codes = {}
    for number in range(60):
        call = replace(CALL, id=f"{number:032x}")
        codes[call.id] = call.code()
        assert call.code() == by_hand(call.key, call.id)
        assert len(call.code()) == 6
    assert any(code.startswith("0") for code in codes.values())
    assert len(set(codes.values())) == len(codes)
    assert replace(CALL, key=bytes(32)).code() == by_hand(bytes(32), CALL.id) != CALL.code()


@pytest.mark.parametrize(
    ("after", "hindered"), [(-1, "belcode-expired"), (0, None), (CODE_S, None), (CODE_S + 1, "belcode-expired")]
)
def test_a_code_counts_for_half_an_hour(after: int, hindered: str | None) -> None:
    """From the second it was made to the last of thirty minutes, and not before it was made."""
    assert CODE_S == 30 * 60
    assert CALL.hinders(at(CALL.made_at + after)) == hindered


@pytest.mark.parametrize(
    ("after", "hindered"),
    [
        (-CODE_S - 1, "belcode-expired"),
        (-CODE_S, None),
        (0, None),
        (CODE_S, None),
        (CODE_S + 1, "belcode-expired"),
    ],
)
def test_a_code_counts_for_half_an_hour_by_the_clock_too(after: int, hindered: str | None) -> None:
    """While the time of the log stands still, after a clock that was ahead: neither long after nor long before."""
    call = replace(CALL, clocked_at=CLOCKED)
    assert call.hinders(CodeTime(recorded=CALL.made_at, clock=CLOCKED + after)) == hindered
    late = CodeTime(recorded=CALL.made_at + CODE_S + 1, clock=CLOCKED + after)
    assert call.hinders(late) == "belcode-expired"
    assert (call.code_until, CALL.code_until) == (CLOCKED + CODE_S, CALL.made_at + CODE_S)


def test_a_code_counts_once() -> None:
    """What was verified is used, also at moment zero and after its half hour."""
    for verified_at in (0, CALL.made_at):
        used = replace(CALL, verified_at=verified_at)
        assert used.hinders(at(CALL.made_at)) == "belcode-used"
        assert used.hinders(at(CALL.made_at + 2 * CODE_S)) == "belcode-used"


@pytest.mark.parametrize(
    ("of_worker", "of_all", "over"),
    [
        (0, 0, False),
        (MAX_TRIES - 1, MAX_TRIES_OF_ALL - 1, False),
        (MAX_TRIES, MAX_TRIES, True),
        (MAX_TRIES + 1, MAX_TRIES + 1, True),
        (0, MAX_TRIES_OF_ALL, True),
        (0, MAX_TRIES_OF_ALL + 1, True),
    ],
)
def test_guessing_ends_by_worker_and_by_organisation(of_worker: int, of_all: int, over: bool) -> None:  # noqa: FBT001 - a row of a table
    """Three by one worker, thirty by all of them together: then he verifies none for now."""
    assert (MAX_TRIES, MAX_TRIES_OF_ALL) == (3, 30)
    assert WrongCodes(of_worker=of_worker, of_all=of_all).over is over


def test_the_key_of_a_code_is_never_printed() -> None:
    """Who reads a representation can make no code."""
    assert repr(CALL.key) not in repr(CALL)

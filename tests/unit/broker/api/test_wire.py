"""Bodies have one reading and a cap, answers one of four sizes, and errors hold nothing of what was sent."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.api.wire import ANSWER_BYTES, MAX_BODY_BYTES, BodyTooLargeError, padded_answer, parse, read_body
from broker.protocol.errors import MalformedError
from broker.protocol.messages import CheckHousehold, RegisterSignal, WithdrawSignal

REGISTER: dict[str, Any] = {
    "idempotencyKey": "0" * 32,
    "controller": "0" * 20,
    "caseRef": None,
    "purpose": "verwijsindex",
    "grounds": ["JW-7.1.4.1"],
    "team": "team-1",
    "epoch": 1,
    "household": {"subject": "A" * 43, "parents": [{"token": "A" * 43, "source": "brp"}], "address": None},
    "endsOn": "2027-01-01",
    "ageQuarter": "2040-01-01",
    "assessment": {"on": "2026-01-01", "by": "worker"},
    "informing": {"state": "informed", "reason": None, "reviewOn": None},
    "tickets": [],
}
CANARY = "CANARY7f3a"


async def _chunks(*sizes: int) -> AsyncIterator[bytes]:
    for size in sizes:
        yield b"x" * size


async def test_a_body_is_read_to_its_cap_and_no_further() -> None:
    """A body of exactly the cap is read; one byte more is refused, however it is cut."""
    assert len(await read_body(_chunks(MAX_BODY_BYTES - 1, 1))) == MAX_BODY_BYTES
    with pytest.raises(BodyTooLargeError):
        await read_body(_chunks(MAX_BODY_BYTES, 1))


def test_a_good_body_is_read() -> None:
    """What the formats page describes is accepted."""
    assert parse(RegisterSignal, json.dumps(REGISTER).encode()).team == "team-1"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"reason": "mistake", "reason": "mistake"}',
        b'{"epoch": 1e400}',
        b'{"epoch": NaN}',
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"[" * 3000,
        json.dumps(
            {"idempotency_key": "0" * 32, "controller": "0" * 20, "caseRef": None, "reason": "mistake"}
        ).encode(),
    ],
)
def test_a_body_with_two_readings_is_refused(body: bytes) -> None:
    """Duplicate members, non-finite numbers, other spellings of a member and non-JSON are all refused."""
    with pytest.raises(MalformedError):
        parse(WithdrawSignal, body)


def _leaves(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    if isinstance(value, dict):
        return [path, *(leaf for key, item in value.items() for leaf in _leaves(item, (*path, key)))]
    if isinstance(value, list):
        return [path, *(leaf for at, item in enumerate(value) for leaf in _leaves(item, (*path, at)))]
    return [path]


def _planted(path: tuple[str | int, ...], canary: object) -> Any:  # noqa: ANN401 - any JSON value
    whole = {"root": json.loads(json.dumps(REGISTER))}
    target: Any = whole
    for part in ("root", *path)[:-1]:
        target = target[part]
    target[("root", *path)[-1]] = canary
    return whole["root"]


def _told(body: bytes) -> str:
    """Return what the error says, or nothing where the body is accepted."""
    try:
        parse(RegisterSignal, body)
    except MalformedError as error:
        return f"{error.field} {error.rule}"
    return ""


@pytest.mark.parametrize("path", _leaves(REGISTER), ids=str)
@given(
    canary=st.sampled_from(
        [CANARY, [CANARY], {CANARY: CANARY}, f"2026-13-{CANARY}"[:10], f"{CANARY}" * 40, 1e9, -1, None, True]
    )
)
def test_an_error_holds_nothing_of_the_body(path: tuple[str | int, ...], canary: object) -> None:
    """Wherever a wrong value stands, also as the name of a member, the error names our field and our rule only."""
    told = _told(json.dumps(_planted(path, canary)).encode())
    assert CANARY not in told
    assert "2026-13" not in told


@pytest.mark.parametrize("member", ["approved", "id", "state", "organisation", "shielded", CANARY])
def test_a_member_only_the_server_sets_is_refused(member: str) -> None:
    """Nothing can be assigned from outside that the models do not name, and the name is not repeated."""
    with pytest.raises(MalformedError) as caught:
        parse(RegisterSignal, json.dumps({**REGISTER, member: True}).encode())
    assert (caught.value.field, caught.value.rule) == ("body", "has members that are not known")
    household = {**REGISTER["household"], member: True}
    with pytest.raises(MalformedError) as caught:
        parse(RegisterSignal, json.dumps({**REGISTER, "household": household}).encode())
    assert caught.value.field == "household"


def test_a_field_is_named_by_its_path() -> None:
    """A client developer finds the field that is wrong."""
    body = {**REGISTER, "household": {**REGISTER["household"], "parents": [{"token": "A" * 43, "source": "x"}]}}
    with pytest.raises(MalformedError) as caught:
        parse(RegisterSignal, json.dumps(body).encode())
    assert caught.value.field == "household.parents[0].source"
    with pytest.raises(MalformedError) as caught:
        parse(CheckHousehold, b"{}")
    assert caught.value.rule == "is missing"


@pytest.mark.parametrize("size", [0, 1, 30_000, 40_900, 40_961, 65_000, 131_000, 262_000, 262_145, 600_000])
def test_an_answer_has_one_of_a_few_sizes(size: int) -> None:
    """The size on the wire is a step, and only a list longer than the largest step goes beyond it."""
    body = padded_answer({"text": "é" * (size // 2)}, {})
    assert len(body) in ANSWER_BYTES or len(body) % ANSWER_BYTES[-1] == 0
    assert set(json.loads(body)["padding"]) <= {"0"}


def test_something_to_show_is_as_long_as_nothing() -> None:
    """Two answers that differ in what they tell have the same length."""
    assert len(padded_answer({"matches": ["x" * 900]}, {})) == len(padded_answer({"matches": []}, {}))

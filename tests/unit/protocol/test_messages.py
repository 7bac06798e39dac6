"""Wire models: closed, strict, and tokens never shown."""

import datetime
import json
from typing import Any

import pytest
from pydantic import ValidationError

from broker.protocol.errors import MalformedError
from broker.protocol.messages import (
    Answer,
    CheckHousehold,
    EvaluationAnswer,
    EvaluationRequest,
    RegisterSignal,
    RenewSignal,
    WireToken,
    WithdrawSignal,
)
from broker.protocol.signing_keys import b64url

TOKEN = b64url(bytes(range(32)))
COMMON = {"idempotencyKey": "0" * 32, "controller": "0" * 20, "caseRef": None}
RENEWAL = {**COMMON, "endsOn": "2027-01-31"}
EVALUATION: dict[str, Any] = {
    "batchId": "0" * 32,
    "operation": "check",
    "budgetClass": "check",
    "purpose": "verwijsindex",
    "epoch": 1,
    "grantId": None,
    "families": [{"family": "nlbsn", "real": 1, "points": [TOKEN] * 8}],
}
SIGNAL: dict[str, Any] = {
    **COMMON,
    "purpose": "verwijsindex",
    "grounds": ["JW-7.1.4.1"],
    "team": "team-1",
    "epoch": 1,
    "household": {"subject": TOKEN, "parents": [{"token": TOKEN, "source": "brp"}], "address": None},
    "endsOn": "2027-01-31",
    "ageQuarter": "2031-01-01",
    "assessment": {"on": "2026-11-22", "by": "w1"},
    "informing": {"state": "informed", "reason": None, "reviewOn": None},
    "tickets": ["a", "b"],
}
CHECK: dict[str, Any] = {
    **{name: SIGNAL[name] for name in (*COMMON, "purpose", "grounds", "team", "epoch", "tickets")},
    "household": {"subject": None, "parents": [], "members": [TOKEN] * 12, "address": TOKEN},
    "proof": {"kind": "melding", "reference": "0" * 64, "since": "2026-11-20", "endsOn": None},
}


def test_messages_come_back_as_they_were_sent() -> None:
    """Every message with a body is read from JSON and written to the same JSON."""
    for model, members in (
        (EvaluationRequest, EVALUATION),
        (RegisterSignal, SIGNAL),
        (CheckHousehold, CHECK),
        (RenewSignal, RENEWAL),
        (WithdrawSignal, {**COMMON, "reason": "mistake"}),
    ):
        message = model.model_validate(members)
        assert json.loads(message.model_dump_json(by_alias=True)) == members
        assert message == model.model_validate_json(json.dumps(members))


@pytest.mark.parametrize(
    "changes",
    [
        {"more": 1},
        {"idempotencyKey": "0" * 31},
        {"controller": 5},
        {"caseRef": "A" * 64},
        {"caseRef": "0" * 64 + "\n"},
        {"endsOn": "20270131"},
        {"endsOn": "2027-W04-7"},
        {"endsOn": "2027-01-31T00:00:00"},
        {"endsOn": 20270131},
        {"endsOn": datetime.datetime(2027, 1, 31, tzinfo=datetime.UTC)},
        {"endsOn": None},
    ],
)
def test_a_message_that_breaks_a_rule_is_refused(changes: dict[str, Any]) -> None:
    """Unknown members, other types and other forms of a day are refused; nothing is converted."""
    with pytest.raises(ValidationError):
        RenewSignal.model_validate({**RENEWAL, **changes})
    for name in RENEWAL:
        with pytest.raises(ValidationError):
            RenewSignal.model_validate({key: value for key, value in RENEWAL.items() if key != name})


def test_a_day_stays_a_day() -> None:
    """A message built in code takes a date as it is."""
    day = datetime.date(2027, 1, 31)
    assert RenewSignal.model_validate({**RENEWAL, "endsOn": day}).ends_on == day


@pytest.mark.parametrize("value", ["", "A", TOKEN[:-1], TOKEN + "A", TOKEN + "=", "é" * 43, 5, None, [TOKEN]])
def test_a_token_is_32_bytes(value: object) -> None:
    """A token is base64url of 32 bytes; the error never holds what was sent."""
    with pytest.raises(ValidationError) as caught:
        CheckHousehold.model_validate({**CHECK, "household": {**CHECK["household"], "subject": value, "x": 1}})
    assert TOKEN not in str(caught.value)


def test_tokens_are_never_shown() -> None:
    """The representation of a token, and of a message with tokens, shows nothing of them."""
    token = WireToken(bytes(range(32)))
    assert repr(token) == "WireToken(...)"
    shown = f"{RegisterSignal.model_validate(SIGNAL)!r} {token}"
    assert TOKEN not in shown
    assert bytes(range(32)).hex() not in shown
    assert repr(bytes(range(32))) not in shown


def test_tokens_compare_by_value() -> None:
    """Equal tokens are equal, also as members of a set; another type never is."""
    token = WireToken(bytes(32))
    assert {token, WireToken(bytes(32))} == {token}
    assert token != WireToken(b"\x01" * 32)
    assert token != bytes(32)
    household = {**CHECK["household"], "subject": token}
    assert CheckHousehold.model_validate({**CHECK, "household": household}).household.subject is token
    with pytest.raises(MalformedError, match="32 bytes"):
        WireToken(bytes(31))


def test_bounds_hold() -> None:
    """No more parents, members, families, grounds or points than the design knows."""
    household = SIGNAL["household"]
    parents = [{"token": TOKEN, "source": "own"}] * 3
    for model, members in (
        (RegisterSignal, {**SIGNAL, "household": {**household, "parents": parents}}),
        (RegisterSignal, {**SIGNAL, "household": {**household, "subject": None}}),
        (RegisterSignal, {**SIGNAL, "grounds": []}),
        (RegisterSignal, {**SIGNAL, "grounds": ["a", "b", "c", "d"]}),
        (CheckHousehold, {**CHECK, "household": {**CHECK["household"], "members": [TOKEN] * 13}}),
        (EvaluationRequest, {**EVALUATION, "families": EVALUATION["families"] * 5}),
        (EvaluationRequest, {**EVALUATION, "epoch": 2**32}),
        (EvaluationRequest, {**EVALUATION, "families": [{"family": "nlbsn", "real": 1, "points": []}]}),
        (EvaluationRequest, {**EVALUATION, "families": [{"family": "nlbsn", "real": 33, "points": [TOKEN] * 32}]}),
    ):
        with pytest.raises(ValidationError):
            model.model_validate(members)


@pytest.mark.parametrize(
    ("proof", "holds"), [("A" * 86, True), ("A" * 85, False), ("", False), ("A" * 86 + "==", False)]
)
def test_a_proof_is_64_bytes(proof: str, holds: bool) -> None:  # noqa: FBT001 - the expected outcome of a case
    """A proof of another length or form is refused."""
    members = {"epoch": 1, "families": [{"family": "fam", "points": [TOKEN], "proof": proof}], "ticket": "t"}
    try:
        EvaluationAnswer.model_validate(members)
        found = True
    except ValidationError:
        found = False
    assert found is holds


def test_padding_is_zeros() -> None:
    """The padding of an answer cannot carry anything."""
    receipt: dict[str, Any] = {"leaf": "", "proof": "", "openings": {}, "uncosignedSince": None}
    result: dict[str, Any] = {
        "schema": "result/v1",
        "outcome": "nothing",
        "signalId": None,
        "matches": [],
        "signals": None,
        "text": {"id": "check.nothing", "params": {}},
    }
    assert Answer.model_validate({"result": result, "receipt": receipt, "padding": "000"}).padding == "000"
    for padding in ("x", "00 ", "0\n"):
        with pytest.raises(ValidationError):
            Answer.model_validate({"result": result, "receipt": receipt, "padding": padding})

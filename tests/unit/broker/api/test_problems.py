"""One map turns every error into a published problem, and no problem says more than its class."""

import importlib
import json
import pkgutil
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

import broker.api
import broker.domain
import broker.protocol
from broker.api.problems import CODED, MEDIA_TYPE, PROBLEM_IDS, document_of, problem_of, problem_response
from broker.domain import errors
from broker.domain.errors import BrokerError
from broker.protocol.errors import MalformedError, ProtocolError, RequestTokenError, TicketError
from broker.protocol.problems import problem, problem_kinds, render

RECORDED: dict[str, Any] = {"document": problem("not-done").document(), "receipt": {}}
FACTS: dict[str, dict[str, Any]] = {
    "FieldRuleError": {"field": "endsOn", "rule": "lies in the past"},
    "PolicyNotSuccessorError": {"rule": "was in force before"},
    "PointInvalidError": {"field": "household.subject"},
    "EndDateBeyondRuleError": {"latest": date(2028, 1, 1)},
    "AnswerWithheldError": {"receipt": {}, "signal_id": None},
    "RecordedError": RECORDED,
    "RefusedError": {"document": problem("refused").document(), "receipt": {}},
    "WithdrawalNeedsReviewError": {"document": problem("withdrawal-needs-review").document(), "receipt": {}},
    "NotDoneError": RECORDED,
}


def _modules() -> None:
    for package in (broker.protocol, broker.domain, broker.api):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)


def _descendants(root: type[Exception]) -> Iterator[type[Exception]]:
    for child in root.__subclasses__():
        yield child
        yield from _descendants(child)


def test_every_error_has_a_problem() -> None:
    """Every class below our two roots is in the map by its own name, or is a malformed field, or has a code."""
    _modules()
    inherited: tuple[type, ...] = (MalformedError, *CODED)
    missing = [
        kind.__qualname__
        for root in (ProtocolError, BrokerError)
        for kind in _descendants(root)
        if kind not in PROBLEM_IDS and not issubclass(kind, inherited)
    ]
    assert missing == []


@pytest.mark.parametrize("kind", [kind for kind in PROBLEM_IDS if issubclass(kind, BrokerError)])
def test_every_broker_error_can_be_answered(kind: type[BrokerError]) -> None:
    """The problem of every error renders its Dutch text; a missing parameter would turn it into a 500."""
    document = document_of(kind(**FACTS.get(kind.__name__, {})))
    assert document["status"] == problem_kinds()[PROBLEM_IDS[kind]].status
    assert document["detail"]


def test_a_recorded_refusal_answers_with_what_the_log_holds() -> None:
    """The members of a recorded refusal are the very ones the entry commits to, with the receipt beside them."""
    document = problem("refused").document() | {"possible": [{"textId": "x", "text": "y"}]}
    answered = document_of(errors.RefusedError(document=document, receipt={"leaf": "l"}))
    assert answered == {**document, "receipt": {"leaf": "l"}}


def test_a_withheld_answer_has_its_receipt_and_signal() -> None:
    """Asking again after a change gives what was recorded, and no match."""
    document = document_of(errors.AnswerWithheldError(receipt={"leaf": "l"}, signal_id="a" * 32))
    assert (document["receipt"], document["signalId"]) == ({"leaf": "l"}, "a" * 32)


def test_every_mapped_problem_is_published() -> None:
    """The map answers with ids of problems.json only."""
    assert set(PROBLEM_IDS.values()) <= set(problem_kinds())


@pytest.mark.parametrize("code", [kind for kind in problem_kinds() if kind.startswith("request-token-")])
def test_a_request_token_error_is_the_problem_it_names(code: str) -> None:
    """Every token failure of problems.json is answered as itself, with 401."""
    told = problem_of(RequestTokenError(code))
    assert (told.kind.id, told.kind.status) == (code, 401)


@pytest.mark.parametrize("code", [kind for kind in problem_kinds() if kind.startswith("ticket-")])
def test_a_ticket_error_is_the_problem_it_names(code: str) -> None:
    """Every ticket failure of problems.json is answered as itself."""
    assert problem_of(TicketError(code)).kind.id == code


def test_a_malformed_field_is_named_with_its_rule() -> None:
    """The sender learns field and rule, in the members and in the Dutch sentence."""
    document = problem_of(MalformedError("household.subject", "is missing")).document()
    assert (document["field"], document["rule"]) == ("household.subject", "is missing")
    assert document["detail"] == render("request.malformed", {"field": "household.subject", "rule": "is missing"})


def test_what_nobody_mapped_is_a_bare_internal_error() -> None:
    """The text of an unforeseen exception never leaves."""
    document = problem_of(RuntimeError("999900018 secret")).document()
    assert document["status"] == 500
    assert "secret" not in json.dumps(document)


def test_the_answer_is_problem_json() -> None:
    """RFC 9457 media type, the status of the problem, and when to try again where that makes sense."""
    response = problem_response(errors.StorageError())
    assert response.media_type == MEDIA_TYPE
    assert response.status_code == 503
    assert response.headers["retry-after"] == "5"
    assert "retry-after" not in problem_response(errors.NotFoundError()).headers
    assert problem_response(RequestTokenError("request-token-missing")).headers["www-authenticate"] == "Sluis"

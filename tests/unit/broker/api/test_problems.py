"""One map turns every error into a published problem, and no problem says more than its class."""

import importlib
import json
import pkgutil
from collections.abc import Iterator

import pytest

import broker.api
import broker.domain
import broker.protocol
from broker.api.problems import CODED, MEDIA_TYPE, PROBLEM_IDS, problem_of, problem_response
from broker.domain.errors import BrokerError
from broker.protocol.errors import MalformedError, ProtocolError, RequestTokenError, TicketError
from broker.protocol.problems import problem, problem_kinds, render


def _modules() -> None:
    for package in (broker.protocol, broker.domain, broker.api):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)


def _descendants(root: type[Exception]) -> Iterator[type[Exception]]:
    for child in root.__subclasses__():
        yield child
        yield from _descendants(child)


def test_every_error_has_a_problem() -> None:
    """No class below our two roots is missing from the map; a forgotten one would be a 500."""
    _modules()
    listed = {*PROBLEM_IDS, *CODED}
    missing = [
        kind.__qualname__
        for root in (ProtocolError, BrokerError)
        for kind in _descendants(root)
        if not listed & set(kind.__mro__)
    ]
    assert missing == []


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
    """RFC 9457 media type, the status of the problem, never cached, and when to try again where that makes sense."""
    response = problem_response(problem("storage-unavailable"))
    assert response.media_type == MEDIA_TYPE
    assert response.status_code == 503
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["retry-after"] == "5"
    assert "retry-after" not in problem_response(problem("not-found")).headers
    assert problem_response(problem("request-token-missing")).headers["www-authenticate"] == "Sluis"

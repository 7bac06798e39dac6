"""What a worker asks, tells or answers becomes the members of a command."""

import datetime
from dataclasses import replace
from typing import Any, Literal

import pytest

from broker.protocol.letter import Letter
from broker.protocol.request_messages import AnswerRequest, SendRequest, Tell
from connectors.errors import CaseError
from connectors.questions import Question, Reply, within

KEY, BUNDLE = "0" * 32, "a" * 64
DAY = datetime.date(2026, 11, 30)


def question(**cited: Any) -> Question:  # noqa: ANN401 - fields of a question, which checks them
    """Return what is told to the police."""
    return Question(
        to="00000099000000008300", to_team="team-1", team="team-1", purpose="nood", grounds=["CVP"],
        categories=["veiligheid"], level=3, expires_on=DAY, text="canary", **cited,
    )  # fmt: skip


@pytest.mark.parametrize(("model", "cited"), [(SendRequest, {"consent_id": KEY}), (Tell, {"exception_id": KEY})])
def test_a_letter_names_what_it_rests_on(model: type[SendRequest] | type[Tell], cited: dict[str, str]) -> None:
    """Exactly the members of the command, with the consent or the exception, and never the text."""
    members = question(**cited).members(key=KEY, bundle=BUNDLE, box="")
    assert set(members) <= set(model.model_fields)
    assert cited.items() <= members.items()
    assert "canary" not in str(members)


def test_what_is_asked_names_no_exception() -> None:
    """The member that only telling has is not there where nothing of it is cited."""
    assert "exception_id" not in question().members(key=KEY, bundle=BUNDLE, box="")


def test_an_answer_names_its_consent() -> None:
    """Exactly the members of the command."""
    members = Reply(kind="all", expires_on=DAY, consent_id=KEY, text="canary").members(bundle=BUNDLE, box=None)
    assert set(members) <= set(AnswerRequest.model_fields)
    assert members["consent_id"] == KEY
    assert "canary" not in str(members)


@pytest.mark.parametrize(
    ("kind", "categories", "level", "said"),
    [
        ("all", ("hulp",), 2, "category: must be all of those asked, or the kind part"),
        ("part", ("hulp", "school"), 2, "category: must be among those asked"),
        ("part", ("hulp",), 3, "level: must be at most the level asked: 2"),
    ],
)
def test_an_answer_stays_within_its_question(
    kind: Literal["all", "part"], categories: tuple[str, ...], level: int, said: str
) -> None:
    """What is not asked is not told, what is called all is all, and more than was asked names its field."""
    asked = Letter(categories=("hulp", "veiligheid"), level=2)
    reply = Reply(kind=kind, expires_on=DAY, categories=categories, grounds=("TOEST",), level=level)
    with pytest.raises(CaseError, match=said):
        within(reply, asked)
    within(replace(reply, kind="part", categories=("hulp",), level=2), asked)

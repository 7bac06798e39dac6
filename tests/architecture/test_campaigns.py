"""`make campaign`: it refuses what it does not know, and its named points are all the places there are."""

import re

import pytest

from tests.architecture.source_tree import ROOT
from tests.campaigns import __main__ as campaigns
from tests.campaigns import kill
from tests.campaigns.points import named_points
from tests.simulators.databases import DATABASES

WRITERS = (
    "broker/store/state_changes.py",
    "broker/store/erasing.py",
    "broker/store/rotation.py",
    "broker/store/act_rows.py",
    "broker/store/ledger.py",
    "broker/store/request_ids.py",
    "audit/stored_log.py",
)
WRITTEN = re.compile(r"(?:INSERT INTO|UPDATE) [a-z_]+")
UNREACHED = {
    "INSERT INTO signal_exclusions",
    "INSERT INTO bundles",
    "INSERT INTO erasures",
    "UPDATE erasures",
    "INSERT INTO log_erased",
    "INSERT INTO doomed_epochs",
    "UPDATE log_payload_keys",
    "INSERT INTO review_notes",
}
"""What no request of the campaign brings about: a bundle comes into force at a start, which `test_activate_policy.py`
breaks off, and `tests/fault/test_erasing_faults.py` kills an erasure at each of its steps;
it has no reviewers."""


@pytest.mark.parametrize("arguments", [["flood", "1", "1"], ["kill", "many", "1"], ["kill", "-1", "1"], ["kill"]])
def test_what_is_no_campaign_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown name, a size that is none or a missing argument ends with 2, and the known names are said."""
    assert campaigns.main(arguments) == 2
    said = capsys.readouterr().err
    assert "kill" in said or "SIZE" in said


@pytest.mark.parametrize("kind", DATABASES)
def test_there_are_forty_points_and_more(kind: str) -> None:
    """A campaign covers at least forty named points, none of them twice, on each store."""
    titles = [point.title for point in named_points(kind)]
    assert len(titles) == len(set(titles)) >= 40


def test_every_statement_that_writes_has_its_points() -> None:
    """Who lets the broker write to another table gives the campaign a point before and after it."""
    texts = [(ROOT / path).read_text(encoding="utf-8") for path in WRITERS]
    written = {statement for text in texts for statement in WRITTEN.findall(text)} - UNREACHED
    places = {point.place.partition(" ")[2] for point in named_points("sqlite")}
    assert written - places == set()


def test_a_campaign_without_losses_says_what_that_is_worth() -> None:
    """No loss in n kills is told as the bound that it gives, and a loss as a loss."""
    assert "less often than 0.0300 times" in kill._sentence(100, 0)
    assert kill._sentence(100, 2) == "2 lost in 100 kills."


def test_a_plan_is_repeatable() -> None:
    """The same size and seed give the same kills."""
    plans = [kill.Plan.small("postgresql", seed=5, points=8) for _ in range(2)]
    assert plans[0] == plans[1]
    assert len(kill.Plan.whole("sqlite", size=7, seed=1).victims) == 7

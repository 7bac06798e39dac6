"""The walk over grounds and levels, on an engine whose every word is written here: what gives, forbids, was near."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import cast

import pytest

from policies.engine import Engine, NearMiss, Verdict
from policies.lines import Request
from policies.walk import Grant, Route, Walk, in_order, walk
from tests.unit.policies.test_hazards import ASKED

FIRST, SECOND = replace(ASKED, ground="A", party="one"), replace(ASKED, ground="A", party="two")
OTHER = replace(ASKED, ground="B", party="one")
LEVELS = (3, 2, 1, 0)


@dataclass(slots=True, kw_only=True)
class WrittenEngine:
    """An engine that says per ground, agreement and level what is written; levels are alike where `alike` says so."""

    permitting: Mapping[tuple[str, str, str], str] = field(default_factory=dict)
    forbidding: Mapping[tuple[str, str, str], str] = field(default_factory=dict)
    near: Mapping[tuple[str, str, str], NearMiss] = field(default_factory=dict)
    alike: Mapping[tuple[str, int], int] = field(default_factory=dict)
    judged: list[tuple[str, str, str]] = field(default_factory=list)

    def level_class(self, request: Request, level: int) -> int:
        """Return the class of this level for a ground: its own, where none is written."""
        return self.alike.get((request.ground, level), level)

    def judge(self, request: Request) -> Verdict:
        """Return what is written for this request."""
        key = (request.ground, request.party, request.level)
        self.judged.append(key)
        allowing, denying = (
            tuple(said[key].split()) if key in said else () for said in (self.permitting, self.forbidding)
        )
        return Verdict(allowed=bool(allowing and not denying), permitting=allowing, forbidding=denying)

    def near_miss(self, request: Request) -> NearMiss | None:
        """Return the near miss that is written for this request."""
        return self.near.get((request.ground, request.party, request.level))


def walked(engine: WrittenEngine, *requests: Request, levels: tuple[int, ...] = LEVELS) -> Walk:
    """Return the walk over these requests, those on one ground together."""
    grounds = list(dict.fromkeys(request.ground for request in requests))
    routes = [
        Route(ground=ground, requests=tuple(one for one in requests if one.ground == ground), levels=levels)
        for ground in grounds
    ]
    return walk(cast("Engine", engine), iter(routes))


def test_each_ground_gives_its_highest_allowed_level() -> None:
    """Lower levels are not asked once one is allowed; what spoke on the way stands there, sorted and once."""
    engine = WrittenEngine(
        permitting={
            ("A", "one", "2"): "z a a",
            ("A", "two", "2"): "b",
            ("A", "one", "1"): "never",
            ("B", "one", "0"): "c",
        }
    )
    found = walked(engine, FIRST, SECOND, OTHER)
    assert found.grants == (
        Grant(level=2, ground="A", rules=("a", "b", "z")),
        Grant(level=0, ground="B", rules=("c",)),
    )
    assert (found.spoke, found.forbidding, found.near_miss) == (("a", "b", "c", "z"), (), None)
    assert [key for key in engine.judged if key[0] == "A"] == [
        ("A", party, level) for level in ("3", "2") for party in ("one", "two")
    ]


def test_what_forbids_at_the_lowest_disclosing_level_refuses() -> None:
    """Above it, it lowers the answer and forbids nothing; under any agreement of a ground it counts."""
    high = WrittenEngine(
        permitting={("A", "one", "2"): "a", ("A", "one", "1"): "a"}, forbidding={("A", "two", "2"): "no"}
    )
    found = walked(high, FIRST, SECOND)
    assert found.grants == (Grant(level=1, ground="A", rules=("a",)),)
    assert (found.spoke, found.forbidding) == (("a", "no"), ())
    low = WrittenEngine(
        permitting={("A", "one", "1"): "a"}, forbidding={("A", "two", "1"): "no", ("A", "two", "0"): "nor"}
    )
    found = walked(low, FIRST, SECOND)
    assert (found.grants, found.spoke, found.forbidding) == ((), ("a", "no", "nor"), ("no", "nor"))


def test_between_grounds_nothing_blocks() -> None:
    """What forbids on one ground leaves the other; every prohibition at the lowest level is kept."""
    engine = WrittenEngine(
        permitting={("B", "one", "2"): "b"}, forbidding={("A", "one", "1"): "no", ("A", "two", "1"): "nor"}
    )
    found = walked(engine, FIRST, SECOND, OTHER)
    assert found.grants == (Grant(level=2, ground="B", rules=("b",)),)
    assert (found.forbidding, found.near_miss) == (("no", "nor"), None)


def test_levels_that_are_alike_are_asked_once() -> None:
    """By the highest of them; what it forbids counts again at the lowest disclosing level, and only there."""
    forbidden = {("A", "one", "3"): "no"}
    engine = WrittenEngine(forbidding=forbidden, alike={("A", 3): 9, ("A", 2): 9, ("A", 1): 9})
    assert walked(engine, FIRST).forbidding == ("no",)
    assert engine.judged == [("A", "one", "3"), ("A", "one", "0")]
    apart = WrittenEngine(forbidding=forbidden, alike={("A", 3): 9, ("A", 2): 9})
    assert walked(apart, FIRST).forbidding == ()
    two = WrittenEngine(forbidding={("A", "one", "1"): "low", **forbidden}, alike={("A", 3): 9, ("A", 0): 9})
    assert walked(two, FIRST).forbidding == ("low", "no")


NEAR = {name: NearMiss(failed=tuple(name), rid=f"rule {name}") for name in ("x", "y", "xy")}
LEVEL, LEVEL_TOO = (NearMiss(failed=failed, rid="level") for failed in (("level",), ("level", "x")))


def nearest(
    near: dict[tuple[str, str, str], NearMiss], *requests: Request, levels: tuple[int, ...] = LEVELS
) -> NearMiss | None:
    """Return what was near where nothing gives and nothing forbids."""
    return walked(WrittenEngine(near=near), *requests, levels=levels).near_miss


def test_the_nearest_rule_is_that_of_the_fewest_columns() -> None:
    """Over every ground and agreement, at the lowest level that discloses; of two as near the first by name."""
    assert nearest({("A", "one", "1"): NEAR["xy"], ("B", "one", "1"): NEAR["y"]}, FIRST, OTHER) == NEAR["y"]
    assert nearest({("A", "one", "1"): NEAR["y"], ("A", "two", "1"): NEAR["x"]}, FIRST, SECOND) == NEAR["x"]
    assert nearest({("A", "one", "3"): NEAR["x"], ("A", "one", "2"): NEAR["x"]}, FIRST) is None
    assert nearest({("A", "one", "0"): NEAR["x"]}, FIRST) is None
    assert nearest({("A", "one", "0"): NEAR["x"], ("A", "one", "1"): NEAR["y"]}, FIRST, levels=(0,)) == NEAR["x"]
    assert nearest({}, FIRST) is None
    assert nearest({}) is None


def test_where_only_the_level_was_in_the_way_the_level_below_is_tried() -> None:
    """What is asked at level 0 and fails there in fewer columns was nearer; without any, the level is what failed."""
    assert nearest({("A", "one", "1"): LEVEL_TOO, ("A", "one", "0"): NEAR["x"]}, FIRST) == NEAR["x"]
    assert nearest({("A", "one", "1"): LEVEL, ("A", "one", "0"): NEAR["xy"]}, FIRST) == LEVEL
    assert nearest({("A", "one", "1"): LEVEL}, FIRST) == LEVEL
    assert nearest({("A", "one", "1"): NEAR["xy"], ("A", "one", "0"): NEAR["x"]}, FIRST) == NEAR["xy"]


@pytest.mark.parametrize("said", ["permitting", "forbidding"])
def test_nothing_is_near_where_something_gave_or_forbade(said: str) -> None:
    """Either alone is reason enough: the answer names it and no rule beside it."""
    engine = WrittenEngine(near={("A", "one", "1"): NEAR["x"], ("A", "one", "0"): NEAR["x"]})
    setattr(engine, said, {("A", "one", "1"): "rule"})
    assert walked(engine, FIRST).near_miss is None


def test_rules_stand_sorted_and_once() -> None:
    """The order in which documents were read is not seen in a decision."""
    assert in_order(iter(["b", "a", "b"])) == ("a", "b")

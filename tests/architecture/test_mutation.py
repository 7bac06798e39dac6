"""How `make mutate` judges: which tests a mutant meets, and which mutants change nothing."""

from pathlib import Path

from tests.check import equivalent, mutant_order, mutate
from tests.check.equivalent import Mutant

ROOT = Path(__file__).resolve().parents[2]
SAME = Mutant(module="policies/walk.py", function="walk", before="level = 1", after="level = 2")


def test_the_tests_that_notice_most_for_their_time_go_first() -> None:
    """What does not fit the time is left out, but one test always runs."""
    seconds = {"a": 0.1, "b": 0.1, "slow": 9.0, "c": 0.2}
    assert mutant_order.within(seconds, seconds, {"c": 4}, limit=1.0) == ["c", "a", "b"]
    assert mutant_order.within(["slow"], seconds, {}, limit=1.0) == ["slow"]


def test_modules_of_one_package_meet_the_tests_of_that_package() -> None:
    """One package's mutants meet its own tests; those of more packages meet all."""
    assert mutate.tests_for(["policies/walk.py", "policies/decide.py"], named="") == [
        "tests/unit/policies",
        "tests/property/policies",
    ]
    assert mutate.tests_for(["policies/walk.py", "audit/log.py"], named="") == [
        "tests/unit",
        "tests/vectors",
        "tests/property",
    ]
    assert mutate.tests_for(["policies/walk.py"], named=" a.py b ") == ["a.py", "b"]
    assert (ROOT / "pyproject.toml").read_text(encoding="utf-8").count(f"\n{mutate.SELECTION}\n") == 1


def test_a_mutant_is_named_by_what_it_changes() -> None:
    """An entry outlives mutmut's numbering: it names module, function, the line before and the line after."""
    diff = "--- policies/walk.py\n+++ policies/walk.py\n@@ -1 +1 @@\n def walk():\n-    level = 1\n+    level = 2\n"
    assert equivalent.mutant_of("policies.walk.x_walk__mutmut_3", diff) == SAME
    assert equivalent.mutant_of("policies.facts.xǁFactsǁday__mutmut_3", diff).function == "Facts.day"


def test_an_equivalent_mutant_that_is_noticed_or_gone_is_told(tmp_path: Path) -> None:
    """The list cannot grow old unseen: the line must stand, the reason be given, and no test may notice the mutant."""
    (tmp_path / "policies").mkdir()
    (tmp_path / SAME.module).write_text("def walk():\n    level = 1\n", encoding="utf-8")
    assert equivalent.stale({SAME: "every level is read again below"}, tmp_path) == []
    assert "needs its reason" in equivalent.stale({SAME: "so"}, tmp_path)[0]
    (tmp_path / SAME.module).write_text("def walk():\n    level = 3\n", encoding="utf-8")
    assert "no line 'level = 1' any more" in equivalent.stale({SAME: "every level is read again below"}, tmp_path)[0]
    assert equivalent.split({"m": SAME}, [SAME]) == (["m"], [])
    assert equivalent.split({}, [SAME]) == ([], [SAME])


def test_the_type_of_a_cast_is_nothing_to_notice() -> None:
    """It is there for the type checker alone; what is cast, and everything beside it, still counts."""
    before = 'return f(cast("Word", said), cast("Day", day), "x")'
    for after, equal in (
        ('return f(cast(None, said), cast("Day", day), "x")', True),
        ('return f(cast("Word", said), cast("XXDayXX", day), "x")', True),
        ('return f(cast("Word", None), cast("Day", day), "x")', False),
        ('return f(cast("Word", said), cast("Day", day), "X")', False),
        ('return f(cast(said), cast("Day", day), "x")', False),
    ):
        mutant = Mutant(module=SAME.module, function="walk", before=before, after=after)
        assert equivalent.is_for_the_type_checker(mutant) is equal
        assert equivalent.split({"m": mutant}, [])[0] == (["m"] if equal else [])


def test_equivalent_mutants_leave_the_score() -> None:
    """What changes nothing counts neither as noticed nor against the score."""
    fates = {"policies.walk.x_walk__mutmut_1": "killed", "policies.walk.x_walk__mutmut_2": "survived"}
    walk = mutate.summarise(fates, ["policies.walk.x_walk__mutmut_2"])["policies/walk.py"]
    assert (walk["score"], walk["equivalent"], walk["unnoticed"]) == (100.0, 1, [])


def test_the_shipped_list_is_not_stale() -> None:
    """Every entry of the shipped list still names a line of its module."""
    assert equivalent.stale(equivalent.read_equivalents(mutate.EQUIVALENT), ROOT) == []

"""Every act that the log can hold has a name that people read; none is shown as a code."""

import ast
from collections.abc import Iterator
from pathlib import Path

from audit.entry import KINDS
from connectors.act_words import ACTS_NL, KINDS_NL, OUTCOMES_NL

FLOWS = Path(__file__).resolve().parents[3] / "broker" / "flows"
ACTING = {"reading", "stating", "reviewing", "erasing", "on_own_signal"}
"""What makes an act of a flow, its word first."""


def words_in(tree: ast.AST) -> Iterator[str]:
    """Give every text that stands in a piece of source."""
    return (one.value for one in ast.walk(tree) if isinstance(one, ast.Constant) and isinstance(one.value, str))


def words_of_flows() -> Iterator[str]:
    """Give the word of every act that a flow makes, as it stands in the source."""
    for file in FLOWS.glob("*.py"):
        for one in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(one, ast.Call):
                continue
            by = one.func
            if isinstance(by, ast.Attribute) and by.attr in ACTING and ast.unparse(by.value) == "Act" and one.args:
                yield from words_in(one.args[0])
            yield from (word for key in one.keywords if key.arg == "type" for word in words_in(key.value))


def test_every_act_has_a_dutch_name() -> None:
    """A flow whose act has no name here would be shown as its code; one that is gone keeps none."""
    modules = {file.stem for file in FLOWS.glob("*.py")}
    made = {word for word in words_of_flows() if "_" in word}
    assert len(made) > 40
    assert made <= set(ACTS_NL)
    # What is put together elsewhere has the name of its flow, so a name for nothing stands out too.
    unknown = set(ACTS_NL) - made - modules
    assert unknown <= {word for file in FLOWS.glob("*.py") for word in words_in(ast.parse(file.read_text("utf-8")))}


def test_every_kind_and_outcome_has_a_dutch_name() -> None:
    """Of what was erased the kind alone is left; no name has an underscore, which only codes have."""
    assert set(KINDS_NL) == set(KINDS)
    for name in (*ACTS_NL.values(), *KINDS_NL.values(), *OUTCOMES_NL.values()):
        assert "_" not in name

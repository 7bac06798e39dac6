"""What a partner's command loads: a worker waits for each of them, so none waits for a part that it does not use."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
DRAWING = {"rich", "pygments", "click", "httpx._main"}
NETWORK = {"httpx", "anyio", "h11"}

COMMANDS = [
    (("worker", "list"), DRAWING | NETWORK | {"broker.protocol.messages"}),
    (("check",), DRAWING),
    (("inbox",), DRAWING),
    (("request", "read"), DRAWING),
]
"""Words of a command, and what it does without."""


@pytest.mark.parametrize(("words", "unused"), COMMANDS, ids=lambda it: "-".join(it) if isinstance(it, tuple) else None)
def test_a_command_loads_only_what_it_uses(words: tuple[str, ...], unused: set[str]) -> None:
    """What draws on a terminal waits for a line to draw, and no set-up command loads the network."""
    source = (
        "import sys, connectors.cli as cli, typer; typer.Typer.__call__ = lambda self: None; "
        "cli.main(); print(*(name for name, module in sys.modules.items() if module))"
    )
    done = subprocess.run(
        [sys.executable, "-c", source, *words],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    loaded = set(done.stdout.split())
    assert "connectors.cli" in loaded
    assert not unused & loaded


def test_no_command_looks_for_what_could_be_freed_while_it_loads() -> None:
    """What is loaded stays, so it is out of sight of the collector, which is at work again when the command begins."""
    source = (
        "import gc, sys, connectors.cli as cli, typer; "
        "typer.Typer.__call__ = lambda self: print(gc.isenabled(), gc.get_freeze_count() > 0); cli.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", source, "check"], capture_output=True, text=True, check=True, cwd=ROOT
    )  # fmt: skip
    assert done.stdout.split() == ["True", "True"]

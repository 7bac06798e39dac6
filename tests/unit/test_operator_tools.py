"""What an operator types wrong is never shown again by any of the five tools: the option is named, and no value."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from typer.main import get_command

from audit.cli import app as audit
from audit.typed import BAD_INPUT
from broker.cli import app as broker
from broker.custodian.cli import app as custodian
from broker.registrar import app as registrar
from policies.cli import app as policy

TYPED = "canary-999990019"
APPS = {"sluis-audit": audit, "sluis-broker": broker, "sluis-custodian": custodian, "sluis-policy": policy}
TOOLS = {name: get_command(app) for name, app in {**APPS, "sluis-registrar": registrar}.items()}
ANYTHING = {str, Path, bool, None}
SENTENCES = (
    r"this command, or something after it, is not known here: see --help",
    r"this command has no such option: see --help",
    r"(--?[a-z-]+|[A-Z._-]+): (must be given|must be given as --help says)",
)


def commands(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:  # noqa: ANN401 - of the library
    """Yield every command of a tool with the words that lead to it."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield words, command
        return
    for name, one in inner.items():
        yield from commands(one, (*words, name))


def typed_as(param: Any) -> Any:  # noqa: ANN401 - of the library
    """Return as what a value of this parameter is read; of a list, one of it."""
    annotation = getattr(getattr(param, "type_descriptor", None), "annotation", None)
    return get_args(annotation)[0] if get_origin(annotation) is list else annotation


@pytest.mark.parametrize("tool", sorted(TOOLS))
def test_nothing_that_was_typed_wrong_is_shown(tool: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Unknown words and options, values that are none, and what is missing: each is one of our sentences."""
    whole = TOOLS[tool]

    def said(*typed: str) -> str:
        with pytest.raises(SystemExit) as ended:
            whole.main(list(typed), prog_name=tool)
        assert ended.value.code == BAD_INPUT, typed
        return "".join(capsys.readouterr()).removesuffix("\n")

    tried = 0
    for words, command in commands(whole):
        wrong: list[tuple[str, ...]] = [(*[TYPED] * 9,), (f"--{TYPED}",), (f"--{TYPED}={TYPED}",), ("-z",)]
        for param in command.params:
            name = max(param.opts, key=len)
            if param.param_type_name == "option" and typed_as(param) not in ANYTHING:
                wrong.append((name, TYPED))
            if param.param_type_name == "option" and typed_as(param) not in {bool, None}:
                wrong.append((name,))
        takes_many = any(param.nargs == -1 for param in command.params)
        for typed in wrong[1:] if takes_many else wrong:
            output = said(*words, *typed)
            assert any(re.fullmatch(f"Error: {one}", output) for one in SENTENCES), (words, typed, output)
            tried += 1
    assert TYPED not in said(TYPED)
    assert tried > 10


def test_help_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    """A tool without words tells what it does, and one that is asked does so as well done."""
    for tool, whole in TOOLS.items():
        with pytest.raises(SystemExit) as ended:
            whole.main([], prog_name=tool)
        assert ended.value.code == BAD_INPUT
        with pytest.raises(SystemExit) as ended:
            whole.main(["--help"], prog_name=tool)
        assert ended.value.code == 0
        assert "Usage" in "".join(capsys.readouterr())

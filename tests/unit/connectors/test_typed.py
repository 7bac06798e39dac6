"""What is typed wrong on a command line is never shown again: the option and the rule are named, in Dutch."""

import datetime
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from connectors.cli import command_line
from connectors.typed import BAD_INPUT, DAY, no_file, typed_day

TYPED = "canary-999990019"
RULE = "geef een dag (JJJJ-MM-DD)"
SENTENCES = (
    r"deze opdracht, of iets erachter, bestaat hier niet: zie --help\. Nummers van personen staan in bestanden\.",
    r"deze optie bestaat hier niet: (zie --help|bedoel je --[a-z-]+\?)",
    r"(--[a-z-]+|[A-Z.-]+): (geef dit op|geef dit op zoals --help het zegt|geef een dag \(JJJJ-MM-DD\))",
    r"(--[a-z-]+|[A-Z.-]+): kies uit: [a-z0-9_-]+(, [a-z0-9_-]+)*",
    r"(--[a-z-]+|[A-Z.-]+): geef een getal(, minstens \d+)?(, hoogstens \d+)?",
)
"""Everything that is ever said of what was typed wrong: none of it is the library's own, which is English."""
ANYTHING = {str, Path, bool, None}
"""What takes whatever is typed, or is a flag that takes nothing; None is the library's own `--help`."""


def commands(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:  # noqa: ANN401 - of the library
    """Yield every command of the command line with the words that lead to it."""
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


SLUIS_CONNECT = get_command(command_line(()))
ALL = dict(commands(SLUIS_CONNECT))
Said = Callable[..., str]


def is_dutch(output: str) -> bool:
    """Return whether all that was said is one of our sentences, and nothing of what was typed."""
    said = output.removesuffix("\n")
    return TYPED not in said and any(re.fullmatch(f"Fout: {sentence}", said) for sentence in SENTENCES)


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    """Return what a command prints that was typed wrong."""

    def words(*typed: str) -> str:
        with pytest.raises(SystemExit) as ended:
            SLUIS_CONNECT.main(list(typed), prog_name="sluis-connect")
        assert ended.value.code == BAD_INPUT
        return "".join(capsys.readouterr())

    return words


def test_no_option_of_any_command_shows_what_was_typed_wrong(said: Said) -> None:
    """Each option of each command that can be typed wrong is typed wrong; none echoes it, and each names its rule."""
    tried = 0
    for words, command in ALL.items():
        for param in command.params:
            if typed_as(param) in ANYTHING or param.param_type_name != "option":
                continue
            name = max(param.opts, key=len)
            output = said(*words, name, TYPED)
            assert output.startswith(f"Fout: {name}: "), (words, name, output)
            assert is_dutch(output), (words, name, output)
            tried += 1
    assert tried > 20


def test_what_is_missing_is_named_in_dutch_by_every_command(said: Said) -> None:
    """Each command that needs something, given nothing, names what; and each option without its value, itself."""
    tried = 0
    for words, command in ALL.items():
        required = [param for param in command.params if param.required]
        if required:
            assert is_dutch(said(*words)), words
        for param in command.params:
            if param.param_type_name == "option" and typed_as(param) not in {bool, None}:
                assert is_dutch(said(*words, max(param.opts, key=len))), (words, param.name)
                tried += 1
    assert tried > 100


def test_every_day_is_the_one_type_of_days() -> None:
    """No command reads a day in another way: the library's own type of days is used nowhere, and ours many times."""
    days = [param for command in ALL.values() for param in command.params if typed_as(param) is datetime.date]
    assert len(days) > 5
    assert {param.type_descriptor.parameter_info.parser for param in days} == {typed_day}
    assert {param.metavar for param in days} == {DAY, "DAY"}
    assert datetime.datetime not in {typed_as(param) for command in ALL.values() for param in command.params}


def test_what_no_command_takes_is_not_shown(said: Said) -> None:
    """A number in a place where nothing belongs, or as the name of an option, is not repeated by any command."""
    for words in ALL:
        # The demonstration has a command line of its own, and works with invented people.
        if words != ("demo",):
            for typed in ([TYPED] * 9, [f"--{TYPED}"], [f"--{TYPED}={TYPED}"], ["-z"]):
                assert is_dutch(said(*words, *typed)), (words, typed)


def test_a_command_that_does_not_exist_is_not_shown(said: Said) -> None:
    """Whoever types a number where a command belongs reads where identifiers come from."""
    assert "Nummers van personen staan in bestanden" in said(TYPED)
    assert is_dutch(said(TYPED))
    assert is_dutch(said("tasks", TYPED))


def test_a_day_argument_names_itself_and_its_rule(said: Said) -> None:
    """The day of `tasks extend` has no option's name; what it is called in the help is."""
    output = said("tasks", "extend", "f" * 32, TYPED, "--org", "nowhere", "--worker", "anna")
    assert output == f"Fout: DAY: {RULE}\n"


@pytest.mark.parametrize("text", ["2026-11-31", "2026-W48-4", "20261126", "26-11-2026", "2026-1-2", " 2026-11-26"])
def test_a_day_is_a_day_that_exists(text: str) -> None:
    """One spelling of days, and only of days that there are."""
    with pytest.raises(typer.BadParameter, match="geef een dag"):
        typed_day(text)
    assert typed_day("2028-02-29") == datetime.date(2028, 2, 29)


def test_what_is_missing_is_named(said: Said) -> None:
    """An option that has to be given, or one without its value, is named; help is help."""
    assert said("check") == "Fout: --org: geef dit op\n"
    assert said("check", "--org") == "Fout: --org: geef dit op zoals --help het zegt\n"
    assert "Usage" in said()
    assert said("check", "--worke", TYPED) == "Fout: deze optie bestaat hier niet: bedoel je --worker?\n"
    assert CliRunner().invoke(command_line(["check"]), ["check", "--help"]).exit_code == 0


def test_a_case_is_named_by_its_reference_and_no_file(said: Said, tmp_path: Path) -> None:
    """Where a reference belongs the file of a case is refused (U10-61): nobody would find the case by a file's name."""
    file = tmp_path / "mieke.json"
    file.write_text("{}", encoding="utf-8")
    for words, command in ALL.items():
        if any("--case-ref" in param.opts for param in command.params):
            told = said(*words, "--case-ref", str(file))
            assert told == "Fout: --case-ref: geef dit op zoals --help het zegt\n", words
    assert no_file("zaak-1") == "zaak-1"
    assert no_file(None) is None

"""Texts of other organisations are shown by a terminal, and never obeyed by it."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from connectors.command_line import console, notices
from connectors.terminal import Terminal, json_text, printable, quoted

ATTACK = "a\x1b[2Jb\x1b]0;titel\x07c\rd\x9b31me\u202ef\u2066g\u2028h\x7f"
OBEYED = "\x1b\x07\r\x9b\u202e\u2066\u2028\x7f"


@pytest.mark.parametrize("markup", [True, False])
def test_a_terminal_obeys_nothing_of_what_it_prints(*, markup: bool) -> None:
    """No escape sequence, no carriage return, no turned order reaches it, with markup or without."""
    written = io.StringIO()
    drawn = Console(file=written, soft_wrap=True, highlight=False)
    Terminal(drawn=drawn).print(f"Veilig Thuis {ATTACK}", markup=markup)
    assert not set(OBEYED) & set(written.getvalue())
    assert "\\u001b[2Jb" in written.getvalue()


def test_every_console_of_the_commands_is_such_a_terminal() -> None:
    """Output and errors go through it, and no other module of the connector makes a console of its own."""
    assert isinstance(console, Terminal)
    assert isinstance(notices, Terminal)
    made = [path.name for path in Path("connectors").rglob("*.py") if "rich.console" in path.read_text("utf-8")]
    assert made == ["terminal.py"]


def test_what_is_plain_stays_as_it_is() -> None:
    """Letters of every script, tabs and new lines are text."""
    plain = "Zoë\t\u0627\u0644\n\U0001f600"
    assert printable(plain) == plain


def test_json_is_the_same_document_and_only_shown() -> None:
    """Whoever parses it reads what was sent; whoever prints it is told nothing to do."""
    text = json_text({"text": ATTACK})
    assert json.loads(text) == {"text": ATTACK}
    assert not set(OBEYED) & set(text)


def test_no_line_of_a_letter_passes_for_one_of_ours() -> None:
    """Each of its lines is marked, also one that says what the command itself says elsewhere."""
    assert quoted("Dag\nbijlage: x (1 bytes)") == ["| Dag", "| bijlage: x (1 bytes)"]


def test_what_a_sentence_stresses_is_bold_at_a_terminal_and_asterisks_elsewhere() -> None:
    """Who sits at a terminal sees no asterisks; a file has them, and a letter keeps its own."""
    line = "We hebben **niet** gekeken [bold]."
    watched, piped = (io.StringIO() for _ in range(2))
    Terminal(drawn=Console(file=watched, force_terminal=True, soft_wrap=True, highlight=False)).print(
        line, markup=False
    )
    Terminal(drawn=Console(file=piped, soft_wrap=True, highlight=False)).print(line, markup=False)
    assert watched.getvalue() == "We hebben \x1b[1mniet\x1b[0m gekeken [bold].\n"
    assert piped.getvalue() == f"{line}\n"
    letter = io.StringIO()
    drawn = Console(file=letter, force_terminal=True, soft_wrap=True, highlight=False)
    Terminal(drawn=drawn).print(quoted("**ja**")[0], markup=False)
    assert letter.getvalue() == "| **ja**\n"

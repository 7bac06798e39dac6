"""The page that tells how to set up a region: every command on it exists, and every file on it is one that is read."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from broker.protocol.register import SCHEMA, Register
from broker.protocol.signed_document import SignedDocument
from connectors.cli import command_line
from connectors.sources.case_file import read_case_file
from connectors.stated_proof import read_proof
from connectors.workers import read_teams
from tests.simulators.enrolled import key
from tests.unit.test_operator_tools import TOOLS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "set-up.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ (.+)$", PAGE, flags=re.MULTILINE)
FILES = dict(re.findall(r"^```json ([a-z]+)\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_page_is_understood(line: str) -> None:
    """Its words, options and everything that it needs: as the tool itself reads them, without carrying it out."""
    tool, *words = shlex.split(line)
    command: Any = get_command(command_line(())) if tool == "sluis-connect" else TOOLS[tool]
    while getattr(command, "commands", None):
        command = command.commands[words.pop(0)]
    with command.make_context(line, words) as context:
        assert context.args == []


def test_the_page_names_every_step() -> None:
    """A region needs what a test's region is made of: each tool and each of its steps stands on the page."""
    steps = [" ".join(shlex.split(line)[:3]) for line in COMMANDS]
    for step in (
        "sluis-registrar init registrar-1", "sluis-custodian init custodian-a", "sluis-broker init broker",
        "sluis-audit witness init", "sluis-custodian ceremony join", "sluis-connect init wijkteam",
        "sluis-registrar approve draft.json", "sluis-connect roster sign", "sluis-custodian org enrol",
        "sluis-broker epoch import", "sluis-broker serve broker", "sluis-connect organisations --org",
    ):  # fmt: skip
        assert step in steps, step
    assert set(FILES) == {"register", "teams", "case", "proof"}


def test_the_files_of_the_page_are_read(tmp_path: Path) -> None:
    """Each example is taken by what reads it, so that nobody has to look in the source for its members."""
    signing = key("registrar 1")
    content = {"schema": SCHEMA, **json.loads(FILES["register"])}
    draft = SignedDocument(document=content, signatures=()).with_signature(signing.public.kid, signing)
    assert [one.name for one in Register.draft(draft).organisations.values()] == ["Wijkteam Arnhem"]
    (card,) = read_teams(json.loads(FILES["teams"]))
    assert (card.code, card.after_hours_phone) == ("team-1", "0800 5550000")
    case, proof = tmp_path / "case.json", tmp_path / "proof.json"
    case.write_text(FILES["case"], encoding="utf-8")
    proof.write_text(FILES["proof"], encoding="utf-8")
    caseload = read_case_file(case)
    assert ([one.case_ref for one in caseload.cases], caseload.rejected) == (["zaak-17"], ())
    assert (read_proof(proof).kind, read_proof(proof).reference) == ("melding", "VT-2026-00017")

"""The list of addresses that never become a token is made by two registrars, as the register is (D4, D13)."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from broker.protocol.excluded_addresses import ExcludedAddresses
from broker.protocol.signing_keys import SigningKey
from broker.registrar import app
from tests.simulators.excluded import SHELTER


def _run(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def registrars(tmp_path: Path) -> tuple[Path, Path]:
    """Two registrars' folders."""
    for name in ("first", "second"):
        _run("init", tmp_path / name, "--name", name)
    return tmp_path / "first", tmp_path / "second"


def _draft(tmp_path: Path, key: Path, *addresses: dict[str, Any], number: int = 1, code: int = 0) -> Path:
    content, draft = tmp_path / "content.json", tmp_path / f"draft-{number}.json"
    content.write_text(json.dumps({"number": number, "addresses": list(addresses)}))
    _run("excluded", "propose", "--from", content, "--key", key, "--out", draft, code=code)
    return draft


def test_two_registrars_make_a_list(tmp_path: Path, registrars: tuple[Path, Path]) -> None:
    """A draft that another registrar approved verifies under both pins, and no terminal shows an address."""
    first, second = registrars
    draft = _draft(tmp_path, first, SHELTER)
    told = _run("excluded", "approve", draft, "--key", second, "--out", tmp_path / "list.json")
    assert told.stdout == "list 1, 1 addresses, 2 of 2 signatures\n"
    keys = [SigningKey.read(folder / "keys" / "registrar.jwk").public for folder in registrars]
    read = ExcludedAddresses.read((tmp_path / "list.json").read_bytes(), registrars={key.kid: key for key in keys})
    assert (read.number, len(read.addresses)) == (1, 1)


def test_nobody_approves_their_own_list(tmp_path: Path, registrars: tuple[Path, Path]) -> None:
    """One registrar alone makes no list, and what has both signatures is no draft."""
    first, second = registrars
    draft, out = _draft(tmp_path, first, SHELTER), tmp_path / "list.json"
    _run("excluded", "approve", draft, "--key", first, "--out", out, code=1)
    assert not out.exists()
    _run("excluded", "approve", draft, "--key", second, "--out", out)
    _run("excluded", "approve", out, "--key", second, "--out", tmp_path / "again.json", code=2)


def test_the_number_of_a_list_only_rises(tmp_path: Path, registrars: tuple[Path, Path]) -> None:
    """The next list is compared with the one in force, and is refused where its number is not above it."""
    first, second = registrars
    one, out = _draft(tmp_path, first, SHELTER), tmp_path / "two.json"
    _run("excluded", "approve", one, "--key", second, "--out", out, "--previous", one, code=2)
    assert not out.exists()
    two = _draft(tmp_path, first, number=2)
    printed = _run("excluded", "approve", two, "--key", second, "--out", out, "--previous", one, "--json").stdout
    assert json.loads(printed) == {"number": 2, "addresses": 0, "signatures": 2}


def test_a_list_that_breaks_a_rule_is_refused(tmp_path: Path, registrars: tuple[Path, Path]) -> None:
    """It ends with exit code 2, and nothing is written."""
    draft = _draft(tmp_path, registrars[0], {**SHELTER, "number": None}, code=2)
    assert not draft.exists()


def test_a_list_is_no_register(tmp_path: Path, registrars: tuple[Path, Path]) -> None:
    """A signature under one kind of document never counts for another."""
    draft = _draft(tmp_path, registrars[0], SHELTER)
    _run("approve", draft, "--key", registrars[1], "--out", tmp_path / "register.json", code=2)

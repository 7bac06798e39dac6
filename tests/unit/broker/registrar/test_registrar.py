"""The register is made by two registrars, neither of whom can do it alone (D13)."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from broker.protocol.errors import SignatureError
from broker.protocol.register import Register
from broker.protocol.signing_keys import SigningKey, VerifyKey
from broker.registrar import app

SCHOOL = "00000099000000004000"
BUCKET = {"worker": {"capacity": 5, "perDay": 5}, "organisation": {"capacity": 500, "perDay": 500}}


def _content(number: int = 1) -> dict[str, Any]:
    return {
        "number": number,
        "budgetClasses": dict.fromkeys(("check", "urgent", "register", "import"), BUCKET),
        "organisations": [
            {
                "oin": SCHOOL,
                "name": "Basisschool De Sluis",
                "orgClass": "school",
                "status": "active",
                "parentOrg": None,
                "signingKeys": [SigningKey.from_seed(b"s" * 32).public.jwk()],
                "sealingKeys": [],
                "families": ["nlbsn"],
                "simulatedBsnRight": True,
                "workerCap": 10,
                "budgets": None,
            }
        ],
    }


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


@pytest.fixture
def content(tmp_path: Path) -> Path:
    """A register's content as a registrar writes it."""
    path = tmp_path / "content.json"
    path.write_text(json.dumps(_content()))
    return path


def _pins(registrars: tuple[Path, Path]) -> dict[str, VerifyKey]:
    keys = [SigningKey.read(folder / "keys" / "registrar.jwk").public for folder in registrars]
    return {key.kid: key for key in keys}


def _register(tmp_path: Path, registrars: tuple[Path, Path], content: Path) -> Path:
    first, second = registrars
    _run("propose", "--from", content, "--key", first, "--out", tmp_path / "draft.json")
    _run("approve", tmp_path / "draft.json", "--key", second, "--out", tmp_path / "register.json")
    return tmp_path / "register.json"


def test_two_registrars_make_a_register(tmp_path: Path, registrars: tuple[Path, Path], content: Path) -> None:
    """A draft that another registrar approved verifies under both pins."""
    register = Register.read(_register(tmp_path, registrars, content).read_bytes(), registrars=_pins(registrars))
    assert register.number == 1
    assert register.organisations[SCHOOL].active


def test_a_draft_alone_is_no_register(tmp_path: Path, registrars: tuple[Path, Path], content: Path) -> None:
    """One signature is not enough for anyone who verifies."""
    _run("propose", "--from", content, "--key", registrars[0], "--out", tmp_path / "draft.json")
    with pytest.raises(SignatureError):
        Register.read((tmp_path / "draft.json").read_bytes(), registrars=_pins(registrars))


def test_nobody_approves_their_own_draft(tmp_path: Path, registrars: tuple[Path, Path], content: Path) -> None:
    """The second signer is another registrar, and nothing is written otherwise."""
    _run("propose", "--from", content, "--key", registrars[0], "--out", tmp_path / "draft.json")
    result = _run("approve", tmp_path / "draft.json", "--key", registrars[0], "--out", tmp_path / "out.json", code=1)
    assert "own draft" in result.stderr
    assert not (tmp_path / "out.json").exists()


def test_a_register_is_not_approved_twice(tmp_path: Path, registrars: tuple[Path, Path], content: Path) -> None:
    """What has both signatures is no draft any more."""
    register = _register(tmp_path, registrars, content)
    _run("approve", register, "--key", registrars[0], "--out", tmp_path / "out.json", code=2)


def test_approving_shows_what_changes(tmp_path: Path, registrars: tuple[Path, Path], content: Path) -> None:
    """The second registrar reads each organisation that differs from the register in force, and how."""
    register = _register(tmp_path, registrars, content)
    changed = _content(2)
    changed["organisations"][0]["workerCap"] = 11
    changed["organisations"].append({**_content()["organisations"][0], "oin": "0" * 20, "signingKeys": []})
    changed["budgetClasses"]["check"] = {**BUCKET, "worker": {"capacity": 6, "perDay": 6}}
    content.write_text(json.dumps(changed))
    _run("propose", "--from", content, "--key", registrars[0], "--out", tmp_path / "draft.json")
    arguments = ("approve", tmp_path / "draft.json", "--key", registrars[1], "--out", tmp_path / "two.json")
    shown = _run(*arguments, "--previous", register).stdout
    assert f"~ {SCHOOL} Basisschool De Sluis: workerCap" in shown
    assert f"+ {'0' * 20}" in shown
    assert "~ budgetClasses" in shown
    assert "number 1 -> 2" in shown


def test_a_number_only_rises(tmp_path: Path, registrars: tuple[Path, Path], content: Path) -> None:
    """A draft whose number is not above that of the register in force is refused."""
    register = _register(tmp_path, registrars, content)
    _run("propose", "--from", content, "--key", registrars[0], "--out", tmp_path / "draft.json")
    arguments = ("approve", tmp_path / "draft.json", "--key", registrars[1], "--out", tmp_path / "two.json")
    _run(*arguments, "--previous", register, code=2)
    assert not (tmp_path / "two.json").exists()


def test_suspending_drafts_the_next_number(tmp_path: Path, registrars: tuple[Path, Path], content: Path) -> None:
    """A suspension is a draft of the next register that changes one status, and needs the second signature too."""
    register = _register(tmp_path, registrars, content)
    arguments = ("suspend", register, "--oin", SCHOOL, "--key", registrars[1], "--out", tmp_path / "draft.json")
    told = json.loads(_run(*arguments, "--json").stdout)
    assert told == {
        "number": 2,
        "signatures": 1,
        "changes": ["number 1 -> 2", f"~ {SCHOOL} Basisschool De Sluis: status suspended"],
    }
    _run("approve", tmp_path / "draft.json", "--key", registrars[0], "--out", tmp_path / "two.json")
    suspended = Register.read((tmp_path / "two.json").read_bytes(), registrars=_pins(registrars))
    assert not suspended.organisations[SCHOOL].active


def test_an_unknown_organisation_is_not_suspended(tmp_path: Path, registrars: tuple[Path, Path], content: Path) -> None:
    """Suspending an organisation that is not in the register is refused, so that a typing error is seen."""
    register = _register(tmp_path, registrars, content)
    _run("suspend", register, "--oin", "1" * 20, "--key", registrars[0], "--out", tmp_path / "out.json", code=2)


def test_export_gives_content_that_can_be_proposed(
    tmp_path: Path, registrars: tuple[Path, Path], content: Path
) -> None:
    """What `export` prints is what `propose` takes, and with pins it is verified first."""
    register = _register(tmp_path, registrars, content)
    first, second = (folder / "registrar.pub.jwk" for folder in registrars)
    printed = _run("export", register, "--registrar", first, "--registrar", second).stdout
    assert json.loads(printed) == _content()
    _run("export", register, "--registrar", first, code=1)


@pytest.mark.parametrize("text", ["[]", '{"number": 1, "number": 2}', '{"number": 1}', "{"])
def test_bad_content_is_refused(tmp_path: Path, registrars: tuple[Path, Path], text: str) -> None:
    """Content that is no register's is refused with exit code 2, and nothing is written."""
    (tmp_path / "bad.json").write_text(text)
    _run("propose", "--from", tmp_path / "bad.json", "--key", registrars[0], "--out", tmp_path / "out.json", code=2)
    assert not (tmp_path / "out.json").exists()


def test_a_key_others_can_read_signs_nothing(tmp_path: Path, registrars: tuple[Path, Path], content: Path) -> None:
    """A private key with open file rights is refused with what to do, never used."""
    (registrars[0] / "keys" / "registrar.jwk").chmod(0o640)
    result = _run("propose", "--from", content, "--key", registrars[0], "--out", tmp_path / "out.json", code=2)
    assert "0600" in result.stderr


def test_init_keeps_the_key_private_and_never_overwrites(tmp_path: Path) -> None:
    """The private key has mode 0600 in a folder of mode 0700; a second `init` changes nothing."""
    printed = json.loads(_run("init", tmp_path / "r", "--name", "R", "--json").stdout)
    key = tmp_path / "r" / "keys" / "registrar.jwk"
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.parent.stat().st_mode & 0o777 == 0o700
    assert printed["jwk"] == SigningKey.read(key).public.jwk()
    before = key.read_bytes()
    _run("init", tmp_path / "r", "--name", "R", code=2)
    assert key.read_bytes() == before


def test_a_name_with_quotes_is_refused(tmp_path: Path) -> None:
    """A name that could break out of the configuration file is refused before anything is made."""
    _run("init", tmp_path / "r", "--name", 'a" b', code=2)
    assert not (tmp_path / "r").exists()

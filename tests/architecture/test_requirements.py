"""What is installed: pinned, by hash, from nowhere in particular, and nothing that is not asked for."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.source_tree import ROOT, project_settings, tracked_files

FILES = ("requirements.txt", "requirements-dev.txt", "requirements-bootstrap.txt")
HASHED = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def pins(name: str) -> dict[str, str]:
    """Return the version each package of a requirement file is pinned to."""
    found: dict[str, str] = {}
    for block in _blocks(name):
        requirement = Requirement(block.partition(" --hash")[0].replace("\\", "").strip())
        (pin,) = requirement.specifier
        assert pin.operator == "=="
        found[canonicalize_name(requirement.name)] = pin.version
    return found


def declared(groups: list[str]) -> list[Requirement]:
    """Return the requirements `pyproject.toml` declares for running, or for these dependency groups."""
    settings = project_settings()
    if not groups:
        return [Requirement(text) for text in settings["project"]["dependencies"]]
    entries = [entry for group in groups for entry in settings["dependency-groups"][group]]
    return [Requirement(entry) for entry in entries if isinstance(entry, str)]


@pytest.mark.parametrize("name", FILES)
def test_every_requirement_is_pinned_by_hash(name: str) -> None:
    """No package is installed but the very files that were locked."""
    assert pins(name)
    assert [block for block in _blocks(name) if not HASHED.search(block)] == []


@pytest.mark.parametrize("name", FILES)
def test_no_requirement_file_names_an_address(name: str) -> None:
    """Where packages come from is the business of whoever installs them."""
    text = (ROOT / name).read_text(encoding="utf-8")
    assert [
        word for word in ("://", "--index", "--extra-index", "--find-links", "--trusted-host") if word in text
    ] == []


@pytest.mark.parametrize(
    ("name", "groups"),
    [
        ("requirements.txt", []),
        ("requirements-dev.txt", ["bootstrap", "dev"]),
        ("requirements-bootstrap.txt", ["bootstrap"]),
    ],
)
def test_the_locks_hold_what_the_project_declares(name: str, groups: list[str]) -> None:
    """Every declared requirement is pinned to a version its declaration accepts: `make lock` was run."""
    pinned = pins(name)
    wrong = [
        str(requirement)
        for requirement in declared(groups)
        if not requirement.specifier.contains(pinned.get(canonicalize_name(requirement.name), "0"))
    ]
    assert wrong == []


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-bootstrap.txt"])
def test_what_is_tested_is_what_runs(name: str) -> None:
    """The development environment has the same versions as the one that runs."""
    tested = pins("requirements-dev.txt")
    assert {package: version for package, version in pins(name).items() if tested.get(package) != version} == {}


def test_no_lock_that_records_addresses_is_kept() -> None:
    """`uv.lock` stays out: it writes down the package index of whoever made it (architecture section 3)."""
    assert "uv.lock" not in tracked_files()


def test_the_console_scripts_are_those_of_the_interfaces() -> None:
    """Operators, tests and outside verifiers rely on these six commands."""
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    assert scripts == {
        "sluis-audit": "audit.cli:main",
        "sluis-broker": "broker.cli:main",
        "sluis-connect": "connectors.cli:main",
        "sluis-custodian": "broker.custodian.cli:main",
        "sluis-policy": "policies.cli:main",
        "sluis-registrar": "broker.registrar:main",
    }


def _blocks(name: str) -> list[str]:
    joined = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]

"""Each import contract of architecture section 3 is broken on purpose and caught, so that none is empty."""

import shutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

from tests.architecture.source_tree import PACKAGES, ROOT, project_settings

CONTRACTS = {contract["id"]: contract for contract in project_settings()["tool"]["importlinter"]["contracts"]}

# Modules the skeleton needs besides those its contracts name.
MORE_MODULES = (
    "broker.protocol.tokens",
    "broker.custodian.service",
    "broker.flows.register_signal",
    "connectors.client",
)

# contract, who imports, what: each line is a breach that must be seen
BREACHES = [
    ("broker-layers", "broker.domain", "broker.flows"),
    ("broker-layers", "broker.protocol", "broker.domain"),
    ("broker-layers", "broker.flows", "broker.store"),
    ("broker-layers", "broker.flows", "broker.keys"),
    ("broker-layers", "broker.flows", "broker.api"),
    ("broker-layers", "broker.store", "broker.api"),
    ("broker-layers", "broker.ports", "broker.store"),
    ("broker-layers", "broker.domain", "broker.ports"),
    ("broker-layers", "broker.api", "broker.main"),
    ("broker-layers", "broker.main", "broker.cli"),
    ("policies-alone", "policies", "broker.protocol"),
    ("policies-alone", "policies", "audit.merkle"),
    ("policies-alone", "policies", "connectors"),
    ("audit-alone", "audit.merkle", "broker.protocol"),
    ("audit-alone", "audit.merkle", "policies"),
    ("audit-alone", "audit.merkle", "connectors"),
    ("verifier-small", "audit.verify", "audit.log"),
    ("verifier-small", "audit.merkle", "audit.seal"),
    ("verifier-small", "audit.verify", "audit.export"),
    ("partner-only-protocol-and-verifier", "connectors.client", "broker.domain"),
    ("partner-only-protocol-and-verifier", "connectors.client", "broker.custodian"),
    ("partner-only-protocol-and-verifier", "connectors.client", "broker.registrar"),
    ("partner-only-protocol-and-verifier", "connectors.client", "policies"),
    ("partner-only-protocol-and-verifier", "connectors.client", "audit.log"),
    ("broker-no-connector", "broker.flows.register_signal", "connectors.client"),
    ("custodian-only-protocol-and-audit", "broker.custodian.service", "broker.store"),
    ("custodian-only-protocol-and-audit", "broker.custodian.service", "broker.settings"),
    ("custodian-only-protocol-and-audit", "broker.custodian.service", "policies"),
    ("custodian-unseen", "broker.main", "broker.custodian.service"),
    ("custodian-unseen", "broker.protocol.tokens", "broker.custodian"),
    ("registrar-only-protocol", "broker.registrar", "broker.keys"),
    ("registrar-only-protocol", "broker.registrar", "broker.custodian"),
    ("registrar-only-protocol", "broker.registrar", "audit.note"),
    ("identifiers-only-connectors", "broker.flows.register_signal", "broker.protocol.identifiers"),
    ("identifiers-only-connectors", "broker.custodian.service", "broker.protocol.identifiers"),
    ("identifiers-only-connectors", "broker.protocol.tokens", "broker.protocol.identifiers"),
]
ALLOWED = [
    ("audit.verify", "audit.merkle"),
    ("connectors.client", "broker.protocol.identifiers"),
    ("connectors.client", "audit.verify"),
    ("connectors.client", "audit.export"),
    ("broker.flows.register_signal", "policies"),
    ("broker.flows.register_signal", "audit.log"),
    ("broker.custodian.service", "broker.protocol.tokens"),
    ("broker.custodian.service", "audit.log"),
    ("broker.registrar", "broker.protocol"),
]


def named_modules() -> set[str]:
    """Return every module a contract names, and those the breaches need."""
    names = {*MORE_MODULES, "audit.merkle", "audit.note", "audit.verify"}
    for contract in CONTRACTS.values():
        for key in ("source_modules", "forbidden_modules", "protected_modules", "allowed_importers"):
            names.update(contract.get(key, []))
        for layer in contract.get("layers", []):
            names.update(f"broker.{part.strip()}" for part in layer.split("|"))
    return names


@pytest.fixture(scope="module")
def skeleton(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree of empty packages with our contracts: every module is a package, so that any can have children."""
    root = tmp_path_factory.mktemp("skeleton")
    shutil.copyfile(ROOT / "pyproject.toml", root / "pyproject.toml")
    for name in named_modules():
        (root / name.replace(".", "/")).mkdir(parents=True, exist_ok=True)
    for folder in [path for path in root.rglob("*") if path.is_dir()]:
        (folder / "__init__.py").touch()
    for importer, imported in ALLOWED:
        _source(root, importer).write_text(f"import {imported}\n", encoding="utf-8")
    return root


def lint(root: Path, *contracts: str) -> str:
    """Return import-linter's report on a tree."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    chosen = [part for contract in contracts for part in ("--contract", contract)]
    done = subprocess.run([*command, "--no-cache", *chosen], cwd=root, check=False, capture_output=True, text=True)
    assert done.returncode in {0, 1}, done.stderr
    return done.stdout + done.stderr


def test_the_skeleton_keeps_every_contract(skeleton: Path) -> None:
    """What architecture section 3 allows is allowed: all contracts hold before one is broken."""
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken" in lint(skeleton)


@pytest.mark.parametrize(("contract", "importer", "imported"), BREACHES)
def test_a_breach_is_caught(skeleton: Path, contract: str, importer: str, imported: str) -> None:
    """An import that a contract forbids breaks that very contract."""
    source = _source(skeleton, importer)
    before = source.read_text(encoding="utf-8")
    try:
        source.write_text(f"{before}import {imported}\n", encoding="utf-8")
        report = lint(skeleton, contract)
    finally:
        source.write_text(before, encoding="utf-8")
    assert f"{CONTRACTS[contract]['name']} BROKEN" in report


def test_a_cycle_is_caught(skeleton: Path) -> None:
    """Two modules of one package that import each other break the rule against cycles."""
    one, other = _source(skeleton, "audit.merkle"), _source(skeleton, "audit.note")
    try:
        one.write_text("import audit.note\n", encoding="utf-8")
        other.write_text("import audit.merkle\n", encoding="utf-8")
        report = lint(skeleton, "no-cycles")
    finally:
        one.write_text("", encoding="utf-8")
        other.write_text("", encoding="utf-8")
    assert f"{CONTRACTS['no-cycles']['name']} BROKEN" in report


def test_a_new_module_of_the_broker_must_find_its_layer(skeleton: Path) -> None:
    """A module that no layer names breaks the layers contract, so that it is placed by decision and not by accident."""
    stray = skeleton / "broker" / "stray.py"
    try:
        stray.touch()
        report = lint(skeleton, "broker-layers")
    finally:
        stray.unlink()
    assert "broker.stray" in report


def test_every_contract_is_broken_by_some_test() -> None:
    """No contract stands without a breach that proves it."""
    assert {contract for contract, _, _ in BREACHES} | {"no-cycles"} == set(CONTRACTS)


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """The import graph of the real packages."""
    return grimp.build_graph(*PACKAGES, cache_dir=None)


@pytest.mark.parametrize(
    ("contract", "kept"),
    [
        ("partner-only-protocol-and-verifier", {"broker.protocol"}),
        ("custodian-only-protocol-and-audit", {"broker.protocol", "broker.custodian"}),
        ("registrar-only-protocol", {"broker.protocol", "broker.registrar"}),
    ],
)
def test_lists_of_forbidden_broker_modules_are_complete(
    graph: grimp.ImportGraph, contract: str, kept: set[str]
) -> None:
    """Every module of the broker that exists is forbidden to those who may hold the protocol only."""
    forbidden = set(CONTRACTS[contract]["forbidden_modules"])
    assert graph.find_children("broker") - kept - forbidden == set()


@pytest.mark.parametrize(
    ("contract", "kept"),
    [("partner-only-protocol-and-verifier", {"audit.export"}), ("verifier-small", set())],
)
def test_a_partner_reaches_only_what_the_verifier_needs(
    graph: grimp.ImportGraph, contract: str, kept: set[str]
) -> None:
    """Every module of audit is part of the verifier, or makes exports for a partner, or is forbidden."""
    verifier = {"audit.verify", *graph.find_upstream_modules("audit.verify")}
    others = {module for module in graph.find_children("audit") if module not in verifier}
    assert others - kept - set(CONTRACTS[contract]["forbidden_modules"]) == set()


def _source(root: Path, module: str) -> Path:
    return root / module.replace(".", "/") / "__init__.py"

"""Third-party libraries that decide, sign, seal or serve are imported only in the files named for them."""

from fnmatch import fnmatch

import pytest

from tests.architecture.source_tree import ROOT, product_modules, project_settings, tracked_files

FENCES: dict[str, list[str]] = project_settings()["tool"]["sluis"]["fences"]


@pytest.mark.parametrize("library", sorted(FENCES))
def test_a_fenced_library_is_imported_only_in_its_files(library: str) -> None:
    """Whoever reviews one concern finds all of it in the files `[tool.sluis.fences]` names."""
    importers = [module.path for module in product_modules() if library in module.imported()]
    assert [path for path in importers if not _named(path, FENCES[library])] == []


@pytest.mark.parametrize("library", sorted(FENCES))
def test_every_named_file_still_needs_its_opening(library: str) -> None:
    """A fence opens no file that does not exist or does not import the library."""
    importers = {module.path for module in product_modules() if library in module.imported()}
    assert [pattern for pattern in FENCES[library] if not any(_named(path, [pattern]) for path in importers)] == []


def test_ruff_bans_exactly_the_fenced_libraries() -> None:
    """The editor warns of the same libraries as this test."""
    tidy = project_settings()["tool"]["ruff"]["lint"]["flake8-tidy-imports"]
    assert set(tidy["banned-api"]) == set(FENCES)


def test_ruff_opens_exactly_the_named_files() -> None:
    """No file is open for ruff that no fence names, and the other way round."""
    ignores: dict[str, list[str]] = project_settings()["tool"]["ruff"]["lint"]["per-file-ignores"]
    opened = {pattern for pattern, codes in ignores.items() if "TID251" in codes} - {"tests/**"}
    assert opened == {pattern for patterns in FENCES.values() for pattern in patterns}


def test_the_abandoned_casbin_distribution_is_not_required() -> None:
    """Casbin comes from `pycasbin`; the distribution `casbin` cannot explain an allow (architecture D9)."""
    pinned = {
        line.partition("==")[0]
        for name in tracked_files()
        if name.startswith("requirements")
        for line in _package_lines(name)
    }
    assert "pycasbin" in pinned
    assert "casbin" not in pinned


def _package_lines(name: str) -> list[str]:
    return [line for line in (ROOT / name).read_text(encoding="utf-8").splitlines() if line[:1].isalpha()]


def _named(path: str, patterns: list[str]) -> bool:
    return any(fnmatch(path, pattern) for pattern in patterns)
